"""One sitting of a live run: read what was asked for, take the folder, open a subject, ask.

The folder of a run is named after what decides its numbers, so the same command finds its
own folder again and goes on. Layout:

    manifest.json     what the run is (`eval/runs/manifest.py`)
    journal.sqlite    every try (`eval/runs/journal.py`), with its lock beside it
    outcomes/         the outcome set, written when the run is complete
    *.eval            the same as an Inspect log
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.benchmarks.benchmark import Benchmark, Question, create
from eval.live import Ended, Limits, Plan, run_plan
from eval.runs.journal import LOCK_FILE, Journal, now
from eval.runs.manifest import (
    MANIFEST_FILE,
    Arguments,
    Manifest,
    check_same,
    fingerprint,
    make_manifest,
    read_manifest,
    write_manifest,
)
from eval.runs.subject import RouterSubject, Subject
from eval.runs.tally import Tally, tally_of
from eval.runs.tries import Try
from policies.policy import Policy
from router.config import Settings, load_settings
from router.errors import InputError
from router.facade import Router
from router.paths import data_dir

__all__ = ["Engine", "Prepared", "prepare", "run_session", "write_partial", "write_results"]

Engine = Literal["local", "ray"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready to start: nothing was written yet."""

    folder: Path
    manifest: Manifest
    benchmark: Benchmark
    questions: Sequence[Question]
    settings: Settings
    policy: Policy

    @property
    def plan(self) -> Plan:
        """What the runner is given."""
        arguments = self.manifest.arguments
        return Plan(
            self.benchmark, self.questions, arguments.samples, arguments.subject, self.policy
        )


def prepare(arguments: Arguments, out: Path | None) -> Prepared:
    """Everything that can be wrong with the arguments is said here, before a server starts.

    Raises:
        InputError: unknown benchmark or arm, no such questions, a folder of another run.
        ConfigError: the settings, or the policy.
    """
    benchmark = create(arguments.benchmark)
    settings = load_settings(arguments.config)
    arguments = _with_params(arguments, settings)
    policy = arguments.subject.make(settings)
    questions = _questions(benchmark, arguments)
    manifest = make_manifest(
        arguments, benchmark, questions, settings, policy, created=now(), command=sys.argv[1:]
    )
    name = f"{benchmark.name}-{arguments.subject.name}-{fingerprint(manifest)}"
    folder = out or data_dir() / "runs" / name.replace("/", "_")
    manifest = _adopted(folder, manifest)
    return Prepared(folder, manifest, benchmark, questions, settings, policy)


async def run_session(
    run: Prepared,
    limits: Limits,
    show: Callable[[Tally], None],
    *,
    engine: Engine = "local",
    retry_failed: bool = False,
) -> Ended:
    """Ask what is not finished, then write the results of a complete run.

    Raises:
        InputError: another process has the folder, or its journal is damaged.
        NoAnswerError: the arm cannot be run at all; nothing was asked.
    """
    with Journal.open(run.folder) as journal:
        # Again, now that nobody else can write: two first sittings may have met here.
        if _adopted(run.folder, run.manifest) is run.manifest:
            write_manifest(run.manifest, run.folder)
        if retry_failed:
            journal.supersede_failed()
        tally, _ = tally_of(run.manifest.planned, journal.tries())
        if tally.finished == tally.planned:
            ended = Ended("complete", tally)
        else:
            async with _subject(run, engine, limits.concurrency) as subject:
                ended = await run_plan(run.plan, subject, journal, limits, show)
        if ended.reason == "complete":
            # In a thread: Inspect and the clustering run event loops of their own.
            await asyncio.to_thread(write_results, run, journal.tries())
    return ended


def write_partial(run: Prepared) -> None:
    """The results of what is finished so far. Raises `InputError` where no run was started."""
    read_manifest(run.folder)
    with Journal.open(run.folder) as journal:
        write_results(run, journal.tries())


def write_results(run: Prepared, tries: Sequence[Try]) -> None:
    """The outcome set and the Inspect log of what a journal holds."""
    from eval.runs.inspect_log import write_inspect_log
    from eval.runs.outcomes import write_live_outcomes

    write_live_outcomes(run.folder, run.manifest, run.questions, tries, run.benchmark)
    write_inspect_log(run.folder, run.manifest, run.benchmark, run.questions, tries)


@asynccontextmanager
async def _subject(run: Prepared, engine: Engine, concurrency: int) -> AsyncIterator[Subject]:
    async with Router(run.settings, run.policy) as router:
        subject = RouterSubject(router, run.policy, run.benchmark.max_tokens)
        await subject.check(run.questions[0])
        if engine == "local":
            yield subject
            return
        from eval.runs.ray_engine import ray_subject

        spec, cap = run.manifest.arguments.subject, run.benchmark.max_tokens
        async with ray_subject(router, subject, spec, cap, concurrency) as spread:
            yield spread


def _questions(benchmark: Benchmark, arguments: Arguments) -> Sequence[Question]:
    """The first `limit` from `offset` on, in the benchmark's own order."""
    path = Path(arguments.path) if arguments.path else None
    every = benchmark.questions(path, arguments.seed)
    end = None if arguments.limit is None else arguments.offset + arguments.limit
    chosen = every[arguments.offset : end]
    if not chosen:
        raise InputError(f"--offset: {benchmark.name} has {len(every)} questions, none is left")
    seen: set[str] = set()
    for question in chosen:
        if question.id in seen:
            raise InputError(f"--benchmark: {benchmark.name} has two questions {question.id!r}")
        seen.add(question.id)
    return chosen


def _with_params(arguments: Arguments, settings: Settings) -> Arguments:
    """The configured policy, asked for by its name, keeps its configured parameters."""
    spec = arguments.subject
    if spec.policy != settings.policy.name or spec.params:
        return arguments
    spec = spec.model_copy(update={"params": dict(settings.policy.params)})
    return arguments.model_copy(update={"subject": spec})


def _adopted(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest that is in the folder, if it is of the same run; else the new one."""
    if (folder / MANIFEST_FILE).is_file():
        old = read_manifest(folder)
        check_same(old, manifest, folder)
        return old
    if folder.is_file():
        raise InputError(f"--out: {folder} is a file, a folder is needed")
    if folder.is_dir() and not (folder / LOCK_FILE).exists() and any(folder.iterdir()):
        raise InputError(f"--out: {folder} is not empty and holds no run: choose another folder")
    return manifest
