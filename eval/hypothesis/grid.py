"""Models x items: the one shape that every table has when size slopes are fitted on it.

A cell is the mean score of one model on one item (a subject, a benchmark). Cells that a
population lacks are nan. Nothing here knows where a number came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.families import family_of

__all__ = ["KNOWLEDGE", "TOP", "VERIFIABLE", "Grid", "grid_of", "logit"]

VERIFIABLE, KNOWLEDGE = 0, 1
TOP = 0.99
"""A cell above it is censored there: kept as "at least"."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """(m,) models, (i,) items, (m, i) cells.

    `mean` is a share of right answers, nan where the model was not run; `n` its questions.
    """

    models: tuple[str, ...]
    places: tuple[str, ...]
    """Which source a row is from: one model may be in several, with other prompts."""
    total: Floats
    active: Floats
    """Parameters, billions; `active` is `total` for dense models."""
    items: tuple[str, ...]
    axis: Ints
    floor: Floats
    """Right by guessing: 1 / options, 0 where nothing can be guessed."""
    mean: Floats
    n: Floats

    @property
    def families(self) -> list[str]:
        """Of each row."""
        return [family_of(model)[0] for model in self.models]

    @property
    def strata(self) -> list[str]:
        """Family x era x source of each row: what shares an intercept."""
        return [
            "|".join((*family_of(model), place))
            for model, place in zip(self.models, self.places, strict=True)
        ]

    @property
    def held(self) -> NDArray[np.bool_]:
        """Cells that there are."""
        return ~np.isnan(self.mean) & (self.n > 0)

    @property
    def distinct(self) -> int:
        """Models by name, counted once."""
        return len(set(self.models))

    @property
    def questions(self) -> int:
        """Questions of all items; the widest cell counts for an item."""
        widest = np.where(self.held, self.n, 0).max(axis=0, initial=0)
        return int(widest.sum())

    def rows(self, which: NDArray[np.bool_]) -> "Grid":
        """The same for some models; items that none of them has are left out."""
        index = np.flatnonzero(which)
        kept = (self.held[index]).any(axis=0)
        return replace(
            self,
            models=tuple(self.models[i] for i in index),
            places=tuple(self.places[i] for i in index),
            total=self.total[index],
            active=self.active[index],
            items=tuple(np.array(self.items, dtype=object)[kept].tolist()),
            axis=self.axis[kept],
            floor=self.floor[kept],
            mean=self.mean[index][:, kept],
            n=self.n[index][:, kept],
        )

    def on_both_axes(self) -> "Grid":
        """Models with a cell on each axis: a slope of one axis has to be the other's peer."""
        both = np.ones(len(self.models), dtype=bool)
        for axis in (VERIFIABLE, KNOWLEDGE):
            both &= self.held[:, self.axis == axis].any(axis=1)
        return self.rows(both)

    def two_sizes(self) -> dict[str, list[str]]:
        """Family -> its strata with two sizes: all that within-family slopes rest on."""
        sizes: dict[str, set[float]] = {}
        for stratum, size in zip(self.strata, self.total, strict=True):
            sizes.setdefault(stratum, set()).add(round(float(np.log10(size)), 3))
        found: dict[str, list[str]] = {}
        for stratum, seen in sizes.items():
            if len(seen) > 1:
                found.setdefault(stratum.split("|")[0], []).append(stratum)
        return found


def logit(share: Floats) -> Floats:
    """Log-odds."""
    return np.log(share) - np.log1p(-share)


def grid_of(
    cells: Sequence[tuple[str, str, float | None, float | None, str, str, float, float, float]],
) -> Grid:
    """From rows (model, place, total, active, item, axis, floor, mean, n); no size: left out.

    A cell that stands there twice is averaged.
    """
    sized = [c for c in cells if c[2] is not None and c[2] > 0]
    rows = list(dict.fromkeys((c[0], c[1]) for c in sized))
    items = list(dict.fromkeys(c[4] for c in sized))
    at, to = {r: k for k, r in enumerate(rows)}, {i: k for k, i in enumerate(items)}
    shape = (len(rows), len(items))
    total, count, n = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    size, active = np.ones(len(rows)), np.ones(len(rows))
    axis, floor = np.zeros(len(items), dtype=np.int64), np.zeros(len(items))
    for model, place, whole, part, item, name, guess, mean, asked in sized:
        m, i = at[model, place], to[item]
        assert whole is not None
        size[m], active[m] = whole, part or whole
        axis[i], floor[i] = (VERIFIABLE if name == "verifiable" else KNOWLEDGE), guess
        total[m, i] += mean
        count[m, i] += 1
        n[m, i] = max(n[m, i], asked)
    with np.errstate(invalid="ignore"):
        mean_of = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Grid(
        tuple(r[0] for r in rows), tuple(r[1] for r in rows), size, active, tuple(items),
        axis, floor, mean_of, n,
    )  # fmt: skip
