"""Draw the pools that a comparison needs, through the live runner; the same call resumes.

Layout of the folder:

    settings/ARM.yaml        the user's own settings, and the arm
    pools/BENCHMARK-ARM/     one run folder a pool (`eval/runs/session.py`)

An arm has a settings file of its own, so that asking for more methods later leaves the pools
that are there what they were.

    pool       arm                      its method
    plain      scaling-plain            single, with log-probabilities
    clr        scaling-clr              clr, k = 1
    forced     scaling-forced           budget_forcing, k = 1
    spectrum   scaling-spectrum-NAME    majority, k = 1, of one variant of the packaged spectrum

The temperature is set on the model, for all arms alike. A settings file may hold keys of
providers: only its owner may read it.
"""

import asyncio
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import typer

from eval.live import Ended, Limits
from eval.runs.manifest import Arguments
from eval.runs.outcomes import OUTCOMES_FOLDER
from eval.runs.progress import progress
from eval.runs.session import Prepared, prepare, run_session
from eval.runs.subject import SubjectSpec
from eval.scaling.joining import Same, interleaved
from eval.scaling.pool import Kind, Pool, pools_of
from router.arms.spectrum import SPECTRUM, Variant
from router.config import load_settings
from router.errors import ConfigError, InputError, SetupError

__all__ = ["Drawn", "Wanted", "draw", "planned", "read_drawn"]

LOGPROBS = 5
SETTINGS_FOLDER, POOLS_FOLDER = "settings", "pools"


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn. `temperature` is above 0; `budget_tokens` is of forced samples,
    `check_tokens` of the call that extracts claims and of each that checks one."""

    benchmarks: tuple[str, ...]
    kinds: tuple[Kind, ...]
    model: str
    k: int
    limit: int | None
    temperature: float
    budget_tokens: int
    check_tokens: int
    seed: int
    config: str | None
    out: Path


class Drawn(NamedTuple):
    """A pool's run; several of a spectrum."""

    kind: Kind
    benchmark: str
    run: Prepared


class _Arm(NamedTuple):
    kind: Kind
    name: str
    settings: dict[str, Any]
    samples: int


def planned(wanted: Wanted) -> list[Drawn]:
    """The runs, each ready to start. Writes the settings files, and nothing else.

    Raises:
        InputError: a greedy model, an unknown benchmark or model, a folder of another run.
        ConfigError: the settings, or a method that arms cannot run.
    """
    if wanted.temperature <= 0:
        raise InputError(
            "--temperature: a greedy model repeats itself, and its samples are no new draws: "
            "set it above 0, such as 0.7"
        )
    arms = [(arm, _write_settings(wanted, arm)) for arm in _arms(wanted)]
    return [
        Drawn(arm.kind, benchmark, _prepared(wanted, benchmark, arm, file))
        for benchmark in wanted.benchmarks
        for arm, file in arms
    ]


def draw(runs: Sequence[Drawn], concurrency: int, quiet: bool) -> Ended | None:
    """Ask what is not finished, run after run; what ended early, None where all is complete."""
    for one in runs:
        typer.echo(f"{one.kind} pool: {one.run.folder}", err=True)
        with progress(quiet) as show:
            ended = asyncio.run(run_session(one.run, Limits(concurrency), show))
        if ended.reason != "complete":
            return ended
    return None


def read_drawn(runs: Sequence[Drawn]) -> list[Pool]:
    """The pools of complete runs; the variants of a spectrum as one.

    Raises:
        SetupError, InputError: a run's outcomes cannot be read, or make no pool.
    """
    from router.outcomes import read_outcomes

    found: dict[tuple[str, Kind], list[Pool]] = {}
    for one in runs:
        folder = one.run.folder.absolute() / OUTCOMES_FOLDER
        pools = pools_of(read_outcomes(folder), one.kind, str(folder))
        found.setdefault((one.benchmark, one.kind), []).extend(pools)
    made = {one.benchmark: _same(one.run) for one in runs if one.kind == "spectrum"}
    return [
        interleaved(pools, made[benchmark]) if kind == "spectrum" else pools[0]
        for (benchmark, kind), pools in found.items()
    ]


def _same(run: Prepared) -> Same:
    """Which answers are the same, by the benchmark's own equivalence."""
    questions = {question.id: question for question in run.questions}

    def number(id_: str, answers: Sequence[str]) -> Sequence[int | None]:
        return asyncio.run(run.benchmark.cluster(questions[id_], answers))

    return number


def _arms(wanted: Wanted) -> list[_Arm]:
    each = math.ceil(wanted.k / len(SPECTRUM))
    made: dict[Kind, list[_Arm]] = {
        "plain": [_arm("plain", "scaling-plain", "single", wanted.k)],
        "clr": [_arm("clr", "scaling-clr", _clr(wanted.check_tokens), wanted.k)],
        "forced": [
            _arm(
                "forced",
                "scaling-forced",
                {"name": "budget_forcing", "k": 1, "budget_tokens": wanted.budget_tokens},
                wanted.k,
            )
        ],
        "spectrum": [
            _arm("spectrum", f"scaling-spectrum-{v.name}", _variant(v), each) for v in SPECTRUM
        ],
    }
    return [
        arm._replace(settings={**arm.settings, "model": wanted.model})
        for kind in wanted.kinds
        for arm in made[kind]
    ]


def _arm(kind: Kind, name: str, method: Any, samples: int) -> _Arm:
    return _Arm(kind, name, {"method": method, "logprobs": LOGPROBS}, samples)


def _clr(tokens: int) -> dict[str, Any]:
    return {"name": "clr", "k": 1, "claim_tokens": max(16, tokens), "check_tokens": tokens}


def _variant(variant: Variant) -> dict[str, Any]:
    return {"name": "majority", "k": 1, "spectrum": [variant.model_dump(exclude_none=True)]}


def _prepared(wanted: Wanted, benchmark: str, arm: _Arm, file: Path) -> Prepared:
    arguments = Arguments(
        benchmark=benchmark,
        subject=SubjectSpec(arm=arm.name),
        samples=arm.samples,
        limit=wanted.limit,
        seed=wanted.seed,
        config=str(file),
    )
    return prepare(arguments, wanted.out / POOLS_FOLDER / f"{benchmark}-{arm.name}")


def _write_settings(wanted: Wanted, arm: _Arm) -> Path:
    import yaml

    if wanted.model not in (have := load_settings(wanted.config).models):
        raise InputError(f"--model: no model {wanted.model!r}; there are: {', '.join(have)}")
    own = _own_settings(wanted.config)
    models = own.get("models") or {}
    model = {**(models.get(wanted.model) or {}), "temperature": wanted.temperature}
    own["models"] = {**models, wanted.model: model}
    own["arms"] = {**(own.get("arms") or {}), arm.name: arm.settings}
    file = wanted.out.absolute() / SETTINGS_FOLDER / f"{arm.name}.yaml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            yaml.safe_dump(own, out, sort_keys=False)
    except OSError as error:
        raise SetupError(f"--out: cannot write {file}: {error.strerror}") from None
    if load_settings(file).models[wanted.model].temperature != wanted.temperature:
        raise ConfigError(
            f"OCKHAM_MODELS__{wanted.model.upper()}__TEMPERATURE stands above --temperature: "
            "unset it, or give both the same value"
        )
    return file


def _own_settings(config: str | None) -> dict[str, Any]:
    """The user's file as it is written, which `load_settings` has found valid; or empty."""
    import yaml

    file = Path(config or os.environ.get("OCKHAM_CONFIG") or "ockham.yaml")
    if not file.is_file():
        return {}
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
