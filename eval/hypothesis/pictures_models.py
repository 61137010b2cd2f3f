"""The pictures of models of the published table: effective sizes and the contrast."""

from typing import TYPE_CHECKING, Any

import numpy as np

from eval.hypothesis.effective import peers_spread
from eval.hypothesis.pictures import KNOWN, LEGEND, VERIFIED, legend, rows_panel
from eval.report.canvas import SIZE, png, title
from eval.report.style import GREY, INK

if TYPE_CHECKING:
    from eval.hypothesis.effective import Effective
    from eval.hypothesis.judge import Findings

__all__ = ["contrast", "effective", "every_model"]

OWN = "VibeThinker-3B"
TICKS = (3, 10, 30, 100, 300, 1000)


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
    figure, axes = rows_panel([f"{e.benchmark}  {e.score:.1f}" for e in rows], top=70, row=25)
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
    figure, axes = rows_panel([r[0] for r in rows], top=LEGEND, row=16, right=20)
    _size_axis(axes)
    for at, (_, size, one, two) in enumerate(rows):
        axes.plot([one, two], [at, at], color="#bbbbbb", linewidth=1.4, zorder=1)
        axes.plot(size, at, "|", color=INK, markersize=10, markeredgewidth=2, zorder=2)
        axes.plot(two, at, "o", color=KNOWN, markersize=8, zorder=3)
        axes.plot(one, at, "D", color=VERIFIED, markersize=4.5, zorder=4)
    axes.set_xlabel("total parameters")
    legend(
        figure, axes,
        (("|", INK, "own size"), ("D", VERIFIED, "verifiable (mean of benchmarks)"),
         ("o", KNOWN, "GPQA-Diamond")),
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
    figure, axes = rows_panel([f"{c.rank}  {c.model}" for c in rows], row=16, right=40)
    spread = peers_spread(rows)
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
        f"Verifiable beyond GPQA, size aside: {own.model} {own.difference:+.2f}, rank {own.rank} "
        f"of {len(rows)}",
        "What a model scores beyond its size on verifiable benchmarks, less the same on GPQA. "
        f"Shaded: one SD of its peers ({spread:.2f}). One model is no test of a law.",
    )
    return png(figure)
