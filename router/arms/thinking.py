"""What a reader sees of a model that thinks aloud in `<think>...</think>`.

`visible_text` reads a whole response, `ThinkFilter` a stream, piece by piece. An
unclosed think block shows nothing: drafts inside it hold boxes and code fences.
"""

from collections.abc import Callable

from router.verify.text import strip_thinking

__all__ = ["ThinkFilter", "visible_text"]

OPEN, CLOSE = "<think>", "</think>"


def visible_text(response: str) -> str:
    """The response without its thinking, stripped."""
    return strip_thinking(response).strip()


class ThinkFilter:
    """Passes streamed text on, except what stands inside think tags.

    A tag may be split over pieces, so the longest suffix that could still become a tag
    is held back. Text after the last piece is never lost: what is held back is at most a
    partial tag, and `visible_text` of the whole response decides what the answer is.
    """

    def __init__(self, sink: Callable[[str], None]) -> None:
        self._sink = sink
        self._held = ""
        self._inside = False

    def __call__(self, piece: str) -> None:
        self._held += piece
        while self._held:
            tag = CLOSE if self._inside else OPEN
            before, found, after = self._held.partition(tag)
            if not found:
                keep = _partial(self._held, tag)
                ready, self._held = (
                    self._held[: len(self._held) - keep],
                    self._held[-keep:] if keep else "",
                )
                self._emit(ready)
                return
            self._emit(before)
            self._held, self._inside = after, not self._inside

    def _emit(self, text: str) -> None:
        if text and not self._inside:
            self._sink(text)


def _partial(text: str, tag: str) -> int:
    """Length of the longest suffix of `text` that is a proper prefix of `tag`."""
    return next(
        (n for n in range(min(len(text), len(tag) - 1), 0, -1) if tag.startswith(text[-n:])), 0
    )
