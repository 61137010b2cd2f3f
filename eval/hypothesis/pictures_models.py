"""The pictures of models: effective sizes, the contrast, the coupling, the frontier."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.grid import KNOWLEDGE, VERIFIABLE
from eval.hypothesis.pictures import KNOWN, VERIFIED, _legend, rows_panel
from eval.report.canvas import SIZE, canvas, png, title
from eval.report.style import GREY, INK

if TYPE_CHECKING:
    from eval.hypothesis.effective import Effective
    from eval.hypothesis.judge import Findings

__all__ = ["contrast", "coupling", "effective", "every_model", "frontier"]

OWN = "VibeThinker-3B"
TICKS = (3, 10, 30, 100, 300, 1000)
TICKS_ALL = (0.5, 1, 3, 10, 30, 100, 300)


def _size_axis(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_xlim(2.5, 1250)
    axes.set_xticks(TICKS, [f"{t}B" for t in TICKS])
    axes.minorticks_off()


def effective(found: "Findings") -> bytes | None:
    """VibeThinker-3B on each benchmark."""
    rows = [e for e in found.effective if e.model == OWN]
    if not rows:
        return None
    figure, axes = rows_panel([f"{e.benchmark}  {e.score:.1f}" for e in rows], top=76, row=25)
    _size_axis(axes)
    axes.axvline(3, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    axes.annotate("its own size", (3.15, -0.55), fontsize=SIZE - 1, va="bottom",
                  annotation_clip=False)  # fmt: skip
    for at, e in enumerate(rows):
        colour = VERIFIED if e.axis == "verifiable" else KNOWN
        axes.plot([e.low, e.high], [at, at], color=colour, linewidth=1.2, alpha=0.7)
        axes.plot([e.half_low, e.half_high], [at, at], color=colour, linewidth=5, alpha=0.45,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot(e.value, at, "o", color=colour, markersize=7)
        if e.above:
            axes.plot(e.high, at, ">", color=colour, markersize=6, clip_on=False)
        if e.below:
            axes.plot(e.low, at, "<", color=colour, markersize=6, clip_on=False)
        axes.annotate(f"{e.says}B [{_end(e, True)}, {_end(e, False)}]", (1.03, at), va="center",
                      xycoords=("axes fraction", "data"), fontsize=SIZE - 1)  # fmt: skip
    axes.set_xlabel("total parameters of a peer with the same score")
    title(
        figure,
        "How big a peer VibeThinker-3B equals",
        f"The report's table, {min(e.peers for e in rows)} to {max(e.peers for e in rows)} peers; "
        "thick: 50 %, thin: 95 % prediction interval; an arrow: it goes on beyond the peers' "
        "sizes, where nothing is read off.",
    )
    return png(figure)


def _end(e: "Effective", low: bool) -> str:
    if low:
        return f"≤{e.least:.0f}" if e.below else f"{e.low:.0f}"
    return f"≥{e.most:.0f}" if e.above else f"{e.high:.0f}"


def every_model(found: "Findings") -> bytes | None:
    """All models: own size, effective size by axis."""
    models = list(dict.fromkeys(e.model for e in found.effective))
    rows = []
    for model in models:
        own = [e for e in found.effective if e.model == model]
        axis = {a: [e.value for e in own if e.axis == a] for a in ("verifiable", "knowledge")}
        if all(axis.values()):
            one, two = (10 ** float(np.mean(np.log10(v))) for v in axis.values())
            rows.append((model, own[0].size, one, two))
    if not rows:
        return None
    rows.sort(key=lambda r: -np.log10(r[2] / r[3]))
    figure, axes = rows_panel([r[0] for r in rows], top=90, row=16, right=20)
    _size_axis(axes)
    for at, (_, size, one, two) in enumerate(rows):
        axes.plot([one, two], [at, at], color="#bbbbbb", linewidth=1.4, zorder=1)
        axes.plot(size, at, "|", color=INK, markersize=10, markeredgewidth=2, zorder=2)
        axes.plot(two, at, "o", color=KNOWN, markersize=5.5, zorder=3)
        axes.plot(one, at, "D", color=VERIFIED, markersize=5.5, zorder=4)
    axes.set_xlabel("total parameters")
    _legend(
        figure, axes,
        (("|", INK, "own size"), ("D", VERIFIED, "verifiable (mean of benchmarks)"),
         ("o", KNOWN, "GPQA-Diamond")), 64,
    )  # fmt: skip
    title(
        figure,
        "How big a peer every model equals",
        "The report's table; each model against the other ones. At an edge: censored there. "
        "Intervals are wide (see the table): most of these order differences are noise.",
    )
    return png(figure)


def contrast(found: "Findings") -> bytes | None:
    """Residuals on both axes, less one another."""
    rows = found.contrasts
    if not rows:
        return None
    figure, axes = rows_panel([f"{c.rank}  {c.model}" for c in rows], top=78, row=16, right=40)
    others = np.array([c.difference for c in rows if OWN not in c.model])
    spread = float(others.std(ddof=1))
    axes.axvspan(-spread, spread, color="#000000", alpha=0.05, linewidth=0)
    axes.axvline(0, color=GREY, linewidth=0.8)
    for at, c in enumerate(rows):
        colour = VERIFIED if OWN in c.model else INK
        axes.plot([0, c.difference], [at, at], color=colour, linewidth=1.4)
        axes.plot(c.difference, at, "o", color=colour, markersize=6)
    axes.set_xlabel("verifiable residual less GPQA-Diamond residual, in residual SDs")
    own = next((c for c in rows if OWN in c.model), rows[0])
    title(
        figure,
        f"{own.model}: {own.difference:+.2f}, rank {own.rank} of {len(rows)}; "
        f"peers' SD {spread:.2f}",
        "What a model scores beyond its size on verifiable benchmarks less the same on GPQA, "
        "against the peers' line of points on log10(parameters). One model is no test of a law.",
    )
    return png(figure)


def coupling(found: "Findings") -> bytes | None:
    """Residual levels of models, reasoning against knowledge."""
    names = [n for n in ("outcomes_aggregates", "mmlupro") if found.levels.get(n)]
    if not names:
        return None
    shown = [(n, s) for n in names for s in found.levels[n]][:3]
    side, gap, left, bottom = 196.0, 46.0, 52.0, 42.0
    boxes = [(left + k * (side + gap), bottom, side, side) for k in range(len(shown))]
    wide = max(left + len(shown) * (side + gap), 470)
    figure, panels = canvas(wide, bottom + side + 92, boxes)
    for axes, (_, source) in zip(panels, shown, strict=True):
        x, y = (_beyond(level, source.size) for level in source.level)
        axes.axhline(0, color="#dddddd", linewidth=0.8)
        axes.axvline(0, color="#dddddd", linewidth=0.8)
        axes.plot(x, y, "o", color=KNOWN, markersize=4.5, alpha=0.8)
        middle = (x.min() + x.max()) / 2
        for k in np.argsort(-np.abs(x - y))[:3]:
            right = bool(x[k] > middle)
            axes.annotate(
                source.models[k].split("_")[-1][:22], (x[k], y[k]), (-4 if right else 4, 4),
                textcoords="offset points", fontsize=SIZE - 3, color=GREY,
                ha="right" if right else "left",
            )  # fmt: skip
        axes.locator_params(nbins=4)
        axes.set_title(f"{source.place.split('/')[-1][:30]} ({len(x)})", fontsize=SIZE - 1,
                       loc="left", color=INK)  # fmt: skip
        axes.set_xlabel("verifiable, beyond size")
    panels[0].set_ylabel("knowledge, beyond size")
    title(
        figure,
        "Are reasoning and knowledge coupled, size aside?",
        "Log-odds of the mean score above the guess floor, less its regression on log10 of "
        "parameters; a point a model. The verdict correlates ranks, corrected for noise.",
    )
    return png(figure)


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
    figure, panels = canvas(560, 330, [(52, 44, 216, 200), (318, 44, 216, 200)])
    pairs = ((VERIFIABLE, "verifiable", VERIFIED), (KNOWLEDGE, "knowledge", KNOWN))
    for axes, (axis, word, colour) in zip(panels, pairs, strict=True):
        ability = levels(grid, axis)
        share = 100 / (1 + np.exp(-ability))
        axes.plot(grid.total, share, "o", color=colour, markersize=4.5, alpha=0.75)
        own = next((f for n, f in every if n == name and f.place == best.place and f.axis == word),
                   None)  # fmt: skip
        if own is not None:
            _line(axes, own, ability)
            axes.set_title(f"{word}: {_decades(own)}", fontsize=SIZE - 1, loc="left", color=INK)
        axes.set_xscale("log")
        axes.set_xlim(0.8 * grid.total.min(), 1.25 * grid.total.max())
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
        "parameters on the log-odds, for models of 2023 (dotted), 2024 and 2025 (solid).",
    )
    return png(figure)


def _decades(own: Any) -> str:
    one = own.decades_a_logit
    ends = ["–" if np.isnan(x) else f"{x:.2f}" for x in (one.low, one.high)]
    return f"{one.value:.2f} [{ends[0]}, {ends[1]}] decades a log-odd"


def _line(axes: Any, own: Any, ability: NDArray[np.float64]) -> None:
    at = np.linspace(float(np.nanmin(ability)), float(np.nanmax(ability)), 60)
    years = (-1, 0, 1) if len(own.at) > 2 else (0,)
    for year, dash in zip(years, ((0, (1, 1.5)), (0, (4, 2)), "-"), strict=False):
        size = own.at[0] + own.at[1] * at + (own.at[2] * year if len(own.at) > 2 else 0)
        axes.plot(10**size, 100 / (1 + np.exp(-at)), color=INK, linewidth=1, linestyle=dash,
                  scalex=False)  # fmt: skip
