"""The live part: renumbered problems through the live runner, with a seed drawn for it.

Layout of its folder, which the same command goes on with after a kill:

    seed.json            the seed, when it was drawn, and at which commit of the code
    <arm>/<benchmark>/   a live run (`eval/runs/session.py`)

The seed is drawn once, after the code that judges stood; it decides the fresh numbers.
"""

import json
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from eval.hypothesis.memorisation import SETS, Drops, drops_of, memorisation_verdict
from eval.hypothesis.registration import FILE, Registration
from eval.hypothesis.rules import Verdict
from eval.runs.manifest import Arguments
from eval.runs.outcomes import OUTCOMES_FOLDER
from eval.runs.subject import SubjectSpec
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import read_outcomes

__all__ = ["BENCHMARKS", "drawn_seed", "live_drops", "live_memorisation", "live_seed", "run_live"]

BENCHMARKS = ("reasoning-gym-twins", "gsm8k-renumbered")
WHAT = {
    "gsm8k_test": "24 templates: as published, and twice with figures drawn anew, gold recomputed",
    "reasoning_gym_small": "6 kinds of small puzzles: ten of the recorded seed, ten of the fresh",
}
SEED_FILE = "seed.json"
_SMALLEST, _LARGEST = 1_000, 2**31


def live_seed(folder: Path) -> dict[str, Any]:
    """The folder's seed, drawn now where it has none."""
    path = folder / SEED_FILE
    if path.is_file():
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            int(found["seed"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise InputError(f"{path}: holds no seed ({error}); choose another folder") from None
        return found
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "seed": _SMALLEST + secrets.randbelow(_LARGEST - _SMALLEST),
        "drawn": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
    }
    path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return made


def drawn_seed(folder: Path) -> int | None:
    """The folder's seed; None where none was drawn."""
    return int(live_seed(folder)["seed"]) if (folder / SEED_FILE).is_file() else None


def run_live(folder: Path, arms: Sequence[str], config: str | None, concurrency: int) -> None:
    """Ask every arm both sets; leaves by the runner's exit codes where it cannot finish."""
    from eval.live import Limits
    from eval.runs.commands import sit
    from eval.runs.session import prepare

    seed = int(live_seed(folder)["seed"])
    for arm in arms:
        for name in BENCHMARKS:
            arguments = Arguments(
                benchmark=name, subject=SubjectSpec(arm=arm), seed=seed, config=config
            )
            run = prepare(arguments, _place(folder, arm, name))
            sit(run, Limits(concurrency=concurrency), "local", False, True)


def live_drops(folder: Path, arms: Sequence[str]) -> Mapping[str, Drops]:
    """Arm -> what its finished runs say, over the sets that all of the arms have finished."""
    found = {}
    done = [
        name
        for name in BENCHMARKS
        if all((_results(folder, arm, name) / "outcomes.parquet").is_file() for arm in arms)
    ]
    for arm in arms:
        sets = [read_outcomes(_results(folder, arm, name).absolute()) for name in done]
        if sets:
            outcomes = pl.concat([one.outcomes for one in sets])
            queries = pl.concat([one.queries for one in sets])
            found[arm] = drops_of(OutcomeSet(outcomes, queries, {}))
    return found


def live_memorisation(
    registration: Registration, folder: Path | None, small: str, large: str | None, seed: int
) -> Verdict:
    """P3 on the runs of a folder, with what they were and which of them are finished.

    Args:
        folder: None: there was no live run.
        seed: of the resamples.
    """
    drops = live_drops(folder, [small, *([large] if large else [])]) if folder else {}
    notes: tuple[str, ...] = ()
    if folder and drops:
        drawn = live_seed(folder)
        finished = {kind for one in drops.values() for kind in one.kinds}
        notes = (
            f"seed {drawn['seed']}, drawn {drawn['drawn']} at commit {drawn['commit']}",
            *(f"{'' if k in finished else 'not '}finished: {SETS[k]}, {WHAT[k]}" for k in SETS),
        )
        if large is None:
            notes = (*notes, "a protocol proof: one model alone says nothing of the hypothesis")
    return memorisation_verdict(registration, drops, small, large, seed, notes)


def _results(folder: Path, arm: str, benchmark: str) -> Path:
    return _place(folder, arm, benchmark) / OUTCOMES_FOLDER


def _place(folder: Path, arm: str, benchmark: str) -> Path:
    return folder / arm.replace("/", "_") / benchmark


def _commit() -> str | None:
    """Of the code as it stands; marked where files differ from it."""
    try:
        done = subprocess.run(
            ["git", "-C", str(FILE.parent), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode().strip() or None if done.returncode == 0 else None
