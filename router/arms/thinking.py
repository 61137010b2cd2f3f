"""What a reader sees of a model that thinks aloud in `<think>...</think>`.

Thinking stands at the start of a response, or opens in the chat template (`opened`: only
the closing tag is ever written). A block that never closes shows nothing: drafts inside
it hold boxes and code fences. Anywhere else a tag is text like any other.

`visible_text` reads a whole response, `ThinkFilter` a stream; they agree, except that a
stream cannot take back thinking whose opening tag the template wrote unannounced.
"""

from collections.abc import Callable

__all__ = ["ThinkFilter", "unclosed", "visible_text"]

OPEN, CLOSE = "<think>", "</think>"


def visible_text(response: str, *, opened: bool = False) -> str:
    """The response without its thinking, stripped; empty where the thinking never ends."""
    if opened or response.lstrip().startswith(OPEN):
        return response.partition(CLOSE)[2].strip()
    # A lone closing tag: the template opened the block, and nobody said so.
    return response.rpartition(CLOSE)[2].strip()


def unclosed(response: str, *, opened: bool = False) -> str:
    """The thinking that never ends; empty where it ends, or where there is none."""
    begun = opened or response.lstrip().startswith(OPEN)
    return response if begun and CLOSE not in response else ""


class ThinkFilter:
    """Passes streamed text on, once the thinking is over or it is clear that there is none."""

    def __init__(self, sink: Callable[[str], None], *, opened: bool = False) -> None:
        self._sink = sink
        self._held = ""
        self._inside = opened
        self._passing = False

    def __call__(self, piece: str) -> None:
        """Take the next piece of the stream."""
        if self._passing:
            self._sink(piece)
            return
        self._held += piece
        start = self._held.lstrip()
        if self._inside or start.startswith(OPEN):
            self._inside = True
            _, closed, rest = self._held.partition(CLOSE)
            if closed:
                self._pass(rest)
        elif not OPEN.startswith(start[: len(OPEN)]):
            self._pass(self._held)

    def _pass(self, text: str) -> None:
        self._passing, self._held = True, ""
        if text:
            self._sink(text)
