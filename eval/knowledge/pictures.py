"""The pictures of a coverage experiment: conditions, the chain of losses, groups side by side.

Okabe and Ito's colours, one a condition throughout. Bars of uncertainty are 95 %: over whole
countries in the first two pictures, Wilson's over a group's countries in the others.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eval.compare import Interval
from eval.knowledge.shares import Group, order
from eval.report.canvas import SIZE, canvas, looks, png, title
from eval.report.style import GREY, INK

if TYPE_CHECKING:
    from eval.knowledge.report import Model

__all__ = ["ALT", "COLOURS", "SAYS", "pictures"]

COLOURS: Mapping[str, str] = {
    "closed": "#767676",
    "gold": "#009E73",
    "retrieved": "#0072B2",
    "distractors": "#D55E00",
    "reference": "#000000",
}
SAYS = {
    "closed": "closed-book",
    "gold": "gold passage",
    "retrieved": "retrieved passages",
    "distractors": "distractors",
    "reference": "reference, closed-book",
}
CHAIN = (
    "knew it",
    "could read it",
    "could read what it did not know",
    "could find it",
    "right where found",
    "right where not found",
)
ALT = {
    "conditions": "Accuracy in each condition, with intervals.",
    "chain": "Knew it, could read it, could find it: shares with intervals.",
    "categories": "Accuracy by category: closed-book, retrieved, gold passage.",
    "fields": "Accuracy by field: closed-book, retrieved, gold passage.",
}
LEFT, WIDTH, BOTTOM, TOP, ROW = 168.0, 360.0, 40.0, 76.0, 20.0
RIGHT = 96.0
THIN = 13.0
"""Height of a row where there are many."""


def pictures(model: "Model") -> dict[str, bytes]:
    """Name -> PNG."""
    with looks():
        return {
            "conditions": _conditions(model),
            "chain": _chain(model),
            "categories": _groups(
                model, model.groups["category"], "What each part of the Factbook gains", ROW + 8
            ),
            "fields": _groups(model, model.groups["field"], "What each field gains", THIN),
        }


def _conditions(model: "Model") -> bytes:
    names = model.shown
    rows = [(SAYS[n], model.found[f"accuracy {n}"], COLOURS[n]) for n in names]
    return _points(model, rows, "Accuracy by condition", "The same questions in every condition.")


def _chain(model: "Model") -> bytes:
    rows = [(name, model.found[name], INK) for name in CHAIN]
    return _points(
        model,
        rows,
        "Knew it, could read it, could find it",
        "Shares of the questions; the last two rows of those whose answer was, or was not, among "
        "the retrieved passages.",
    )


def _points(
    model: "Model", rows: Sequence[tuple[str, Interval, str]], head: str, told: str
) -> bytes:
    figure, axes = _panel(len(rows), ROW + 4, TOP - 20)
    for place, (_, got, colour) in enumerate(rows):
        if got.value != got.value:
            continue
        axes.plot([100 * got.low, 100 * got.high], [place, place], color=colour, linewidth=1.6)
        axes.plot(100 * got.value, place, "o", color=colour, markersize=6, clip_on=False)
        ends = "" if got.low != got.low else f" [{100 * got.low:.0f}, {100 * got.high:.0f}]"
        axes.annotate(
            f"{100 * got.value:.1f}{ends}",
            (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=SIZE - 1,
        )  # fmt: skip
    _frame(axes, [name for name, _, _ in rows])
    title(figure, head, f"{model.title}. {len(model.data.questions)} questions. {told}")
    return png(figure)


def _groups(model: "Model", found: Sequence[Group], head: str, row: float) -> bytes:
    ranked = order(found)
    shown = [name for name in ("closed", "retrieved", "gold") if name in model.data.columns]
    figure, axes = _panel(len(ranked), row)
    for place, group in enumerate(ranked):
        ends = [100 * group.accuracy[name].value for name in ("closed", "gold")]
        axes.plot(ends, [place, place], color=GREY, linewidth=0.8, zorder=1)
        for shift, name in enumerate(shown):
            got = group.accuracy[name]
            at = place + (shift - 1) * 0.22
            axes.plot(
                [100 * got.low, 100 * got.high], [at, at], color=COLOURS[name], alpha=0.35,
                linewidth=1.2, zorder=2,
            )  # fmt: skip
            axes.plot(
                100 * got.value, at, "o", color=COLOURS[name], markersize=4, zorder=3, clip_on=False
            )
        axes.annotate(
            f"n = {group.n}", (1.01, place), xycoords=("axes fraction", "data"), va="center",
            fontsize=SIZE - 2, color=GREY,
        )  # fmt: skip
    _frame(axes, [group.name for group in ranked])
    handles = [
        axes.plot([], [], "o", color=COLOURS[name], markersize=4, label=SAYS[name])[0]
        for name in shown
    ]
    high = figure.get_figheight() * 72
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.02, 1 - 50 / high), ncols=len(shown),
        frameon=False, fontsize=SIZE - 1, borderaxespad=0, handletextpad=0.2,
    )  # fmt: skip
    title(
        figure,
        head,
        f"{model.title}. Most gained by gold facts first. Thin lines: 95 % (Wilson, over the "
        "group's countries).",
    )
    return png(figure)


def _panel(rows: int, row: float, top: float = TOP) -> tuple[Any, Any]:
    high = rows * row
    figure, (axes,) = canvas(
        LEFT + WIDTH + RIGHT, BOTTOM + high + top, [(LEFT, BOTTOM, WIDTH, high)]
    )
    return figure, axes


def _frame(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=SIZE - (2 if len(names) > 30 else 0))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of questions")
    axes.grid(axis="x", color="#eeeeee")
    axes.set_axisbelow(True)
