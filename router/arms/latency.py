"""How long an arm takes here: what a policy is told of its seconds before it runs.

    seconds = (discounted sum of measured seconds / of tokens that were predicted) * predicted

Nothing is known of an arm before its first answer. A failed call says nothing of how long an
answer takes, and is left out.
"""

import threading
from math import nan

__all__ = ["Latency"]

MEMORY = 0.95
"""Weight of an attempt beside that of the arm's next one: some twenty attempts count, so that
a server which became slow is known as slow soon."""


class Latency:
    """Measured seconds a predicted token, by arm. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[str, tuple[float, float]] = {}

    def observe(self, arm: str, tokens: int, seconds: float) -> None:
        """An attempt took `seconds`, where `tokens` were predicted for it."""
        with self._lock:
            spent, expected = self._sums.get(arm, (0.0, 0.0))
            self._sums[arm] = (MEMORY * spent + seconds, MEMORY * expected + max(tokens, 1))

    def expect(self, arm: str, tokens: int) -> float:
        """Seconds for an attempt of `tokens` predicted tokens; NaN where nothing is known."""
        spent, expected = self._sums.get(arm, (nan, nan))
        return spent / expected * max(tokens, 1)
