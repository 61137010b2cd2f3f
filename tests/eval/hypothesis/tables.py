"""Made-up tables for the tests of the verdict."""

import numpy as np

from eval.hypothesis.grid import Grid, grid_of

FAMILIES = ("bloom", "opt", "gemma-3", "qwen3", "yi-1.5", "deepseek-llm", "granite-4.0", "phi-3")


def table(
    ratio: float = 1.0,
    families: int = 8,
    sizes: tuple[float, ...] = (1.0, 4.0, 16.0),
    items: int = 12,
    n: int = 400,
    seed: int = 0,
    noise: float = 0.05,
) -> Grid:
    """Families at several sizes; verifiable rises by 1 a decade, knowledge by `ratio`."""
    rng = np.random.default_rng(seed)
    names = FAMILIES[:families]
    hard = rng.normal(0, 0.6, items)
    rows = []
    for name in names:
        level = rng.normal(0, 0.3)
        for size in sizes:
            x = np.log10(size / 4)
            own = rng.normal(0, noise, 2)
            for i in range(items):
                axis = i % 2
                slope = ratio if axis else 1.0
                floor = 0.25 if i % 3 == 0 else 0.0
                eta = level + hard[i] + slope * x + own[axis]
                p = floor + (1 - floor) / (1 + np.exp(-eta))
                rows.append((f"{name}-{size:g}b", "here", size, None, f"item {i}",
                             "knowledge" if axis else "verifiable", floor,
                             rng.binomial(n, p) / n, float(n)))  # fmt: skip
    return grid_of(rows)
