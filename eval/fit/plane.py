"""The plane: families by the mean of their held-out probabilities, on the policy's regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.fit.spread import spread
from eval.report.canvas import SIZE, canvas, looks, png, title
from policies.verifiability import Verifiability

__all__ = ["COLOURS", "Place", "Spot", "labels_of", "plane"]

_Reals = NDArray[np.float64]
Place = tuple[int, int]
"""Labels: verifiability, knowledge demand."""
COLOURS: dict[Place, str] = {
    (1, 0): "#0072B2", (0, 1): "#B84E00", (0, 0): "#00795A", (1, 1): "#A3467A"
}  # fmt: skip
"""Okabe and Ito's, darkened to be read on white."""
_MIXED = "#555555"
_LEGEND: dict[Place, str] = {
    (1, 0): "checkable, no facts needed", (0, 1): "facts needed",
    (0, 0): "neither (open)", (1, 1): "both",
}  # fmt: skip
_SIDE = 590.0
_ACROSS, _UP = (-0.13, 1.13), (-0.08, 1.08)
_TINTS = {"facts": "#FDF3EA", "checkable": "#EAF3FA", "open": "#EDF6F1"}
_LINE, _LETTER = 11.5, 0.6 * SIZE
"""Height of a line, width of a letter."""
_FAR = 9.0


@dataclass(frozen=True)
class Spot:
    """A named mean on the plane; `place` is what its labels say, None where they are mixed."""

    name: str
    x: float
    y: float
    place: Place | None = None
    written: bool = False
    """Of the prompts written for this project: drawn as a star."""


def plane(spots: Sequence[Spot], rows: NDArray[np.floating[Any]], caption: str) -> bytes:
    """A PNG: spots over all rows (m, 2), columns verifiability and knowledge demand, 0..1.

    Shaded: where the policy `verifiability` starts, with its own thresholds.
    """
    with looks():
        figure, (axes,) = canvas(_SIDE + 75, _SIDE + 100, [(55, 40, _SIDE, _SIDE)])
        _regions(axes)
        axes.plot(rows[:, 0], rows[:, 1], ".", color="#777777", ms=2.2, alpha=0.2, mew=0, zorder=1)
        for spot in spots:
            shape, size = ("*", 15.0) if spot.written else ("o", 7.5)
            axes.plot(
                [spot.x], [spot.y], shape, ms=size, color=_colour(spot), mec="white", mew=0.8,
                zorder=4,
            )  # fmt: skip
        _write_names(axes, spots)
        axes.set(xlim=_ACROSS, ylim=_UP)
        axes.set_xlabel("verifiability: P(a checker can reject a wrong answer at run time)")
        axes.set_ylabel("knowledge demand: P(the answer needs facts beyond the prompt)")
        _legend(axes)
        title(figure, "Where the queries stand, seen by heads that had not seen them", caption)
        return png(figure)


def labels_of(spots: Sequence[Spot]) -> tuple[_Reals, _Reals]:
    """Centres and sizes (m, 2) of the names, in points from the lower left of the axes."""
    if not spots:
        return np.empty((0, 2)), np.empty((0, 2))
    points = _points(np.array([(s.x, s.y) for s in spots]))
    sizes = np.array([(_LETTER * len(s.name), _LINE) for s in spots])
    regions = [
        (*_points(np.array([[x, y]]))[0], _LETTER * max(map(len, lines)), _LINE * len(lines) + 10)
        for x, y, text in _names()
        if (lines := text.split("\n"))
    ]
    return spread(points, sizes, (_SIDE, _SIDE), np.array(regions)), sizes


def _points(data: _Reals) -> _Reals:
    low, high = np.array([_ACROSS[0], _UP[0]]), np.array([_ACROSS[1], _UP[1]])
    return np.asarray((data - low) / (high - low) * _SIDE, dtype=np.float64)


def _write_names(axes: Any, spots: Sequence[Spot]) -> None:
    """Names, each with a line from its nearest edge to its point where that is not beside it."""
    centres, sizes = labels_of(spots)
    for spot, centre, size in zip(spots, centres, sizes, strict=True):
        point = _points(np.array([[spot.x, spot.y]]))[0]
        edge = np.clip(point, centre - size / 2, centre + size / 2)
        low = np.array([_ACROSS[0], _UP[0]])
        scale = (np.array([_ACROSS[1], _UP[1]]) - low) / _SIDE
        if np.hypot(*(edge - point)) > _FAR:
            ends = np.array([edge, point]) * scale + low
            axes.plot(ends[:, 0], ends[:, 1], color=_colour(spot), lw=0.7, alpha=0.7, zorder=3)
        x, y = centre * scale + low
        axes.text(
            x, y, spot.name, color=_colour(spot), ha="center", va="center", zorder=5,
            bbox={"color": "white", "alpha": 0.75, "pad": 0.3, "linewidth": 0},
        )  # fmt: skip


def _colour(spot: Spot) -> str:
    return _MIXED if spot.place is None else COLOURS[spot.place]


def _thresholds() -> tuple[float, float]:
    policy = Verifiability()
    return policy.tau_verifiability, policy.tau_knowledge


def _names() -> list[tuple[float, float, str]]:
    """Centre and text of each region's name: the arms in the order they are tried."""
    tau_v, tau_k = _thresholds()
    return [
        (0.5, (1 + tau_k) / 2, "FACTS NEEDED\nsmall + index, then large,\nthen large + index"),
        ((1 + tau_v) / 2, tau_k / 2, "CHECKABLE\nsmall; large only\nafter a failed check"),
        (tau_v / 2, tau_k / 2, "OPEN\nsmall, and its answer is kept\n(nothing can check it)"),
    ]


def _regions(axes: Any) -> None:
    from matplotlib.patches import Rectangle

    tau_v, tau_k = _thresholds()
    boxes = {
        "facts": (0.0, tau_k, 1.0, 1 - tau_k),
        "checkable": (tau_v, 0.0, 1 - tau_v, tau_k),
        "open": (0.0, 0.0, tau_v, tau_k),
    }
    for name, (left, bottom, width, height) in boxes.items():
        axes.add_patch(
            Rectangle((left, bottom), width, height, fc=_TINTS[name], ec="none", zorder=0)
        )
    axes.plot([0, 1], [tau_k, tau_k], color="#999999", lw=0.9, ls=(0, (4, 3)), zorder=2)
    axes.plot([tau_v, tau_v], [0, tau_k], color="#999999", lw=0.9, ls=(0, (4, 3)), zorder=2)
    for x, y, text in _names():
        axes.text(x, y, text, color="#6B6B6B", ha="center", va="center", linespacing=1.3, zorder=3)


def _legend(axes: Any) -> None:
    from matplotlib.lines import Line2D

    def entry(shape: str, colour: str, text: str, size: float = 7.0) -> Any:
        return Line2D([], [], marker=shape, ls="", color=colour, mec="white", ms=size, label=text)

    handles = [entry("o", colour, _LEGEND[at]) for at, colour in COLOURS.items()]
    handles += [entry("o", _MIXED, "mixed"), entry("*", "#222222", "written prompts", 12.0)]
    axes.legend(
        handles=handles, title="colour: what the labels say", loc="upper right",
        bbox_to_anchor=(0.78, 0.93), frameon=True, framealpha=0.9, edgecolor="none",
        alignment="left", handletextpad=0.3,
    )  # fmt: skip
