"""The pictures of `ockham signals eval`, as PNG files.

    plane.png         families and written prompts on the two axes, the policy's regions
    reliability.png   stated against observed, both axes
    contenders.png    AUROC of the head and of everything that it is compared with

The functions take plain arrays; `draw` reads a report through the `Report` protocol.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval
from eval.fit.linear import Reals
from eval.fit.plane import Place, Spot, plane
from eval.fit.reliability import BINS, Series, reliability
from eval.fit.table import Table
from eval.report.canvas import canvas, looks, png, title
from eval.report.style import GREY, INK
from router.signals.head import AXES

__all__ = ["Report", "contenders", "draw", "plane", "reliability", "spots_of"]

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
        """Name -> axis -> mean AUROC over n pairs of held-out families, one of each label;
        in the order to be shown, the first is ours."""


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
            [_ranked(report, axis) for axis in AXES],
            f"each pair ranked by a fit that saw neither family; bars: 95 % intervals over "
            f"families; dotted: chance; seed {report.seed}",
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


def contenders(
    rows: Sequence[tuple[str, Sequence[Interval | None]]], titles: Sequence[str], caption: str
) -> bytes:
    """A PNG: AUROC with intervals, a row a contender in the order given, a panel a title."""
    tall, wide, step = _ROW * len(rows), 210.0, 345.0
    boxes = [(120 + step * i, 45.0, wide, tall) for i in range(len(titles))]
    ends = [v for _, cells in rows for c in cells if c for v in (c.value, c.low, c.high)]
    left = float(np.nanmin([0.47, *ends])) - 0.03
    with looks():
        figure, panels = canvas(110 + step * len(titles), tall + 90, boxes)
        for i, (axes, name) in enumerate(zip(panels, titles, strict=True)):
            for j, (row, cells) in enumerate(rows):
                _dot(axes, row if i == 0 else "", cells[i], tall - _ROW * (j + 0.5), j == 0)
            axes.axvline(0.5, color=GREY, lw=1, ls=(0, (2, 3)), zorder=0)
            axes.set(xlim=(left, 1.005), ylim=(0, tall), yticks=[])
            axes.grid(axis="x", color="#EEEEEE", lw=0.8)
            axes.set_axisbelow(True)
            axes.set_xlabel(name)
        title(figure, "Who ranks queries best along each axis?", caption)
        return png(figure)


def _place(found: set[tuple[int | None, int | None]]) -> Place | None:
    whole = [(v, k) for v, k in found if v is not None and k is not None]
    return whole[0] if len(whole) == 1 else None


def _spot(
    name: str, held: Reals, mask: NDArray[np.bool_], place: Place | None, written: bool
) -> Spot | None:
    columns = [held[mask, i] for i in range(len(AXES))]
    known = [c[~np.isnan(c)] for c in columns]
    if not all(len(c) for c in known):
        return None
    x, y = (float(c.mean()) for c in known)
    return Spot(name, x, y, place, written)


def _series(table: Table, axis: str, probabilities: Reals) -> list[Series]:
    labels = np.array([np.nan if v is None else v for v in table.labels(axis)], dtype=np.float64)
    known = ~np.isnan(labels) & ~np.isnan(probabilities)
    parts = {"benchmarks": known & ~table.written, "written prompts": known & table.written}
    return [Series(name, probabilities[m], labels[m]) for name, m in parts.items() if m.any()]


def _dot(axes: Any, name: str, cell: Interval | None, y: float, ours: bool) -> None:
    where, colour = axes.get_yaxis_transform(), "#0072B2" if ours else INK
    style = {"va": "center", "color": colour, "weight": "bold" if ours else "normal"}
    axes.text(-0.04, y, name, ha="right", transform=where, **style)
    if cell is None or np.isnan(cell.value):
        return
    arms = [[max(cell.value - cell.low, 0)], [max(cell.high - cell.value, 0)]]
    axes.errorbar([cell.value], [y], xerr=arms, fmt="o", color=colour, ms=5.5, elinewidth=1.4)
    text = f"{cell.value:.3f} [{cell.low:.3f}, {cell.high:.3f}]"
    axes.text(1.03, y, text, ha="left", transform=where, **style)


def _plain(axis: str) -> str:
    return axis.replace("_", " ")


def _ranked(report: Report, axis: str) -> str:
    n = max((by[axis].n for by in report.contenders.values() if axis in by), default=0)
    return f"{_plain(axis)}: mean AUROC over {n:,} pairs of families"
