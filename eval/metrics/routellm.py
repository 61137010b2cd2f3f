"""APGR and CPT exactly as RouteLLM's published evaluation computes them (arXiv 2406.18665).

Kept beside `eval.metrics.pair` so that a figure can stand next to theirs. It differs there:
ten quantile thresholds instead of all, and CPT by np.interp over accuracies that need not
be sorted.

Their code cuts with pandas.qcut, which raises where two bin edges are equal. Here equal edges
stay: each selects the same rows, a zero-width step, so the area is what their formula gives.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.arrays import Floats, column

__all__ = ["RouteLLMPoints", "apgr_routellm", "cpt_routellm", "routellm_points"]

NOTHING = 1e-10  # percent; a difference this small is rounding


class RouteLLMPoints(NamedTuple):
    """What their evaluation records, in percent, sorted by strong share; (num_results + 1,)."""

    strong_percent: Floats
    accuracy: Floats
    weak_accuracy: float
    strong_accuracy: float

    def apgr(self) -> float:
        """(AUC - weak AUC) / (strong AUC - weak AUC) over these shares; nan if not above 0."""
        share = self.strong_percent / 100
        width = float(share[-1] - share[0])
        gap = (self.strong_accuracy - self.weak_accuracy) * width
        if gap <= NOTHING:
            return float("nan")
        area = float(np.trapezoid(self.accuracy, share))
        return (area - self.weak_accuracy * width) / gap

    def cpt(self, x: float) -> float:
        """Percent of strong calls at PGR `x`, by np.interp; nan where strong is not better."""
        gap = self.strong_accuracy - self.weak_accuracy
        if gap <= NOTHING:
            return float("nan")
        target = x * gap + self.weak_accuracy
        return float(np.interp(target, self.accuracy, self.strong_percent))


def routellm_points(
    score: ArrayLike, weak: ArrayLike, strong: ArrayLike, num_results: int = 10
) -> RouteLLMPoints:
    """Their thresholds and what each yields. (n,) arrays; score higher = strong."""
    scores = column("score", score)
    low = column("weak", weak, len(scores))
    high = column("strong", strong, len(scores))
    edges = _qcut_edges(scores, num_results)
    share, accuracy = np.empty(len(edges)), np.empty(len(edges))
    for i, edge in enumerate(edges):
        # `>` at the last edge, the maximum, so that one point sends nothing to the strong arm.
        chosen = scores >= edge if i < len(edges) - 1 else scores > edge
        share[i] = chosen.mean() * 100
        accuracy[i] = np.where(chosen, high, low).mean() * 100
    rising = np.argsort(share, kind="stable")
    return RouteLLMPoints(
        share[rising], accuracy[rising], float(low.mean()) * 100, float(high.mean()) * 100
    )


def apgr_routellm(
    score: ArrayLike, weak: ArrayLike, strong: ArrayLike, num_results: int = 10
) -> float:
    """APGR by their code; no weights: the thresholds themselves move with the sample."""
    return routellm_points(score, weak, strong, num_results).apgr()


def cpt_routellm(
    score: ArrayLike, weak: ArrayLike, strong: ArrayLike, x: float, num_results: int = 10
) -> float:
    """CPT(x) by their code, in percent of calls."""
    return routellm_points(score, weak, strong, num_results).cpt(x)


def _qcut_edges(scores: Floats, q: int) -> Floats:
    """(q + 1,) bin edges of pandas.qcut(scores, q, retbins=True), linear quantiles at k / q.

    As pandas did when RouteLLM was published. pandas 3 first rounds k / q up in the last bit,
    which can move the one query that lies exactly on an edge, for n = 1 modulo q only.
    """
    return np.asarray(np.quantile(scores, np.linspace(0, 1, q + 1)), dtype=np.float64)
