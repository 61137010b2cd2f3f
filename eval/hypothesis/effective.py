"""Effective size: how big a peer a model equals on each benchmark of the published table.

The picture that people will share, and no prediction. Peers are the other models of known size
(never VibeThinker's own rows). On the log-odds their scores are regressed on log10(size); a
model's effective size is where that line reaches its score, and its interval holds every size
at which its score lies in the peers' prediction interval. Nothing is read off beyond the data:
what falls outside the peers' sizes is "at least" or "at most".

The contrast: a model's standardised residual on verifiable benchmarks (mean) less that on
GPQA-Diamond. Compression without coverage would put it high.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.published import WITH_SCALING, Published

__all__ = [
    "OWN",
    "Contrast",
    "Effective",
    "contrasts",
    "effective_sizes",
    "peers_spread",
    "slopes_in_points",
]

OWN = "VibeThinker"
LEVEL, HALF = 0.95, 0.5
CLIP = (0.5, 99.5)
"""Percent, before log-odds."""
ENOUGH = 6
"""Peers that a line needs."""
STEPS = 601
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effective:
    """One model on one benchmark; sizes in billions.

    `low`, `high`: of the 95 % prediction interval, `half_low`, `half_high` of the 50 %. An end
    that meets the edge of the peers' sizes is censored there: `below`, `above`.
    """

    model: str
    benchmark: str
    axis: str
    score: float
    size: float
    value: float
    low: float
    high: float
    half_low: float
    half_high: float
    below: bool
    above: bool
    peers: int

    @property
    def says(self) -> str:
        """`120`, `at least 1000`."""
        if self.value >= self.most:
            return f"at least {self.most:.0f}"
        return f"at most {self.least:.0f}" if self.value <= self.least else f"{self.value:.0f}"

    least: float = 3.0
    most: float = 1000.0


@dataclass(frozen=True)
class Contrast:
    """One model: standardised residuals, their difference, its rank (1 is the highest)."""

    model: str
    verifiable: float
    knowledge: float
    difference: float
    rank: int
    benchmarks: int


def _peers(table: Published, benchmark: str, model: str | None) -> tuple[Floats, Floats]:
    """log10(size) and percent of the peers."""
    found = [
        (math.log10(size), scores[benchmark])
        for name, scores in table.scores.items()
        if benchmark in scores and OWN not in name and name != model
        and (size := table.sizes[name][0]) is not None
    ]  # fmt: skip
    return np.array([x for x, _ in found]), np.array([y for _, y in found])


def _odds(percent: Floats | float) -> Floats:
    share = np.clip(percent, *CLIP) / 100
    found: Floats = np.log(share) - np.log1p(-share)
    return found


def effective_sizes(table: Published) -> list[Effective]:
    """Every model of known size on every benchmark that has an axis."""
    found = []
    for axis in ("verifiable", "knowledge"):
        for benchmark in table.on(axis):
            for model, scores in table.scores.items():
                size = table.sizes[model][0]
                if size is None or benchmark not in scores:
                    continue
                one = _effective(table, benchmark, axis, model, size, scores[benchmark])
                if one is not None:
                    found.append(one)
    return found


def _effective(
    table: Published, benchmark: str, axis: str, model: str, size: float, score: float
) -> Effective | None:
    from scipy.stats import t

    x, percent = _peers(table, benchmark, model)
    y, n = _odds(percent), len(x)
    if n < ENOUGH or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    slope, constant = np.polyfit(x, y, 1)
    if slope <= 0:
        return None  # a line that falls with size reads no size off
    spread = math.sqrt(float(((y - constant - slope * x) ** 2).sum()) / (n - 2))
    grid = np.linspace(x.min(), x.max(), STEPS)
    around = spread * np.sqrt(1 + 1 / n + (grid - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum())
    apart = np.abs(float(_odds(score)) - constant - slope * grid) / around
    ends = [
        _ends(grid, apart <= t.ppf((1 + level) / 2, n - 2), float(_odds(score)), constant, slope)
        for level in (LEVEL, HALF)
    ]
    at = float(np.clip((float(_odds(score)) - constant) / slope, x.min(), x.max()))
    (low, high), (half_low, half_high) = ends
    return Effective(
        model, benchmark, axis, score, size, 10**at, 10**low, 10**high, 10**half_low, 10**half_high,
        below=bool(low <= grid[0] + 1e-9), above=bool(high >= grid[-1] - 1e-9), peers=n,
        least=float(10 ** x.min()), most=float(10 ** x.max()),
    )  # fmt: skip


def _ends(
    grid: Floats, inside: NDArray[np.bool_], score: float, constant: float, slope: float
) -> tuple[float, float]:
    """The sizes that fit; where none does, the edge that is nearer."""
    if inside.any():
        return float(grid[inside][0]), float(grid[inside][-1])
    edge = grid[-1] if score > constant + slope * grid[-1] else grid[0]
    return float(edge), float(edge)


def slopes_in_points(table: Published) -> dict[str, tuple[float, int]]:
    """Benchmark -> points a decade of size over the peers (least squares), and how many."""
    found = {}
    for axis in ("verifiable", "knowledge"):
        for benchmark in table.on(axis):
            x, y = _peers(table, benchmark, None)
            found[benchmark] = (float(np.polyfit(x, y, 1)[0]), len(x))
    return found


def contrasts(table: Published) -> list[Contrast]:
    """All models of known size with a score on both axes, the highest first; rows with
    test-time scaling are another arm, and left out."""
    made = []
    for model, scores in table.scores.items():
        size = table.sizes[model][0]
        if size is None or WITH_SCALING in model:
            continue
        own = {
            axis: [_residual(table, b, size, scores[b]) for b in table.on(axis) if b in scores]
            for axis in ("verifiable", "knowledge")
        }
        if all(own.values()):
            one, two = (float(np.mean(own[axis])) for axis in ("verifiable", "knowledge"))
            made.append((model, one, two, one - two, len(own["verifiable"])))
    made.sort(key=lambda row: -row[3])
    return [Contrast(*row[:4], rank=k, benchmarks=row[4]) for k, row in enumerate(made, start=1)]


def peers_spread(made: Sequence[Contrast]) -> float:
    """SD of the difference over the models that are not VibeThinker's."""
    others = [c.difference for c in made if OWN not in c.model]
    return float(np.std(others, ddof=1)) if len(others) > 1 else math.nan


def _residual(table: Published, benchmark: str, size: float, score: float) -> float:
    """Points above the peers' line, in their residual SDs."""
    x, y = _peers(table, benchmark, None)
    slope, constant = np.polyfit(x, y, 1)
    spread = math.sqrt(float(((y - constant - slope * x) ** 2).sum()) / (len(x) - 2))
    return float((score - constant - slope * math.log10(size)) / spread)
