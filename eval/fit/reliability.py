"""Reliability of probabilities: stated against observed, in bins of equal mass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.compare import wilson
from eval.fit.linear import Reals
from eval.metrics.calibration import ece
from eval.report.canvas import SIZE, canvas, looks, png, title
from eval.report.style import GREY

__all__ = ["BINS", "Bin", "Series", "bins_of", "reliability"]

BINS = 10
_SERIES = (("#0072B2", "o"), ("#B84E00", "s"))
"""Colour and marker; a panel holds at most two series."""


@dataclass(frozen=True)
class Series:
    """Held-out probabilities (n,) and labels (n,) of 0 and 1."""

    name: str
    probabilities: Reals
    labels: Reals


@dataclass(frozen=True)
class Bin:
    """Mean probability, and share of ones with Wilson's 95 % interval."""

    probability: float
    share: float
    low: float
    high: float
    n: int


def reliability(
    panels: Sequence[tuple[str, Sequence[Series]]],
    caption: str,
    question: str = "Does the head mean its probabilities?",
    share: str = "share that has the label 1",
) -> bytes:
    """A PNG: share of ones over stated probability, a panel an axis; below, counts of rows."""
    side, low, step = 300.0, 70.0, 370.0
    boxes: list[tuple[float, float, float, float]] = []
    for i in range(len(panels)):
        boxes += [(60 + i * step, 125, side, side), (60 + i * step, 40, side, low)]
    with looks():
        figure, axes = canvas(step * len(panels) + 15, side + 185, boxes)
        for i, (name, series) in enumerate(panels):
            _reliable(axes[2 * i], name, series, share)
            _counts(axes[2 * i + 1], series)
        title(figure, question, caption)
        return png(figure)


def bins_of(series: Series, bins: int = BINS) -> list[Bin]:
    """The bins of `eval.metrics.calibration.ece`: of equal mass, equal values in one of them."""
    p, y = series.probabilities, series.labels
    _, block = np.unique(p, return_inverse=True)
    mass = np.bincount(block)
    middle = (np.cumsum(mass) - mass / 2) / len(p)
    home = np.minimum((middle * bins).astype(np.intp), bins - 1)[block]
    out = []
    for b in np.unique(home):
        share = wilson(float(y[home == b].sum()), int((home == b).sum()))
        out.append(Bin(float(p[home == b].mean()), share.value, share.low, share.high, share.n))
    return out


def _reliable(axes: Any, name: str, series: Sequence[Series], share: str) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls=(0, (2, 3)), zorder=1)
    for (colour, marker), one in zip(_SERIES, series, strict=False):
        bins = bins_of(one)
        x, y = [b.probability for b in bins], [b.share for b in bins]
        arms = [[max(b.share - b.low, 0) for b in bins], [max(b.high - b.share, 0) for b in bins]]
        axes.errorbar(
            x, y, yerr=arms, fmt=marker, color=colour, ms=5.5, mec="white", mew=0.6, elinewidth=1.3,
            capsize=2.5, zorder=3,
            label=f"{one.name}, n = {len(one.labels):,}, "
            f"ECE {ece(one.probabilities, one.labels, BINS):.3f}",
        )  # fmt: skip
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set_ylabel(share)
    axes.set_title(name, size=SIZE + 1, loc="left", pad=6)
    axes.grid(color="#EEEEEE", lw=0.8)
    axes.set_axisbelow(True)
    if series:
        axes.legend(
            loc="upper left", frameon=True, framealpha=0.9, edgecolor="none", handletextpad=0.3
        )


def _counts(axes: Any, series: Sequence[Series]) -> None:
    edges = np.linspace(0, 1, 21)
    wide = 0.05 / (len(series) + 0.25)
    for i, ((colour, _), one) in enumerate(zip(_SERIES, series, strict=False)):
        counts, _ = np.histogram(one.probabilities, edges)
        axes.bar(edges[:-1] + (i + 0.5) * wide, counts, wide, color=colour)
    axes.set(xlim=(-0.03, 1.03), yscale="log")
    axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"], minor=False)
    axes.minorticks_off()
    axes.set_ylim(bottom=0.8)
    axes.set_ylabel("rows")
    axes.set_xlabel("probability that was given")
