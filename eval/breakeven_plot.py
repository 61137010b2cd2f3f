"""The picture of `ockham cost breakeven`: USD a correct answer by token cap, a panel a machine.

A band is one load (streams at once) over all GPU prices of the grid, its line the middle
price. A dashed line is a hosted model: above it the small model loses.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eval.breakeven import Cell, Facts, Offer
from eval.report.canvas import SIZE, canvas, looks, png, title
from eval.report.style import FREE, GREY, INK

__all__ = ["picture"]

PANEL, HIGH = 200.0, 210.0
LEFT, GAP, RIGHT, BOTTOM, TOP = 52.0, 14.0, 118.0, 40.0, 62.0


def picture(grid: Sequence[Cell], sold: Sequence[Offer], facts: Facts, busy: float) -> bytes:
    """The PNG's bytes."""
    machines = list(dict.fromkeys(cell.serving for cell in grid))
    prices = sorted({cell.usd_per_hour for cell in grid})
    loads = sorted({cell.streams for cell in grid})
    colours = dict(zip(loads, FREE * len(loads), strict=False))
    width = LEFT + len(machines) * PANEL + (len(machines) - 1) * GAP + RIGHT
    boxes = [(LEFT + i * (PANEL + GAP), BOTTOM, PANEL, HIGH) for i in range(len(machines))]
    with looks():
        figure, panels = canvas(width, BOTTOM + HIGH + TOP, boxes)
        for axes, machine in zip(panels, machines, strict=True):
            _panel(axes, [c for c in grid if c.serving == machine], prices, colours)
            for offer in sold:
                axes.axhline(offer.correct_usd, color=GREY, linewidth=0.9, linestyle="--")
        _share_scale(panels, grid, sold)
        _name_hosted(panels[-1], sold)
        panels[0].set_ylabel("USD a correct answer")
        title(
            figure,
            "Above a dashed line the small model loses",
            f"{facts.outcomes.benchmark}; bands: GPU at USD {prices[0]:g} to {prices[-1]:g} an "
            f"hour, {busy:.0%} busy, the line at {prices[len(prices) // 2]:g}; dashed: hosted "
            f"models at {facts.hosted_tokens:,} tokens an answer (assumed).",
        )
        return png(figure)


def _panel(
    axes: Any, grid: Sequence[Cell], prices: Sequence[float], colours: Mapping[int, str]
) -> None:
    caps = sorted({cell.cap for cell in grid})
    for streams in sorted({c.streams for c in grid}):
        colour = colours[streams]
        cost = {(c.cap, c.usd_per_hour): c.small_usd for c in grid if c.streams == streams}
        low, middle, high = (
            [cost[cap, price] for cap in caps]
            for price in (prices[0], prices[len(prices) // 2], prices[-1])
        )
        axes.fill_between(caps, low, high, color=colour, alpha=0.18, linewidth=0)
        label = f"{streams} at once" if streams > 1 else "1 alone"
        axes.plot(caps, middle, color=colour, marker="o", markersize=3, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(caps, [f"{cap // 1024}K" if cap % 1024 == 0 else str(cap) for cap in caps])
    axes.minorticks_off()
    axes.set_xlabel("token cap")
    axes.set_title(grid[0].serving, fontsize=SIZE, color=INK)
    axes.legend(frameon=False, fontsize=SIZE - 1, loc="lower left", borderpad=0.1)


def _share_scale(panels: Sequence[Any], grid: Sequence[Cell], sold: Sequence[Offer]) -> None:
    costs = [c.small_usd for c in grid if c.right > 0] + [offer.correct_usd for offer in sold]
    low, high = min(costs) / 2.5, max(costs) * 1.4
    tens = [10.0**k for k in range(-9, 6) if low <= 10.0**k <= high]
    for axes in panels:
        axes.set_ylim(low, high)
        axes.set_yticks(tens, [f"{ten:g}" for ten in tens])
    for axes in panels[1:]:
        axes.set_yticklabels([])


def _name_hosted(axes: Any, sold: Sequence[Offer]) -> None:
    """Names at the right, pushed apart where two prices are near each other."""
    low, high = axes.get_ylim()
    last = 0.0
    for offer in sorted(sold, key=lambda o: o.correct_usd):
        at = max(offer.correct_usd, last)
        last = at * (high / low) ** (12 / HIGH)
        name = offer.model.split("/")[-1]
        axes.annotate(
            f"{name} {offer.correct_usd:.4f}", (1.02, at), xycoords=("axes fraction", "data"),
            fontsize=SIZE - 1, color=GREY, va="center", annotation_clip=False,
        )  # fmt: skip
