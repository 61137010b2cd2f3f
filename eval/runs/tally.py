"""How far a live run is: samples, cost, score so far, all sittings together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.runs.tries import Try

__all__ = ["Tally", "returned_score", "tally_of"]


@dataclass(frozen=True, slots=True)
class Tally:
    """Where the run stands, all sittings together."""

    planned: int
    done: int = 0
    failed: int = 0
    interrupted: int = 0
    """Tries, not samples."""
    spent_usd: float = 0.0
    """Settled tries, and the worst cases of interrupted ones."""
    interrupted_usd: float = 0.0
    """The worst cases of interrupted tries among them: paid once, not once a sample."""
    score: float = 0.0
    """Sum over the answers that were returned; a failed sample counts 0."""

    @property
    def expected_usd(self) -> float | None:
        """Of the whole run, at the mean of the finished samples; None before the first."""
        if not self.finished:
            return None
        settled = self.spent_usd - self.interrupted_usd
        return settled / self.finished * self.planned + self.interrupted_usd

    @property
    def finished(self) -> int:
        """Samples that will not be asked again."""
        return self.done + self.failed


def tally_of(planned: int, tries: Sequence[Try]) -> tuple[Tally, set[tuple[str, int]]]:
    """The count of a journal, and which samples are finished."""
    finished = {(t.question, t.sample) for t in tries if t.finished}
    tally = Tally(
        planned=planned,
        done=sum(t.state == "done" for t in tries),
        failed=sum(t.state == "failed" for t in tries),
        interrupted=sum(t.state == "interrupted" for t in tries),
        spent_usd=sum(t.charged_usd for t in tries),
        interrupted_usd=sum(t.charged_usd for t in tries if t.state == "interrupted"),
        score=sum(returned_score(t.result["rows"]) for t in tries if t.finished and t.result),
    )
    return tally, finished


def returned_score(rows: Sequence[Mapping[str, Any]]) -> float:
    """What the returned answer counts: 0 where there is none."""
    return float(next((r.get("score") or 0.0 for r in rows if r["returned"]), 0.0))
