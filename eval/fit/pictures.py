"""The pictures of `ockham signals eval`, as PNG files.

    plane.png         families and written prompts on the two axes, the policy's regions
    reliability.png   stated against observed, both axes
    contenders.png    AUROC of the head and of everything that it is compared with

The functions take plain arrays; `draw` reads a report through the `Report` protocol.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.compare import wilson
from eval.fit.canvas import canvas, looks, png, title
from eval.fit.linear import Interval, Reals
from eval.fit.plane import Place, Spot, plane
from eval.fit.table import Table
from eval.metrics.calibration import ece
from eval.report.style import GREY, INK
from router.signals.head import AXES

__all__ = ["Bin", "Report", "Series", "bins_of", "contenders", "draw", "reliability", "spots_of"]

BINS = 10
_SERIES = (("#0072B2", "o"), ("#B84E00", "s"))
_ROW = 27.0


class Report(Protocol):
    """What `draw` reads of an evaluation."""

    @property
    def seed(self) -> int:
        """Of the folds."""

    @property
    def held_out(self) -> Mapping[str, Reals]:
        """Axis -> (n,) probabilities in the order of the table's rows, each from a head that
        had not seen the row's group; NaN where unknown."""

    @property
    def contenders(self) -> Mapping[str, Mapping[str, Interval]]:
        """Name -> axis -> AUROC, in the order to be shown; the first is ours."""


@dataclass(frozen=True)
class Series:
    """Held-out probabilities (n,) and labels (n,) of 0 and 1."""

    name: str
    probabilities: Reals
    labels: Reals


@dataclass(frozen=True)
class Bin:
    """Mean probability, and share of ones with Wilson's 95 % interval."""

    probability: float
    share: float
    low: float
    high: float
    n: int


def draw(report: Report, table: Table, folder: Path) -> list[Path]:
    """Write the three pictures; the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    held = np.column_stack([report.held_out[axis] for axis in AXES])
    spots, missing = spots_of(table, held)
    both = ~np.isnan(held).any(axis=1)
    groups = len(set(table.groups.tolist()))
    rows = f"n = {both.sum():,} rows, {groups} groups, seed {report.seed}"
    without = f"; no label on an axis: {', '.join(missing)}" if missing else ""
    panels = [(_plain(axis), _series(table, axis, report.held_out[axis])) for axis in AXES]
    made = {
        "plane": plane(
            spots,
            held[both],
            f"markers: means of held-out probabilities; dots: rows; {rows}{without}",
        ),
        "reliability": reliability(
            panels,
            f"held-out probabilities, {BINS} bins of equal mass, bars: Wilson's 95 % (rows taken "
            f"as independent); seed {report.seed}",
        ),
        "contenders": contenders(
            [(name, [by.get(a) for a in AXES]) for name, by in report.contenders.items()],
            [_plain(axis) for axis in AXES],
            f"held-out groups, bars: 95 % intervals; seed {report.seed}",
        ),
    }
    paths = []
    for name, data in made.items():
        paths.append(folder / f"{name}.png")
        paths[-1].write_bytes(data)
    return paths


def spots_of(table: Table, held: Reals) -> tuple[list[Spot], list[str]]:
    """Families and the written prompts' corners, from (n, 2); and families that have no place.

    A family's mean is taken axis by axis, over the rows that have a probability.
    """
    places = [(e.verifiability, e.knowledge_demand) for e in table.examples]
    written = table.written
    spots, missing = [], []
    for name in sorted(set(table.groups[~written].tolist())):
        mask = (table.groups == name) & ~written
        found = {places[i] for i in np.flatnonzero(mask)}
        at = _place(found)
        spot = _spot(name.replace("_", " "), held, mask, at, False)
        spots += [spot] if spot else []
        missing += [] if spot else [name]
    for at in ((1, 0), (0, 1), (0, 0), (1, 1)):
        mask = written & np.array([p == at for p in places], dtype=bool)
        spot = _spot(f"written ({at[0]}, {at[1]})", held, mask, at, True)
        spots += [spot] if spot else []
    return spots, missing


def reliability(panels: Sequence[tuple[str, Sequence[Series]]], caption: str) -> bytes:
    """A PNG: share of ones over stated probability, a panel an axis; below, counts of rows."""
    side, low, step = 300.0, 70.0, 370.0
    boxes: list[tuple[float, float, float, float]] = []
    for i in range(len(panels)):
        boxes += [(60 + i * step, 125, side, side), (60 + i * step, 40, side, low)]
    with looks():
        figure, axes = canvas(step * len(panels) + 15, side + 185, boxes)
        for i, (name, series) in enumerate(panels):
            _reliable(axes[2 * i], name, series)
            _counts(axes[2 * i + 1], series)
        title(figure, "Does the head mean its probabilities?", caption)
        return png(figure)


def bins_of(series: Series, bins: int = BINS) -> list[Bin]:
    """The bins of `eval.metrics.calibration.ece`: of equal mass, equal values in one of them."""
    p, y = series.probabilities, series.labels
    _, block = np.unique(p, return_inverse=True)
    mass = np.bincount(block)
    middle = (np.cumsum(mass) - mass / 2) / len(p)
    home = np.minimum((middle * bins).astype(np.intp), bins - 1)[block]
    out = []
    for b in np.unique(home):
        share = wilson(float(y[home == b].sum()), int((home == b).sum()))
        out.append(Bin(float(p[home == b].mean()), share.value, share.low, share.high, share.n))
    return out


def contenders(
    rows: Sequence[tuple[str, Sequence[Interval | None]]], titles: Sequence[str], caption: str
) -> bytes:
    """A PNG: AUROC with intervals, a row a contender in the order given, a panel an axis."""
    tall, wide, step = _ROW * len(rows), 210.0, 315.0
    boxes = [(140 + step * i, 45.0, wide, tall) for i in range(len(titles))]
    ends = [v for _, cells in rows for c in cells if c for v in (c.value, c.low, c.high)]
    left = min([0.47, *ends]) - 0.03
    with looks():
        figure, panels = canvas(140 + step * len(titles), tall + 105, boxes)
        for i, (axes, name) in enumerate(zip(panels, titles, strict=True)):
            for j, (row, cells) in enumerate(rows):
                _dot(axes, row if i == 0 else "", cells[i], tall - _ROW * (j + 0.5), j == 0)
            n = sorted({cells[i].n for _, cells in rows if (cells[i])})  # type: ignore[union-attr]
            axes.axvline(0.5, color=GREY, lw=1, ls=(0, (2, 3)), zorder=0)
            axes.set(xlim=(left, 1.005), ylim=(0, tall), yticks=[])
            axes.grid(axis="x", color="#EEEEEE", lw=0.8)
            axes.set_axisbelow(True)
            axes.set_xlabel(f"AUROC, {name} (n = {', '.join(f'{v:,}' for v in n)})")
        title(figure, "Who ranks held-out queries best along each axis?", caption)
        return png(figure)
