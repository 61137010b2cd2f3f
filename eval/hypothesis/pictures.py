"""The pictures of the verdict: intervals, families, power. Models: `pictures_models.py`,
`pictures_levels.py`.

Light theme, Okabe and Ito's colours; verifiable is vermilion and knowledge blue throughout. The
same findings give the same bytes. Lengths are points.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.hypothesis.rules import Estimate, Rule, Verdict
from eval.report.canvas import SIZE, canvas, looks, png, title
from eval.report.style import GREY, INK

if TYPE_CHECKING:
    from eval.hypothesis.judge import Findings

__all__ = [
    "ALT",
    "KNOWN",
    "MADE",
    "VERIFIED",
    "interval_line",
    "legend",
    "pictures",
    "rows_panel",
    "source_name",
]

VERIFIED, KNOWN = "#D55E00", "#0072B2"
MADE = {"supported": "#009E73", "refuted": "#CC79A7", "undecided": "#767676"}
LEFT, WIDTH, RIGHT, BOTTOM, ROW = 218.0, 330.0, 92.0, 36.0, 21.0
PLAIN, LEGEND = 58.0, 72.0
"""Above a panel: title and a caption of two lines; the same with a legend."""
LONGEST = 34
SOURCES = {
    "EleutherAI/lm-evaluation-harness": "EleutherAI",
    "somerstep/CARROT": "CARROT",
    "sirus20x6/41-llms-evaluated-on-19-benchmarks": "41 LLMs",
}
"""What the sources of the table of means are called in pictures."""
ALT = {
    "ratio": "P1: knowledge slope over verifiable slope, by population, with the two rules.",
    "families": "P1: slopes of each family, verifiable and knowledge.",
    "worlds": "P1: verdicts in simulated worlds.",
    "routing": "P4: gain in AUROC of each pair.",
    "coupling": "P5: reasoning and knowledge of models beyond their size.",
    "frontier": "The smallest models that reach a score, by axis.",
    "effective": "How big a peer VibeThinker-3B equals on each benchmark.",
    "models": "How big a peer every model equals, on verifiable benchmarks and on GPQA-Diamond.",
    "contrast": "Verifiable residual less GPQA residual, all models ranked.",
}
"""Name -> what the picture shows, in the order of the page."""


def pictures(found: "Findings") -> dict[str, bytes]:
    """Name -> PNG; a picture that has nothing to show is not in it."""
    from eval.hypothesis import pictures_levels as levels
    from eval.hypothesis import pictures_models as models

    makers = {
        "ratio": _ratio,
        "families": _families,
        "worlds": _worlds,
        "routing": _routing,
        "coupling": levels.coupling,
        "frontier": levels.frontier,
        "effective": models.effective,
        "models": models.every_model,
        "contrast": models.contrast,
    }
    with looks():
        made = {name: maker(found) for name, maker in makers.items()}
    return {name: data for name, data in made.items() if data is not None}


def rows_panel(
    names: Sequence[str], top: float = PLAIN, row: float = ROW, right: float = RIGHT
) -> tuple[Any, Any]:
    """A panel with a named row each, the first on top."""
    high = max(len(names), 1) * row
    figure, (axes,) = canvas(
        LEFT + WIDTH + right, BOTTOM + high + top, [(LEFT, BOTTOM, WIDTH, high)]
    )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", color="#eeeeee")
    axes.set_axisbelow(True)
    return figure, axes


def interval_line(
    axes: Any, at: float, one: Estimate, colour: str, digits: int = 2, note: str = ""
) -> None:
    """A dot with its interval, and both in figures on the right, a note below; arrows where it
    leaves the panel or has no end, a hollow dot alone where there is no interval."""
    left, right = axes.get_xlim()
    whole = not (np.isnan(one.low) and np.isnan(one.high))
    if whole:
        _stroke(axes, at, one, colour)
    if left <= one.value <= right:
        axes.plot(one.value, at, "o", color=colour, markersize=6, clip_on=False,
                  markerfacecolor=colour if whole else "white", markeredgewidth=1.4)  # fmt: skip
    axes.annotate(
        f"{one.says(digits)}\n{note}".rstrip(), (1.02, at), va="center", fontsize=SIZE - 1,
        xycoords=("axes fraction", "data"),
    )  # fmt: skip


def _stroke(axes: Any, at: float, one: Estimate, colour: str) -> None:
    left, right = axes.get_xlim()
    low = left if np.isnan(one.low) else one.low
    high = right if np.isnan(one.high) else one.high
    axes.plot([max(low, left), min(high, right)], [at, at], color=colour, linewidth=1.8)
    for end, edge, mark in ((low, left, "<"), (high, right, ">")):
        if (end <= left and mark == "<") or (end >= right and mark == ">"):
            axes.plot(edge, at, mark, color=colour, markersize=5, clip_on=False)


def source_name(place: str) -> str:
    """A source as pictures call it."""
    return SOURCES.get(place, place.split("/")[-1])


def _of(found: "Findings", prediction: str) -> list[Verdict]:
    return [v for v in found.verdicts if v.prediction == prediction]


def _ratio(found: "Findings") -> bytes | None:
    shown = [v for v in _of(found, "P1_slopes") if not np.isnan(v.estimate.value)]
    if not shown:
        return None
    rule = found.registration.prediction("P1_slopes")
    up, down = Rule.of(rule["supported_if"]).bound, Rule.of(rule["refuted_if"]).bound
    names = [
        f"{v.population}\n{v.models} models, {v.families} "
        f"{'family' if v.families == 1 else 'families'}; {v.kind}"
        for v in shown
    ]
    figure, axes = rows_panel(names, top=70, row=34)
    axes.set_xlim(0, 3)
    axes.axvspan(up, 3, color=MADE["supported"], alpha=0.09, linewidth=0)
    axes.axvspan(0, down, color=MADE["refuted"], alpha=0.12, linewidth=0)
    axes.axvline(1, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    for at, verdict in enumerate(shown):
        interval_line(axes, at, verdict.estimate, MADE[verdict.word], note=verdict.word)
    for x, align, text in ((up, "left", f"supported: whole interval above {up:g}"),
                           (down, "right", f"refuted: below {down:.2f}")):  # fmt: skip
        axes.annotate(text, (x, -0.64), ha=align, va="bottom", fontsize=SIZE - 1, color=INK,
                      annotation_clip=False)  # fmt: skip
    axes.set_xlabel("knowledge slope / verifiable slope (log-odds a decade of parameters)")
    title(
        figure,
        "Does knowledge rise faster with size than verifiable reasoning?",
        "Binomial regression within family and era, 95 % over whole families. Hollow: fewer than "
        "four families have two sizes, so that resamples of families give no interval.",
    )
    return png(figure)


def _families(found: "Findings") -> bytes | None:
    name = next((n for n in ("outcomes_aggregates", "mmlupro") if found.pairs.get(n)), None)
    if name is None:
        return None
    order = sorted(found.pairs[name], key=lambda p: (p.family, p.smallest))
    kept = [p for p in order if not (np.isnan(p.verifiable) or np.isnan(p.knowledge))]
    if not kept:
        return None
    names = [_stratum(p.stratum, p.smallest, p.largest) for p in kept]
    figure, axes = rows_panel(names, top=LEGEND, row=17, right=20)
    axes.tick_params(axis="y", labelsize=SIZE - 1)
    ends = [v for p in kept for v in (p.verifiable, p.knowledge)]
    axes.set_xlim(min(0, min(ends)) - 0.15, max(ends) + 0.15)
    axes.axvline(0, color=GREY, linewidth=0.8)
    for at, p in enumerate(kept):
        axes.plot([p.verifiable, p.knowledge], [at, at], color="#bbbbbb", linewidth=1.4, zorder=1)
        axes.plot(p.verifiable, at, "D", color=VERIFIED, markersize=5.5, zorder=3)
        axes.plot(p.knowledge, at, "o", color=KNOWN, markersize=5.5, zorder=2)
    axes.set_xlabel("rise in log-odds of a right answer, a decade of parameters")
    legend(figure, axes, (("D", VERIFIED, "verifiable"), ("o", KNOWN, "knowledge")))
    steeper = sum(p.knowledge > p.verifiable for p in kept)
    title(
        figure,
        f"Within family and era, knowledge is the steeper one in {steeper} of {len(kept)}",
        f"{name}. Models of one family and era, by least squares on the log-odds of their mean "
        "score above the guess floor; billions of parameters, smallest to largest, and source.",
    )
    return png(figure)


def _stratum(name: str, low: float, high: float) -> str:
    family, era, place = name.split("|")
    where = f", {SOURCES[place]}" if place in SOURCES else ""
    return f"{family} {era} ({low:.2g} to {high:.2g}B){where}"


def legend(figure: Any, axes: Any, marks: Sequence[tuple[str, str, str]]) -> None:
    """Marks (symbol, colour, text) in a row below the caption; the panel's top is `LEGEND`."""
    handles = [axes.plot([], [], m, color=c, markersize=5.5, label=t)[0] for m, c, t in marks]
    high = figure.get_figheight() * 72
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.02, 1 - 50 / high),
        ncols=len(marks), frameon=False, fontsize=SIZE, borderaxespad=0, handletextpad=0.2,
    )  # fmt: skip


def _worlds(found: "Findings") -> bytes | None:
    if not found.worlds:
        return None
    name, report = next(iter(found.worlds.items()))
    kinds = list(report.counts)
    truth = {"split": "truth: ratio 2 (split)", "no split": "truth: ratio 1 (no split)",
             "reversed": "truth: ratio ½ (reversed)"}  # fmt: skip
    figure, axes = rows_panel([truth[k] for k in kinds], top=LEGEND, row=34, right=30)
    axes.set_xlim(0, 100)
    for at, kind in enumerate(kinds):
        left = 0.0
        for word, colour in MADE.items():
            share = 100 * report.share(kind, word)
            axes.barh(at, share, left=left, height=0.62, color=colour,
                      alpha=0.45 if word == "undecided" else 0.9)  # fmt: skip
            if share >= 6:
                ink = INK if word == "undecided" else "white"
                axes.annotate(f"{share:.0f} %", (left + share / 2, at), ha="center", va="center",
                              fontsize=SIZE, color=ink)  # fmt: skip
            left += share
    axes.set_xlabel(f"% of {report.worlds} worlds each")
    legend(figure, axes, [("s", MADE[w], w) for w in MADE])
    power = report.power
    title(
        figure,
        "What the rule says in worlds whose truth is known"
        + (": underpowered" if report.underpowered else ""),
        f"{name}'s models, families and items; noise estimated from it. Power: "
        f"{100 * power['split']:.0f} % at ratio 2, {100 * power['no split']:.0f} % at ratio 1. "
        f"Wrong verdicts: {100 * max(report.wrong.values()):.1f} % at most (the bar is 5 %).",
    )
    return png(figure)


def _short(model: str) -> str:
    name = model.split("/")[-1]
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _routing(found: "Findings") -> bytes | None:
    rows = [(name, one) for name, routed in found.routed.items() for one in routed]
    if not rows:
        return None
    names = [f"{name}: {_short(one.pair.small)}\nto {_short(one.pair.large)}" for name, one in rows]
    figure, axes = rows_panel(names, top=LEGEND, row=29, right=112)
    axes.tick_params(axis="y", labelsize=SIZE - 1)
    ends = np.array([x for _, r in rows for x in (r.gain.low, r.gain.high) if not np.isnan(x)])
    reach = max(0.01, float(np.abs(ends).max()))
    axes.set_xlim(-1.1 * reach, 1.1 * reach)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.axvline(0.005, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    for at, (_, one) in enumerate(rows):
        wants = one.coefficient.low > 0
        against = one.coefficient.high < 0
        colour = MADE["supported"] if wants else MADE["refuted"] if against else GREY
        interval_line(axes, at, one.gain, colour, digits=3)
    legend(figure, axes, (("o", MADE["supported"], "small matches more on verifiable queries"),
                          ("o", MADE["refuted"], "less"), ("o", GREY, "sign open")))  # fmt: skip
    axes.set_xlabel("gain in out-of-fold AUROC of knowing whether a query is verifiable")
    title(
        figure,
        "Does verifiability tell where the small model matches the large one?",
        "Beyond difficulty and length; pairs of models, 95 % over queries; dashed: .005. For the "
        "hypothesis speaks a pair that is green and whose whole interval is right of 0.",
    )
    return png(figure)
