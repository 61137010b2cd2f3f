"""A recorded table: several runs of one arm, joined into one outcome set without texts.

A plan (YAML) says what is recorded, so that one command makes the table, goes on where it was
stopped, and makes it again a year later:

    settings: settings.yaml       the router's configuration, beside the plan
    arm: small
    samples: 8
    runs:
      - {benchmark: gsm8k, limit: 200}
      - {benchmark: humaneval}

What is kept: everything that was measured, and the hash of each question. What is not: the
questions, their gold answers, and answers longer than a value (a program repeats its question).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.runs.manifest import Arguments
from eval.runs.outcomes import OUTCOMES_FOLDER
from eval.runs.session import Prepared, prepare
from eval.runs.subject import SubjectSpec
from router.errors import InputError

if TYPE_CHECKING:
    from policies.outcome import OutcomeSet

__all__ = ["LONGEST_ANSWER", "RecordPlan", "joined", "prepared_runs", "read_plan"]

LONGEST_ANSWER = 40
"""Characters: numbers, words and choices, no sentence of a question; of a program, none."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordedRun(_Strict):
    """One benchmark of the table."""

    benchmark: str
    limit: int | None = Field(default=None, ge=1)
    offset: int = Field(default=0, ge=0)
    seed: int = 0


class RecordPlan(_Strict):
    """What a recorded table consists of."""

    settings: str
    """A configuration file; relative to the plan."""
    arm: str
    samples: int = Field(ge=1)
    runs: tuple[RecordedRun, ...] = Field(min_length=1)


def read_plan(file: Path) -> RecordPlan:
    """Raises `InputError` naming the file and what is wrong in it."""
    try:
        return RecordPlan.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"--plan {file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise InputError(f"--plan {file}: is not valid YAML") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the plan"
        raise InputError(f"--plan {file}: {where}: {first['msg']}") from None


def prepared_runs(plan: RecordPlan, file: Path) -> list[Prepared]:
    """The runs, each ready to start or to go on. Raises what `prepare` raises."""
    settings = (file.parent / plan.settings).absolute()
    return [
        prepare(
            Arguments(
                benchmark=run.benchmark,
                subject=SubjectSpec(arm=plan.arm),
                samples=plan.samples,
                limit=run.limit,
                offset=run.offset,
                seed=run.seed,
                config=str(settings),
            ),
            None,
        )
        for run in plan.runs
    ]


def joined(runs: Sequence[Prepared], plan: RecordPlan) -> "OutcomeSet":
    """The table of runs that are complete."""
    import polars as pl

    from policies.outcome import OutcomeSet
    from router.outcomes import read_outcomes

    sets = [read_outcomes(run.folder.absolute() / OUTCOMES_FOLDER) for run in runs]
    outcomes = pl.concat([one.outcomes for one in sets])
    queries = pl.concat([one.queries for one in sets])
    is_value = (pl.col("answer").str.len_chars() <= LONGEST_ANSWER) & (
        pl.col("domain").fill_null("") != "code"
    )
    return OutcomeSet(
        outcomes.with_columns(
            answer=pl.when(is_value).then("answer"),
            # Of a bare arm: that arm, always.
            arm_probability=pl.lit(None, outcomes.schema["arm_probability"]),
        ),
        queries.with_columns(query=pl.lit(None, pl.String), gold=pl.lit(None, pl.String)),
        _about([dict(one.about) for one in sets], plan),
    )


def _about(abouts: Sequence[dict[str, Any]], plan: RecordPlan) -> dict[str, Any]:
    return {
        "name": f"samples of {plan.arm}",
        "kind": "recorded samples",
        "samples": plan.samples,
        "texts": "none: no question, no gold answer, no answer longer than a value; hashes only",
        "runs": [{k: v for k, v in about.items() if k != "schema"} for about in abouts],
        "notes": sorted({note for about in abouts for note in about.get("notes", ())}),
    }
