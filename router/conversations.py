"""Where each conversation's prompt is cached: the arm of its last turn, in memory, for a while.

Bounded and forgetful: a provider forgets too, and who is not found here pays the full price of
a prompt, which is what the case then says. Nothing of a conversation's text is kept.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Conversations", "Held"]


@dataclass(frozen=True, slots=True)
class Held:
    """The last turn of a conversation."""

    arm: str
    tokens: int
    """Of its prompt, as its model counted them."""
    at: float


class Conversations:
    """By the conversation's key.

    Args:
        lifetime_s: how long a provider keeps a prompt, seconds.
        most: conversations; the longest unused one is forgotten.
    """

    def __init__(
        self, lifetime_s: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lifetime_s, self._most, self._clock = lifetime_s, most, clock
        self._held: OrderedDict[str, Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def last(self, key: str) -> Held | None:
        """What is still cached of a conversation."""
        self._forget()
        return self._held.get(key)

    def keep(self, key: str, arm: str, tokens: int) -> None:
        """An arm has answered a turn."""
        self._held[key] = Held(arm, tokens, self._clock())
        self._held.move_to_end(key)
        self._forget()
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def _forget(self) -> None:
        """What no provider holds any more; the longest unused is the first."""
        now = self._clock()
        while self._held and now - next(iter(self._held.values())).at > self._lifetime_s:
            self._held.popitem(last=False)
