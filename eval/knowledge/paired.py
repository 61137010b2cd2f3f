"""The runs of an experiment side by side: one row a question, one column a condition.

What: reading the conditions' journals, joining them over the questions that are finished in all
of them, and telling whether what was read held the answer. What not: statistics.

A failed sample is finished, with its status, and counts 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.knowledge.questions import FactQuestion, holds
from eval.runs.tries import read_tries
from policies.outcome import Status
from router.errors import InputError

__all__ = ["Column", "Paired", "join"]

NEEDED = ("closed", "gold", "retrieved")
"""Conditions without which nothing can be said."""


@dataclass(frozen=True)
class Column:
    """One condition, (n,) each, in the order of the questions."""

    score: NDArray[np.float64]
    abstained: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    found: NDArray[np.bool_]
    """What was read holds the answer; false where nothing was read."""
    read: NDArray[np.bool_]
    """Passages were read at all."""
    passed: NDArray[np.bool_]
    """The answer passed its run-time check."""
    p_right: NDArray[np.float64]
    """What the check says of it, P(right); 0 where it says nothing."""
    cost: NDArray[np.float64]
    basis: tuple[str, ...]
    """Where the prices come from, each once."""
    model: str


@dataclass(frozen=True)
class Paired:
    """One pair of arms (and a reference) over the same questions."""

    arm: str
    index_arm: str
    reference: str | None
    questions: tuple[FactQuestion, ...]
    planned: int
    columns: Mapping[str, Column]
    """`closed`, `gold`, `retrieved`, `distractors`; `reference` where there is one."""

    @property
    def countries(self) -> NDArray[np.str_]:
        """What a bootstrap keeps whole."""
        return np.array([q.code for q in self.questions])


def join(
    arm: str,
    index_arm: str,
    reference: str | None,
    questions: Sequence[FactQuestion],
    folders: Mapping[str, Path],
) -> Paired:
    """The questions that are finished in the three conditions; a run of distractors or of a
    reference that has not finished all of those is left out.

    Raises:
        InputError: no question is finished in all conditions.
    """
    rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in NEEDED}
    rows |= {name: _rows(folder) for name, folder in folders.items()}
    asked = tuple(q for q in questions if all(q.id in rows[name] for name in NEEDED))
    whole = {n: found for n, found in rows.items() if all(q.id in found for q in asked)}
    if not asked:
        counts = ", ".join(f"{name} {len(found)}" for name, found in rows.items())
        raise InputError(
            f"{arm}: no question is finished in all conditions yet ({counts}): run the same "
            "command again to go on"
        )
    columns = {name: _column(asked, found) for name, found in whole.items()}
    return Paired(arm, index_arm, reference, asked, len(questions), columns)


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Question -> the returned row of its finished sample."""
    return {
        t.question: next(row for row in t.result["rows"] if row["returned"])
        for t in read_tries(folder)
        if t.finished and t.result is not None
    }


def _column(asked: Sequence[FactQuestion], rows: Mapping[str, dict[str, Any]]) -> Column:
    own = [rows[q.id] for q in asked]
    status = [row["status"] for row in own]
    return Column(
        score=np.array([float(row.get("score") or 0.0) for row in own]),
        abstained=np.array([s == Status.ABSTAINED for s in status]),
        failed=np.array([s == Status.FAILED for s in status]),
        found=np.array([_holds(q, row) for q, row in zip(asked, own, strict=True)]),
        read=np.array([bool(row.get("passages")) for row in own]),
        passed=np.array([row.get("verdict") == "passed" for row in own]),
        p_right=np.array([float(row.get("verdict_confidence") or 0.0) for row in own]),
        cost=np.array([float(row.get("cost_usd") or 0.0) for row in own]),
        basis=tuple(
            dict.fromkeys(str(r["price_snapshot"]) for r in own if r.get("price_snapshot"))
        ),
        model=next((str(r["model"]) for r in own if r.get("model")), "unknown"),
    )


def _holds(question: FactQuestion, row: Mapping[str, Any]) -> bool:
    passages = row.get("passages") or ()
    return any(holds(question, p["source"], p["title"], p["text"]) for p in passages)
