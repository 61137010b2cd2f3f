"""What the logging policy was asked and answered, decision by decision.

From `decisions.parquet` beside an exported set: for every decision the chance of every arm, what
could be run, and what it was predicted to cost. Without that file the chances of the attempts'
own rows stand, and the rest is not known (`Decided.plain`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from router.errors import InputError
from router.outcomes import outcomes_dir

__all__ = ["Decided", "sidecar"]

Floats = NDArray[np.float64]
FORCED = (
    "the step limit is reached",
    "the time limit is reached",
    "the answer has been shown",
    "the policy chose",
)
"""Beginnings of the reasons of a stop that no policy made (`router.graph`)."""


@dataclass(frozen=True)
class Decided:
    """n requests, K attempts at most, so K + 1 decisions, A arms."""

    chance: Floats
    """(n, K + 1, A); of the decision to stop too."""
    stop: Floats
    """(n,) chance of the decision to stop; NaN where it was not logged."""
    available: NDArray[np.bool_]
    """(n, K + 1, A)."""
    predicted: Floats
    """(n, K + 1, A) USD, NaN where it was not logged."""
    worst: Floats
    forced: NDArray[np.bool_]
    """(n,) a limit stopped the run, whatever its policy would have done."""

    @classmethod
    def plain(cls, rows: Sequence[Any], place: Mapping[str, int], most: int) -> "Decided":
        """From the attempts' own probabilities: a list of (arm, probability) an attempt."""
        made = cls._empty(len(rows), most, len(place))
        for i, steps in enumerate(rows):
            for k, listed in enumerate(steps):
                for one in listed:
                    made.chance[i, k, place[one["arm"]]] = one["probability"]
        return made

    @classmethod
    def read(
        cls,
        frame: pl.DataFrame,
        ids: Sequence[str],
        tried: Sequence[Sequence[str]],
        place: Mapping[str, int],
    ) -> "Decided":
        """From the sidecar; `tried` are the arms of each request's attempts, in order.

        Raises:
            InputError: a request has no decision for one of its attempts.
        """
        made = cls._empty(len(ids), max(map(len, tried)), len(place))
        by_request: dict[str, list[dict[str, Any]]] = {}
        for row in frame.sort("query_id", "place").iter_rows(named=True):
            by_request.setdefault(row["query_id"], []).append(row)
        for i, (name, arms) in enumerate(zip(ids, tried, strict=True)):
            made._fill(i, name, by_request.get(name, []), list(arms), place)
        return made

    @classmethod
    def _empty(cls, n: int, most: int, arms: int) -> "Decided":
        wide = (n, most + 1, arms)
        return cls(
            chance=np.zeros(wide),
            stop=np.full(n, np.nan),
            available=np.ones(wide, dtype=bool),
            predicted=np.full(wide, np.nan),
            worst=np.full(wide, np.nan),
            forced=np.zeros(n, dtype=bool),
        )

    def _fill(
        self,
        i: int,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        tried: Sequence[str],
        place: Mapping[str, int],
    ) -> None:
        """One request. A decision whose arm was refused by the budget led to no attempt: the
        policy was asked again, with that arm gone, and that decision counts."""
        own = [row for row in rows if row["arm"] in tried]
        if [row["arm"] for row in own] != list(tried):
            raise InputError(
                f"--off-policy: decisions.parquet does not tell how request {name} came to "
                f"{', '.join(tried)}; export it again with `ockham ledger export`"
            )
        end = [row for row in rows if row["arm"] is None][-1:]
        for k, row in enumerate([*own, *end]):
            for arm in row["arms"]:
                at = place[arm["arm"]]
                self.chance[i, k, at] = arm["probability"]
                self.available[i, k, at] = arm["available"]
                self.predicted[i, k, at] = _number(arm["predicted_cost_usd"])
                self.worst[i, k, at] = _number(arm["worst_cost_usd"])
        for row in end:
            self.stop[i] = _number(row["probability"])
            self.forced[i] = any(str(why).startswith(FORCED) for why in row["reasons"])


def sidecar(source: str, name: str) -> pl.DataFrame | None:
    """A further table of an exported set; None where it has none."""
    for place in (outcomes_dir() / source, Path(source)):
        if (place / name).is_file():
            try:
                return pl.read_parquet(place / name)
            except (OSError, pl.exceptions.PolarsError) as error:
                raise InputError(f"{place / name} cannot be read: {error}") from None
    return None


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
