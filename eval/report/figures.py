"""The pictures of a section as PNG, by matplotlib's Agg: nothing global is touched.

`Scene` is what the cost-quality figure shows, for the picture and for the page alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from eval.report.canvas import SIZE, canvas, png
from eval.report.canvas import looks as dressed
from eval.report.data import Cell, Contestant, Line, Section, number
from eval.report.style import (
    GREY,
    OTHERS_INK,
    Frame,
    Label,
    Marked,
    Style,
    caption,
    place,
)

__all__ = ["PANELS", "RATIOS", "Dot", "Scene", "alt_texts", "dots", "pictures", "rows_of", "scene"]

WIDTH, HEIGHT = 560.0, 330.0
"""Plot area in points."""
RATIOS = (("@0.5", "half", "v"), ("", "as is", "o"), ("@2", "double", "^"))
"""Suffix of the metric, how it is called, and matplotlib's marker."""
PANELS = (
    ("cost-apgr", "cost-APGR"),
    ("cost-at-accuracy", "USD per 1,000 queries at 95 % of the gap"),
    ("utility", "utility at the operating point"),
)
MARKERS = {"circle": "o", "square": "s", "diamond": "D"}
DASHES: dict[str, Any] = {"solid": "-", "dash": (0, (5, 3)), "dashdot": "-.", "dot": ":"}


@dataclass(frozen=True)
class Dot:
    """An operating point with its intervals."""

    name: str
    terms: str
    style: Style
    usd: Cell
    accuracy: Cell
    share: float | None
    alone: bool
    """No curve goes through it."""


@dataclass(frozen=True)
class Scene:
    """Everything in a cost-quality figure."""

    lines: tuple[tuple[Contestant, Style, Line], ...]
    dots: tuple[Dot, ...]
    frame: Frame
    labels: tuple[Label, ...]
    hidden: int
    """Contestants drawn faint, without a label."""


def scene(section: Section, looks: Sequence[Style]) -> Scene | None:
    """None where no contestant has a cost and an accuracy."""
    both = list(zip(section.contestants, looks, strict=True))
    lines = [(c, s, _straight(c, c.line)) for c, s in both if c.line is not None]
    shown = dots(section, looks)
    if not lines and not shown:
        return None
    frame = _frame([line for _, _, line in lines], shown)
    marked: list[Marked] = [
        (caption(c), s.ink, line.usd, line.accuracy) for c, s, line in lines if not s.faint
    ]
    labels = place(_together(section, shown) + marked, frame, SIZE, _strokes(shown))
    hidden = sum(s.faint for s in looks)
    return Scene(tuple(lines), tuple(shown), frame, tuple(labels), hidden)


def dots(section: Section, looks: Sequence[Style]) -> list[Dot]:
    """Operating points of those that have one."""
    out = []
    for c, style in zip(section.contestants, looks, strict=True):
        usd, accuracy = c.get("usd-per-1000"), c.get("accuracy")
        if usd.value is not None and accuracy.value is not None and not c.sees:
            share = c.get("large-share").value
            out.append(Dot(c.policy, c.terms, style, usd, accuracy, share, c.line is None))
    return out


def rows_of(
    section: Section, looks: Sequence[Style], metric: str
) -> list[tuple[Contestant, Style]]:
    """Contestants with this number, best first; the oracle is out of any useful scale."""
    style = {id(c): s for c, s in zip(section.contestants, looks, strict=True)}
    rows = [(c, style[id(c)]) for c in section.with_metric(metric) if not c.sees]
    return rows[::-1] if metric.startswith("cost-at") else rows


def alt_texts(section: Section) -> dict[str, str]:
    """What each figure shows, in words."""
    ranked = [c for c in section.with_metric("apgr") if not c.sees]
    order = ", ".join(f"{c.policy} {number(c.get('apgr').value)}" for c in ranked)
    where = section.title
    return {
        "cost-quality": f"{where}: accuracy over USD per 1,000 queries, one curve a policy "
        f"from all-small to all-large, the oracle above them. By APGR: {order or 'no curves'}.",
        "apgr": f"{where}: APGR with 95 % intervals, best first: {order or 'none'}.",
        "prices": f"{where}: cost metrics at half, the recorded and double the price ratio; "
        "the numbers stand in the table below.",
    }


def pictures(section: Section, looks: Sequence[Style]) -> dict[str, bytes]:
    """PNG by name; a picture that would be empty is left out."""
    with dressed():
        made = {
            "cost-quality": _cost_quality(section, looks),
            "apgr": _apgr(section, looks),
            "prices": _prices(section, looks),
        }
    return {name: data for name, data in made.items() if data is not None}


def _cost_quality(section: Section, looks: Sequence[Style]) -> bytes | None:
    seen = scene(section, looks)
    if seen is None:
        return None
    figure, (axes,) = canvas(WIDTH + 75, HEIGHT + 102, [(60, 45, WIDTH, HEIGHT)])
    for c, s, line in seen.lines:
        thin = s.faint or c.policy == "random"
        axes.plot(
            line.usd,
            line.accuracy,
            color=s.colour,
            linestyle=DASHES[s.dash],
            linewidth=1.0 if thin else 1.8,
            zorder=1 if s.faint else 2,
        )
    for dot in seen.dots:
        if not dot.style.faint:
            _errors(axes, dot.usd, dot.accuracy, dot.style, hollow=dot.alone)
    for label in seen.labels:
        far = (label.dx**2 + label.dy**2) ** 0.5 > 12
        axes.annotate(
            _safe(label.text),
            (label.x, label.y),
            xytext=(label.dx, label.dy),
            textcoords="offset points",
            ha="right" if label.dx < -1 else "left" if label.dx > 1 else "center",
            va="top" if label.dy < -1 else "bottom" if label.dy > 1 else "center",
            color=label.colour,
            linespacing=1.05,
            bbox={"color": "white", "alpha": 0.75, "pad": 0.5, "linewidth": 0},
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.6, "shrinkA": 1, "shrinkB": 2}
            if far
            else None,
            zorder=5,
        )
    axes.set_xlim(seen.frame.x)
    axes.set_ylim(seen.frame.y)
    axes.set_xlabel("USD per 1,000 queries")
    axes.set_ylabel("accuracy")
    axes.grid(color="#EEEEEE", linewidth=0.8)
    others = f"; {seen.hidden} more policies in grey" if seen.hidden else ""
    _title(figure, section, f"points and bars: operating points with 95 % intervals{others}")
    return png(figure)


def _apgr(section: Section, looks: Sequence[Style]) -> bytes | None:
    rows = rows_of(section, looks, "apgr")
    others = section.published()
    if not rows:
        return None
    tall = 34.0 * len(rows) + (22.0 * len(others) + 26 if others else 0)
    figure, (axes,) = canvas(650, tall + 100, [(185, 45, 310, tall)])
    top = 34.0 * len(rows)
    for i, (c, s) in enumerate(rows):
        y, cell = top - 34.0 * i - 17, c.get("apgr")
        _bar(axes, cell, y, _dark(s), "o")
        _beside(axes, caption(c), _shown(cell), y, s.ink)
    if others:
        _beside(axes, "published, not ours", "", -13, OTHERS_INK, bold=True)
    for i, (name, value) in enumerate(others.items()):
        y = -26 - 22.0 * i - 11
        axes.plot([value], [y], "o", mfc="white", mec=OTHERS_INK, ms=6)
        _beside(axes, name, number(value), y, OTHERS_INK)
    axes.axvline(0.5, color=GREY, linewidth=1, linestyle=(0, (2, 3)), zorder=0)
    axes.set_ylim(top - tall, top)
    axes.set_yticks([])
    _pad(axes, [0.5, *others.values(), *_ends(rows, ("apgr",))])
    axes.set_xlabel("APGR (area of the gap recovered); dotted: the random mix")
    oracle = next((c for c in section.with_metric("apgr") if c.sees), None)
    beyond = f"; out of frame: oracle {number(oracle.get('apgr').value)}" if oracle else ""
    _title(figure, section, f"bars: 95 % intervals over questions{beyond}")
    return png(figure)


def _prices(section: Section, looks: Sequence[Style]) -> bytes | None:
    panels = [(m, title, rows_of(section, looks, m)[:12]) for m, title in PANELS]
    panels = [p for p in panels if p[2]]
    if not panels:
        return None
    most = max(len(rows) for _, _, rows in panels)
    tall, step = 40.0 * most, 345.0
    boxes = [(150 + step * i, 45.0, 180.0, tall) for i in range(len(panels))]
    figure, all_axes = canvas(step * len(panels), tall + 115, boxes)
    for axes, (metric, title, rows) in zip(all_axes, panels, strict=True):
        for i, (c, s) in enumerate(rows):
            for k, (suffix, _, marker) in enumerate(RATIOS):
                y = 40.0 * (most - i) - 10 - 10 * k
                _bar(axes, c.get(metric + suffix), y, _dark(s), marker, hollow=bool(suffix))
            _beside(axes, caption(c), "", 40.0 * (most - i) - 20, s.ink)
        axes.set_ylim(0, tall)
        axes.set_yticks([])
        _pad(axes, _ends(rows, [metric + suffix for suffix, _, _ in RATIOS]))
        axes.set_xlabel(title)
    said = "price ratio: ▽ half, ● as it is, △ double; bars: 95 % intervals"
    _title(figure, section, said)
    return png(figure)


def _title(figure: Any, section: Section, below: str) -> None:
    high = figure.get_figheight() * 72
    facts = f"{section.pair}, {section.questions:,} questions" if section.pair else ""
    if not facts:
        facts = f"{section.questions:,} questions"
    figure.text(0.02, 1 - 16 / high, _safe(section.title), weight="bold", size=SIZE + 2)
    figure.text(0.02, 1 - 30 / high, _safe(facts), color=GREY, size=SIZE - 1)
    figure.text(0.02, 1 - 42 / high, _safe(below), color=GREY, size=SIZE - 1)


def _errors(axes: Any, usd: Cell, accuracy: Cell, style: Style, hollow: bool) -> None:
    assert usd.value is not None and accuracy.value is not None
    axes.errorbar(
        [usd.value],
        [accuracy.value],
        xerr=_arms(usd),
        yerr=_arms(accuracy),
        fmt=MARKERS[style.symbol],
        color=style.colour,
        markerfacecolor="white" if hollow else style.colour,
        markersize=6,
        elinewidth=1,
        zorder=4,
    )


def _bar(axes: Any, cell: Cell, y: float, colour: str, marker: str, hollow: bool = False) -> None:
    if cell.value is None:
        return
    axes.errorbar(
        [cell.value],
        [y],
        xerr=_arms(cell),
        fmt=marker,
        color=colour,
        markerfacecolor="white" if hollow else colour,
        markersize=5,
        elinewidth=1.3,
    )


def _arms(cell: Cell) -> list[list[float]] | None:
    """Lengths below and above the value; a percentile interval may miss it."""
    if cell.value is None or cell.low is None or cell.high is None:
        return None
    return [[max(cell.value - cell.low, 0.0)], [max(cell.high - cell.value, 0.0)]]


def _beside(axes: Any, left: str, right: str, y: float, colour: str, bold: bool = False) -> None:
    """Row text on both sides of the axes."""
    where = axes.get_yaxis_transform()
    style = {"va": "center", "color": colour, "linespacing": 1.05}
    weight = "bold" if bold else "normal"
    axes.text(-0.03, y, _safe(left), ha="right", transform=where, weight=weight, **style)
    axes.text(1.03, y, _safe(right), ha="left", transform=where, **style)


def _shown(cell: Cell) -> str:
    if cell.low is None or cell.high is None:
        return number(cell.value)
    return f"{number(cell.value)} [{number(cell.low)}, {number(cell.high)}]"


def _ends(rows: Sequence[tuple[Contestant, Style]], metrics: Sequence[str]) -> list[float]:
    cells = [c.get(m) for c, _ in rows for m in metrics]
    return [v for cell in cells for v in (cell.value, cell.low, cell.high) if v is not None]


def _pad(axes: Any, values: Sequence[float]) -> None:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.05
    axes.set_xlim(low - room, high + room)


def _dark(style: Style) -> str:
    return GREY if style.faint else style.colour


def _straight(c: Contestant, line: Line) -> Line:
    """The random mix is its expectation: the straight line between its ends."""
    if c.policy != "random":
        return line
    parts = (np.linspace(v[0], v[-1], 41) for v in (line.share, line.usd, line.accuracy))
    return Line(*(tuple(p.tolist()) for p in parts))


def _frame(lines: Sequence[Line], shown: Sequence[Dot]) -> Frame:
    cells = [(d.usd, d.accuracy) for d in shown if not d.style.faint or not lines]
    x = [v for a, _ in cells for v in (a.value, a.low, a.high) if v is not None]
    y = [v for _, b in cells for v in (b.value, b.low, b.high) if v is not None]
    x += [v for line in lines for v in line.usd]
    y += [v for line in lines for v in line.accuracy]
    across, up = (max(x) - min(x)) or 1.0, (max(y) - min(y)) or 0.1
    low = 0.0 if min(x) < 0.3 * max(x) else min(x) - 0.05 * across
    return Frame(
        (low, max(x) + 0.06 * across), (min(y) - 0.07 * up, max(y) + 0.09 * up), WIDTH, HEIGHT
    )


def _strokes(shown: Sequence[Dot]) -> list[tuple[list[float], list[float]]]:
    out = []
    for dot in shown:
        usd, accuracy = dot.usd, dot.accuracy
        if usd.value is None or accuracy.value is None or dot.style.faint:
            continue
        if usd.low is not None and usd.high is not None:
            out.append(([usd.low, usd.high], [accuracy.value] * 2))
        if accuracy.low is not None and accuracy.high is not None:
            out.append(([usd.value] * 2, [accuracy.low, accuracy.high]))
    return out


def _together(section: Section, shown: Sequence[Dot]) -> list[Marked]:
    """Texts of lone points; those that lie on each other share one."""
    groups: list[tuple[list[str], Dot]] = []
    for dot in shown:
        if not dot.alone or dot.style.faint:
            continue
        terms = f" ({dot.terms})" if " labels" in dot.terms else ""
        text = (dot.name if len(dot.name) <= 40 else dot.name[:39] + "…") + terms
        for texts, first in groups:
            if (dot.usd.value, dot.accuracy.value) == (first.usd.value, first.accuracy.value):
                texts.append(text)
                break
        else:
            groups.append(([text], dot))
    return [
        ("\n= ".join(texts), d.style.colour, [d.usd.value or 0.0], [d.accuracy.value or 0.0])
        for texts, d in groups
    ]


def _safe(text: str) -> str:
    """Characters that the font lacks as a box, instead of a warning."""
    return "".join(c if c == "\n" or ord(c) in _glyphs() else "▯" for c in text)


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
