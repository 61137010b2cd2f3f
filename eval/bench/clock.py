"""What benches share: the median of some runs, and the machine's load beside it."""

import os
import statistics
import time
from collections.abc import Callable

__all__ = ["load_average", "median_seconds"]


def median_seconds(work: Callable[[], object], runs: int, *, warm_up: bool = False) -> float:
    """Wall clock of one go. `warm_up`: one more go first, which does not count."""
    if warm_up:
        work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def load_average() -> str:
    """The machine's load over 1, 5 and 15 minutes, for the report's header."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())
