"""How policies look, in the page and in the pictures: colours, dashes, and label places.

Okabe and Ito's colours, which colour-blind readers can tell apart, one a policy throughout a
report; the protocols of one policy differ by dash. Only the first `EMPHASISED` contestants
of a crowded section get a colour and a label; the rest stay grey lines.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.report.data import Contestant, Section

__all__ = [
    "FAINT",
    "GREY",
    "INK",
    "OTHERS_INK",
    "Frame",
    "Label",
    "Marked",
    "Style",
    "caption",
    "place",
    "styles",
]

INK = "#222222"
GREY = "#767676"
FAINT = "#C4C4C4"
OTHERS_INK = "#6A3D9A"
"""For figures of others, which are not ours."""
FIXED = {
    "random": GREY,
    "oracle": "#000000",
    "all-small": INK,
    "all-large": INK,
    "best-single": INK,
    "prompt-length": "#D55E00",
    "text-logistic": "#0072B2",
    "verifiability-threshold": "#009E73",
}
FREE = ("#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F")
DASHES = ("solid", "dashdot", "dot")
INKS = {
    "#D55E00": "#B84E00",
    "#009E73": "#00795A",
    "#CC79A7": "#A3467A",
    "#E69F00": "#946300",
    "#56B4E9": "#27779F",
}
"""Darker for text, to be read on white."""
SYMBOLS = {"all-small": "circle", "all-large": "square", "best-single": "diamond"}
EMPHASISED = 10
LONGEST = 28
PLAIN = {"random": "random mix", "oracle": "oracle (sees the scores)"}


@dataclass(frozen=True)
class Style:
    """One contestant's look. `faint`: one of many, without a label."""

    colour: str
    dash: str = "solid"
    symbol: str = "circle"
    faint: bool = False

    @property
    def ink(self) -> str:
        """The colour of its name."""
        return GREY if self.faint else INKS.get(self.colour, self.colour)


@dataclass(frozen=True)
class Label:
    """Text beside the point (x, y) of the data, its near edge dx, dy points away."""

    text: str
    colour: str
    x: float
    y: float
    dx: float
    dy: float


def caption(c: Contestant) -> str:
    """`text-logistic`, and below it what it was fitted on, in short lines."""
    name = _cut(PLAIN.get(c.policy, c.policy))
    if not c.labels[1]:
        return name
    if len(c.terms) <= LONGEST + 6:
        return f"{name}\n{c.terms}"
    return f"{name}\n{_cut(c.protocol)}\n{c.terms[len(c.protocol) + 2 :]}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def styles(sections: Iterable[Section]) -> list[list[Style]]:
    """A style for every contestant of every section; colours hold across sections."""
    colours = dict(FIXED)
    out = []
    for section in sections:
        ranked = sorted(section.contestants, key=lambda c: _rank(c))
        bright = {id(c) for c in ranked[:EMPHASISED]}
        seen: dict[str, int] = {}
        row = []
        for c in section.contestants:
            if id(c) not in bright:
                row.append(Style(FAINT, faint=True))
                continue
            if c.policy not in colours:
                colours[c.policy] = FREE[(len(colours) - len(FIXED)) % len(FREE)]
            turn = seen[c.policy] = seen.get(c.policy, -1) + 1
            dash = "dash" if c.sees else DASHES[turn % len(DASHES)]
            row.append(Style(colours[c.policy], dash, SYMBOLS.get(c.policy, "circle")))
        out.append(row)
    return out


def _rank(c: Contestant) -> tuple[bool, float]:
    apgr = c.at("apgr")
    return c.policy not in FIXED, math.inf if math.isnan(apgr) else -apgr


@dataclass(frozen=True)
class Frame:
    """Ranges of the data, and the size of the plot in points."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    height: float

    def points(self, x: Sequence[float], y: Sequence[float]) -> NDArray[np.float64]:
        """(n, 2) data -> points from the lower left."""
        across = (np.asarray(x) - self.x[0]) / (self.x[1] - self.x[0]) * self.width
        up = (np.asarray(y) - self.y[0]) / (self.y[1] - self.y[0]) * self.height
        return np.column_stack([across, up])


Marked = tuple[str, str, Sequence[float], Sequence[float]]
"""Text, colour, x and y of a curve; of a point, one of each."""
Bar = tuple[Sequence[float], Sequence[float]]


def place(
    marked: Sequence[Marked], frame: Frame, size: float, bars: Sequence[Bar] = ()
) -> list[Label]:
    """A place beside its curve or point for each text, clear of the others where there is one.

    bars: strokes to keep clear of, as x and y of their ends.
    """
    paths = [_dense(frame.points(x, y)) for _, _, x, y in marked]
    strokes = [_dense(frame.points(x, y)) for x, y in bars]
    ink = np.concatenate([*paths, *strokes, np.empty((0, 2))])
    taken: list[tuple[float, float, float, float]] = []
    out = []
    # Points first: they have the least choice.
    for i in sorted(range(len(marked)), key=lambda i: (len(marked[i][2]) > 1, i)):
        text, colour, x, y = marked[i]
        width = 0.56 * size * max(len(row) for row in text.split("\n"))
        height = 1.25 * size * (1 + text.count("\n"))
        best, least = (0.0, 0.0, 0), math.inf
        anchors = frame.points(x, y)
        rest = np.concatenate([p for j, p in enumerate(paths) if j != i] + [np.empty((0, 2))])
        for at in _anchors(anchors):
            crowd = _crowd(anchors[at], rest)
            for dx, dy in _offsets():
                box = _box(anchors[at], dx, dy, width, height)
                cost = crowd + _cost(box, ink, taken, frame) + 0.25 * math.hypot(dx, dy)
                if cost < least:
                    best, least = (dx, dy, at), cost
        dx, dy, at = best
        taken.append(_box(anchors[at], dx, dy, width, height))
        out.append(Label(text, colour, float(x[at]), float(y[at]), dx, dy))
    return out


def _offsets() -> Iterable[tuple[float, float]]:
    for far in (7.0, 13.0, 22.0, 34.0, 50.0, 70.0, 95.0):
        for angle in (135, 315, 90, 270, 45, 225, 0, 180, 160, 340):
            yield far * math.cos(math.radians(angle)), far * math.sin(math.radians(angle))


def _anchors(path: NDArray[np.float64]) -> list[int]:
    if len(path) == 1:
        return [0]
    wanted = path[0, 0] + (path[:, 0].max() - path[0, 0]) * np.linspace(0.12, 0.88, 20)
    return sorted({int(np.abs(path[:, 0] - w).argmin()) for w in wanted})


def _crowd(anchor: NDArray[np.float64], rest: NDArray[np.float64]) -> float:
    """A curve is best labelled where no other is near."""
    if not len(rest):
        return 0.0
    return max(0.0, 14.0 - float(np.hypot(*(rest - anchor).T).min()))


def _box(
    anchor: NDArray[np.float64], dx: float, dy: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of a text whose near edge lies at the offset."""
    left = anchor[0] + dx - (width if dx < -1 else 0 if dx > 1 else width / 2)
    bottom = anchor[1] + dy - (height if dy < -1 else 0 if dy > 1 else height / 2)
    return left, bottom, left + width, bottom + height


def _cost(
    box: tuple[float, float, float, float],
    ink: NDArray[np.float64],
    taken: Sequence[tuple[float, float, float, float]],
    frame: Frame,
) -> float:
    left, bottom, right, top = box
    if left < 2 or bottom < 2 or right > frame.width - 2 or top > frame.height - 2:
        return 1e6
    pad = 3.0
    inside = (ink[:, 0] > left - pad) & (ink[:, 0] < right + pad)
    inside &= (ink[:, 1] > bottom - pad) & (ink[:, 1] < top + pad)
    over = sum(
        left - pad < r and right + pad > l and bottom - pad < t and top + pad > b
        for l, b, r, t in taken  # noqa: E741
    )
    return 2.0 * float(inside.sum()) + 1000.0 * over


def _dense(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same path with a vertex at least every three points."""
    if len(path) == 1:
        around = np.array([(a, b) for a in (-5, 0, 5) for b in (-5, 0, 5)], dtype=np.float64)
        return path + around
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    steps = np.linspace(0, length[-1], max(2, int(length[-1] / 3)))
    across = np.interp(steps, length, path[:, 0])
    return np.column_stack([across, np.interp(steps, length, path[:, 1])])
