"""When a model is left out for a while, and when it is tried again.

One call that failed says little: the next may be answered. A model is left out after several
failures in a row, where most of the recent calls failed, or where nothing listens any more. After
a pause it is tried again: by a probe where it has one, else by real requests, of which the first
that fails leaves it out for longer. Clock: `time.perf_counter`, seconds.
"""

import time
from collections import deque

__all__ = ["FIRST_S", "RETRY_S", "Breaker"]

FIRST_S = 1.0
"""First pause; each next one without a success between is twice as long."""
RETRY_S = 10.0
"""Longest pause before a model that was left out is tried again."""
RECENT = 20
"""Calls of which less than half must have failed."""


class Breaker:
    """Of one model. `most`: failures in a row that leave it out."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._row = 0
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._pauses = 0
        self._trial = False
        self._since = 0.0

    def failed(self, began: float, *, gone: bool = False) -> bool:
        """A call that began then has failed; whether the model is to be left out now.

        A call from before the last pause says nothing of what is there now.
        """
        if began < self._since:
            return False
        self._row += 1
        self._recent.append(False)
        full = len(self._recent) == RECENT
        mostly = full and 2 * self._recent.count(False) > RECENT
        return gone or self._trial or self._row >= self._most or mostly

    def succeeded(self, began: float) -> None:
        """A call that began then was answered."""
        if began < self._since:
            return
        self._row = self._pauses = 0
        self._trial = False
        self._recent.append(True)

    def open(self) -> float:
        """The model is left out: for how long."""
        self._row = 0
        self._recent.clear()
        self._pauses += 1
        return float(min(RETRY_S, FIRST_S * 2 ** min(self._pauses - 1, 10)))

    def close(self, *, probed: bool) -> None:
        """The model is back. Without a probe the next call is the trial, if it had been out."""
        self._since = time.perf_counter()
        self._trial = bool(self._pauses) and not probed
