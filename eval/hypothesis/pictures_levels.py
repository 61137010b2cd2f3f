"""The pictures of levels beyond size: the coupling of both axes, and the frontier of sizes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.grid import KNOWLEDGE, VERIFIABLE
from eval.hypothesis.pictures import KNOWN, VERIFIED, source_name
from eval.report.canvas import SIZE, canvas, png, title
from eval.report.style import GREY, INK, Frame, place

if TYPE_CHECKING:
    from eval.hypothesis.judge import Findings

__all__ = ["coupling", "frontier"]

FAR, YEAR = 3, 2024
"""Names in a panel; the year that a frontier's years count from."""
NO_SPREAD = 1e-9
TICKS_ALL = (0.5, 1, 3, 10, 30, 100, 300)


def coupling(found: "Findings") -> bytes | None:
    """Residual levels of models, reasoning against knowledge."""
    names = [n for n in ("outcomes_aggregates", "mmlupro") if found.levels.get(n)]
    if not names:
        return None
    shown = [(n, s) for n in names for s in found.levels[n]][:3]
    side, gap, left, bottom = 196.0, 40.0, 48.0, 36.0
    boxes = [(left + k * (side + gap), bottom, side, side) for k in range(len(shown))]
    wide = max(left + len(shown) * (side + gap), 470)
    figure, panels = canvas(wide, bottom + side + 66, boxes)
    for axes, (_, source) in zip(panels, shown, strict=True):
        x, y = (_beyond(level, source.size) for level in source.level)
        axes.axhline(0, color="#dddddd", linewidth=0.8)
        axes.axvline(0, color="#dddddd", linewidth=0.8)
        axes.plot(x, y, "o", color=KNOWN, markersize=4.5, alpha=0.8)
        axes.locator_params(nbins=4)
        _name_far_ones(axes, source.models, x, y, side)
        axes.set_title(f"{source_name(source.place)}: {len(x)} models", fontsize=SIZE, loc="left",
                       color=INK)  # fmt: skip
        axes.set_xlabel("verifiable, beyond size")
    panels[0].set_ylabel("knowledge, beyond size")
    title(
        figure,
        f"Reasoning and knowledge beyond size: {_correlations(found)}",
        "Log-odds of the mean score above the guess floor, less its regression on log10 of "
        "parameters; a point a model. Correlation of ranks, corrected for noise, with its 95 % "
        "interval over families: supported if all of it is below .707, refuted if above.",
    )
    return png(figure)


def _correlations(found: "Findings") -> str:
    own = [v for v in found.verdicts if v.prediction == "P5_decoupling"]
    return ", ".join(
        f"{v.population} {v.estimate.says(2)}" for v in own if not np.isnan(v.estimate.value)
    )


def _name_far_ones(
    axes: Any, models: Sequence[str], x: NDArray[np.float64], y: NDArray[np.float64], side: float
) -> None:
    """Names beside the points that are farthest from the common trend; panel of `side` points."""
    if min(x.std(), y.std()) < NO_SPREAD:  # all scores equal, or a line through two models
        return
    far = np.argsort(-np.abs(x / x.std() - y / y.std()))[:FAR]
    names = {int(k): models[k].split("/")[-1].split("_")[-1] for k in far}
    marked = [
        (names.get(k, ""), GREY, [float(x[k])], [float(y[k])])
        for k in sorted(range(len(x)), key=lambda k: k not in names)
    ]
    frame = Frame(axes.get_xlim(), axes.get_ylim(), side, side)
    axes.set_xlim(frame.x)
    axes.set_ylim(frame.y)
    for label in place(marked, frame, SIZE - 2)[: len(names)]:
        axes.annotate(
            label.text, (label.x, label.y), (label.dx, label.dy), textcoords="offset points",
            fontsize=SIZE - 2, color=GREY, ha=_side(label.dx, "right", "left"),
            va=_side(label.dy, "top", "bottom"),
            arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.6},
        )  # fmt: skip


def _side(offset: float, below: str, above: str) -> str:
    return below if offset < -1 else above if offset > 1 else "center"


def _beyond(level: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    x = size - size.mean()
    y = level - level.mean()
    spread = float(x @ x)
    return np.asarray(y - (x @ y / spread) * x) if spread > 0 else y


def frontier(found: "Findings") -> bytes | None:
    """Size against level, both axes of the source with the most models."""
    from eval.hypothesis.slopes_beside import levels

    every = [(n, f) for n, fs in found.frontiers.items() for f in fs]
    if not every:
        return None
    name, best = max(every, key=lambda item: item[1].models)
    grid = found.populations[name].grid.on_both_axes()
    grid = grid.rows(np.array([p == best.place for p in grid.places]))
    figure, panels = canvas(560, 306, [(52, 38, 216, 200), (318, 38, 216, 200)])
    pairs = ((VERIFIABLE, "verifiable", VERIFIED), (KNOWLEDGE, "knowledge", KNOWN))
    for axes, (axis, word, colour) in zip(panels, pairs, strict=True):
        ability = levels(grid, axis)
        share = 100 / (1 + np.exp(-ability))
        axes.plot(grid.total, share, "o", color=colour, markersize=4.5, alpha=0.75)
        own = next((f for n, f in every if n == name and f.place == best.place and f.axis == word),
                   None)  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(0.8 * grid.total.min(), 1.25 * grid.total.max())
        if own is not None:
            _line(axes, own, ability)
            axes.set_title(f"{word}: {_decades(own)}", fontsize=SIZE - 1, loc="left", color=INK)
        ticks = [t for t in TICKS_ALL if grid.total.min() <= t <= grid.total.max()]
        axes.set_xticks(ticks, [f"{t:g}B" for t in ticks])
        axes.minorticks_off()
        axes.set_ylim(0, 100)
        axes.set_xlabel("total parameters")
    panels[0].set_ylabel("score above the guess floor, %")
    title(
        figure,
        "The smallest models that reach a score",
        f"{best.place}, {len(grid.models)} models. Lines: 10 % quantile regression of log10 "
        "parameters on the log-odds of the score and the year of release.",
    )
    return png(figure)


def _decades(own: Any) -> str:
    return f"{own.decades_a_logit.says(2)} decades of size a log-odd"


def _line(axes: Any, own: Any, ability: NDArray[np.float64]) -> None:
    at = np.linspace(float(np.nanmin(ability)), float(np.nanmax(ability)), 60)
    years = (-1, 0, 1) if len(own.at) > 2 else (0,)
    most = np.log10(axes.get_xlim()[1])
    for year, dash in zip(years, ((0, (1, 1.5)), (0, (4, 2)), "-"), strict=False):
        size = own.at[0] + own.at[1] * at + (own.at[2] * year if len(own.at) > 2 else 0)
        share = 100 / (1 + np.exp(-at))
        axes.plot(10**size, share, color=INK, linewidth=1, linestyle=dash, scalex=False)
        inside = np.flatnonzero(size <= most)
        if len(years) > 1 and len(inside):
            end = inside[-1]
            side = {-1: "left", 0: "center", 1: "right"}[year]
            axes.annotate(f"{YEAR + year}", (10 ** size[end], share[end]), (0, 4), ha=side,
                          textcoords="offset points", fontsize=SIZE - 1, color=INK)  # fmt: skip
