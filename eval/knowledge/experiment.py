"""One coverage experiment: which arms, which questions, which live runs, what is made of them.

Layout of its folder:

    questions.jsonl            what is asked, of every arm in every condition
    runs/<arm>/<condition>/    live runs: killed and resumed like any other
    outcomes/                  closed-book and retrieved rows of all models, for replay
    coverage.json, index.html, *.png

What this does not do: ask (`eval/runs/session.py`), or count (`shares.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval.knowledge.drawn import draw_evenly, write_questions
from eval.runs.manifest import Arguments
from eval.runs.outcomes import OUTCOMES_FOLDER
from eval.runs.session import Prepared, prepare
from eval.runs.subject import SubjectSpec
from router.config import Settings, load_settings
from router.errors import InputError
from router.knowledge.storage import current_version
from router.settings import ArmSettings

if TYPE_CHECKING:
    from policies.outcome import OutcomeSet

__all__ = ["CLOSED", "QUESTIONS", "REFERENCE", "Pair", "Plan", "joined", "made", "prepared"]

QUESTIONS = "questions.jsonl"
CLOSED, REFERENCE = "closed", "reference"
REPLAYED = ("closed", "retrieved", "reference")
"""Conditions of the outcome table: what an arm does when it serves. With the gold passage, or
distractors, an index arm is another one under the same name."""
_SMALL_NAME = re.compile(r"(?<![\d.])(\d{1,3})m(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """A model without passages and with them."""

    arm: str
    index_arm: str
    is_small: bool
    """Embedded, or of less than 10^9 parameters by its name: the protocol, not the hypothesis."""


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line."""

    arms: tuple[str, ...]
    index_arms: tuple[str, ...]
    reference: str | None
    conditions: tuple[str, ...]
    limit: int | None
    per_field: int | None
    fields: tuple[str, ...]
    leave_out: tuple[str, ...]
    seed: int
    config: str | None
    out: Path


def made(plan: Plan) -> list[Pair]:
    """The pairs of arms. Raises `InputError` naming what is missing, before anything starts."""
    settings = load_settings(plan.config)
    if plan.reference is not None:
        _known(settings, plan.reference, "--reference")
    if plan.index_arms and len(plan.index_arms) != len(plan.arms):
        raise InputError("--index-arm: give one for every --arm, in the same order, or none")
    given = plan.index_arms or (None,) * len(plan.arms)
    return [_pair(settings, arm, index) for arm, index in zip(plan.arms, given, strict=True)]


def prepared(plan: Plan, pairs: Sequence[Pair]) -> dict[str, dict[str, Prepared]]:
    """Arm -> condition -> a run that is ready; the questions are written, nothing is asked yet.

    Raises:
        KnowledgeError: there is no index to retrieve from.
        InputError: bad arguments, or a folder of another experiment.
    """
    if "retrieved" in plan.conditions:
        settings = load_settings(plan.config)
        current_version(settings.knowledge.folder)
    file = plan.out / QUESTIONS
    asked = draw_evenly(plan.seed, plan.limit, plan.per_field, plan.fields, plan.leave_out)
    write_questions(asked, file)
    runs = {}
    for pair in pairs:
        arms = {c: pair.arm if c == CLOSED else pair.index_arm for c in plan.conditions}
        if plan.reference is not None:
            arms[REFERENCE] = plan.reference
        runs[pair.arm] = {c: _run(plan, file, pair.arm, c, arm) for c, arm in arms.items()}
    return runs


def joined(runs: Mapping[str, Mapping[str, Prepared]], plan: Plan) -> "OutcomeSet":
    """The outcome table of complete runs: every arm as it serves, over the same questions."""
    import polars as pl

    from policies.outcome import OutcomeSet
    from router.outcomes import read_outcomes

    folders = dict.fromkeys(
        run.folder for of in runs.values() for name, run in of.items() if name in REPLAYED
    )
    sets = [read_outcomes(folder.absolute() / OUTCOMES_FOLDER) for folder in folders]
    outcomes = pl.concat([one.outcomes for one in sets]).unique(
        ["query_id", "arm", "sample", "attempt"], keep="first", maintain_order=True
    )
    queries = pl.concat([one.queries for one in sets]).unique("query_id", maintain_order=True)
    about = {
        "name": "coverage",
        "kind": "coverage experiment",
        "seed": plan.seed,
        "notes": ["rows of the conditions closed, retrieved and reference; gold and distractors "
                  "are conditions of the experiment, not arms that serve"],
        "runs": [{k: v for k, v in one.about.items() if k != "schema"} for one in sets],
    }  # fmt: skip
    return OutcomeSet(outcomes, queries, about)


def _run(plan: Plan, file: Path, model: str, condition: str, arm: str) -> Prepared:
    name = CLOSED if condition == REFERENCE else condition
    arguments = Arguments(
        benchmark=f"coverage-{name}",
        subject=SubjectSpec(arm=arm),
        seed=plan.seed,
        path=str(file.absolute()),
        config=plan.config,
    )
    place = arm if condition == REFERENCE else model
    return prepare(arguments, plan.out / "runs" / place.replace("/", "_") / name)


def _pair(settings: Settings, arm: str, index_arm: str | None) -> Pair:
    own = _known(settings, arm, "--arm")
    if own.context != "none":
        raise InputError(f"--arm: {arm} reads an index; give an arm of context none")
    if index_arm is None:
        siblings = [
            name
            for name, other in settings.arms.items()
            if (other.model, other.context, other.method) == (own.model, "index", own.method)
        ]
        if not siblings:
            raise InputError(
                f"--arm: {arm} has no sibling of context index in the configuration (same model "
                "and method): add one under `arms`, or name one with --index-arm"
            )
        index_arm = siblings[0]
    if _known(settings, index_arm, "--index-arm").context != "index":
        raise InputError(f"--index-arm: {index_arm} is of context none; give one of context index")
    return Pair(arm, index_arm, _is_small(settings, own.model))


def _known(settings: Settings, arm: str, option: str) -> ArmSettings:
    if arm not in settings.arms:
        raise InputError(f"{option}: no arm {arm!r}; there are: {', '.join(settings.arms)}")
    return settings.arms[arm]


def _is_small(settings: Settings, model: str) -> bool:
    own = settings.models[model]
    embedded = own.serve == "embedded" and own.api_base is None
    return embedded or bool(own.model and _SMALL_NAME.search(own.model))
