"""The picture of `ockham bench scaling`: accuracy against tokens a question, a panel a benchmark.

Each line is a method at k = 1 .. K, with its name where it ends; the dotted line is the oracle
at majority's prices, the dot a single sample. The band is majority's 95 % interval: those of
the others overlap it, and stand in the table. Lengths are points.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from eval.report.canvas import SIZE, canvas, looks, png, title
from eval.report.style import INK, INKS
from eval.scaling.comparison import Comparison
from eval.scaling.equal_tokens import Point
from eval.scaling.lineup import BASELINE, SHUFFLED
from eval.scaling.replay import Axis

__all__ = ["picture", "spread"]

PANEL, HIGH = 215.0, 235.0
LEFT, NAMES, BOTTOM, TOP = 46.0, 138.0, 42.0, 76.0
LINE = 11.5
"""Height of a name."""
DASH, DOTS = (0, (4, 2)), (0, (1, 1.6))
MINUS = "-."


class Look(NamedTuple):
    """Of a line: one colour a family, its members by dash."""

    colour: str
    dash: Any = "-"
    width: float = 1.3


# Okabe and Ito's colours, which colour-blind readers can tell apart.
LOOKS: Mapping[str, Look] = {
    BASELINE: Look("#0072B2", "-", 2.4),
    "early-stop": Look("#0072B2", DASH),
    "adaptive": Look("#56B4E9"),
    "weighted-logprob": Look("#009E73"),
    "weighted-answer": Look("#009E73", DASH),
    "weighted-certainty": Look("#009E73", MINUS),
    "weighted-borda": Look("#009E73", DOTS),
    "best-of-n": Look("#D55E00"),
    "best-of-n-all": Look("#D55E00", DASH),
    "long2short": Look("#CC79A7"),
    "clr": Look("#E69F00"),
    SHUFFLED: Look("#E69F00", DASH),
    "forced": Look("#8C6D1F"),
    "spectrum": Look("#8C6D1F", DASH),
}


class _Named(NamedTuple):
    text: str
    colour: str
    x: float
    y: float


def picture(found: Sequence[Comparison]) -> bytes:
    """The PNG's bytes."""
    wide = LEFT + PANEL + NAMES
    boxes = [(LEFT + i * wide, BOTTOM, PANEL, HIGH) for i in range(len(found))]
    with looks():
        figure, panels = canvas(wide * len(found), BOTTOM + HIGH + TOP, boxes)
        for axes, one in zip(panels, found, strict=True):
            _panel(axes, one)
        panels[0].set_ylabel("accuracy, %")
        models = ", ".join(dict.fromkeys(one.model for one in found))
        title(
            figure,
            "What more samples win, at what price",
            f"{models}. Band: 95 % of majority vote. Dotted: the oracle, right where any plain "
            "sample is. What lies between oracle and majority is all that selecting can win.",
        )
        return png(figure)


def _panel(axes: Any, found: Comparison) -> None:
    majority = found.methods[BASELINE]
    prices = [_price(p, found.axis) for p in majority]
    named = [_oracle(axes, found, prices)]
    axes.fill_between(
        prices,
        [100 * p.accuracy.low for p in majority],
        [100 * p.accuracy.high for p in majority],
        color=LOOKS[BASELINE].colour, alpha=0.14, linewidth=0,
    )  # fmt: skip
    for name, points in found.methods.items():
        look = LOOKS[name]
        x = [_price(p, found.axis) for p in points]
        y = [100 * p.accuracy.value for p in points]
        front = 4 if name == BASELINE else 3
        axes.plot(x, y, color=look.colour, linestyle=look.dash, linewidth=look.width, zorder=front)
        axes.plot(x[-1], y[-1], "o", color=look.colour, markersize=3.2, zorder=front)
        named.append(_Named(name, INKS.get(look.colour, look.colour), x[-1], y[-1]))
    axes.plot(prices[0], 100 * found.single.value, "o", color=INK, markersize=5.5, zorder=5)
    _scale(axes, found)
    _single(axes, found, prices[0])
    _names(axes, named)
    axes.set_title(
        f"{found.benchmark}  ({found.questions:,} questions)", fontsize=SIZE, color=INK, loc="left"
    )  # fmt: skip


def _oracle(axes: Any, found: Comparison, prices: Sequence[float]) -> _Named:
    y = [100 * best.value for best in found.oracle]
    axes.plot(prices, y, color="#000000", linestyle=(0, (1, 2)), linewidth=1.5, zorder=3)
    return _Named(f"oracle@{found.k}", "#000000", prices[-1], y[-1])


def _price(point: Point, axis: Axis) -> float:
    if axis == "tokens":
        return point.tokens
    assert point.usd is not None  # `compare` refuses the axis without costs
    return point.usd


def _scale(axes: Any, found: Comparison) -> None:
    """A logarithmic axis with round ticks; the height is all values' and majority's band's."""
    every = [_price(p, found.axis) for points in found.methods.values() for p in points]
    low, high = min(every), max(every)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.15, high * 1.08)
    ticks = _round_ticks(low / 1.15, high * 1.08)
    axes.set_xticks(ticks, [_short(t) for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("tokens a question" if found.axis == "tokens" else "USD a question")
    lows = [p.accuracy.low for p in found.methods[BASELINE]]
    shown = [p.accuracy.value for points in found.methods.values() for p in points]
    tops = [p.accuracy.high for p in found.methods[BASELINE]] + [b.value for b in found.oracle]
    floor, top = 100 * min([*lows, *shown]), 100 * max([*tops, *shown])
    room = max(0.06 * (top - floor), 0.5)
    axes.set_ylim(max(-room, floor - room), min(100 + room, top + room))
    axes.grid(axis="y", color="#E8E8E8", linewidth=0.6)
    axes.set_axisbelow(True)


def _round_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten; quarters of the range where it holds fewer than two."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = [m * 10.0**e for e in range(first, last + 1) for m in (1, 2, 5)]
    inside = [tick for tick in found if low <= tick <= high]
    return inside if len(inside) > 1 else [low + (high - low) * i / 4 for i in range(5)]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _single(axes: Any, found: Comparison, price: float) -> None:
    """Its name above the dot, or below where the lines go up."""
    value = 100 * found.single.value
    low, high = axes.get_ylim()
    up = (value - low) / (high - low) < 0.12
    axes.annotate(
        f"single {value:.1f}", (price, value), xytext=(0, 9 if up else -9),
        textcoords="offset points", va="bottom" if up else "top", fontsize=SIZE - 1, color=INK,
    )  # fmt: skip


def _names(axes: Any, named: Sequence[_Named]) -> None:
    """Names and final values in a column at the right, in the order of the lines' ends, each
    with a thin stroke from its end."""
    low, high = axes.get_ylim()
    ends = [(one.y - low) / (high - low) * HIGH for one in named]
    for one, at in zip(named, spread(ends, LINE, HIGH), strict=True):
        axes.annotate(
            f"{one.text} {one.y:.1f}", xy=(one.x, one.y), xycoords="data",
            xytext=(PANEL + 15, at), textcoords="axes points", va="center", fontsize=SIZE - 1,
            color=one.colour, annotation_clip=False,
            weight="bold" if one.text == BASELINE else "normal",
            arrowprops={"arrowstyle": "-", "color": one.colour, "lw": 0.4, "alpha": 0.6,
                        "shrinkA": 1, "shrinkB": 2, "relpos": (0, 0.5)},
        )  # fmt: skip


def spread(wanted: Sequence[float], least: float, room: float) -> list[float]:
    """Places near the wanted ones, in their order, at least `least` apart, from 0 to `room`.

    Neighbours that are too near form a block around the mean of their wishes (the isotonic
    regression of the wishes, less the steps). More than fit go on below 0.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[float]] = []  # sum of wishes less steps, members
    for step, i in enumerate(order):
        blocks.append([wanted[i] - step * least, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, members = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += members
    flat = [total / members for total, members in blocks for _ in range(int(members))]
    top = room - (len(order) - 1) * least
    places = [0.0] * len(order)
    for step, (i, base) in enumerate(zip(order, flat, strict=True)):
        places[i] = min(max(base, 0.0), top) + step * least
    return places
