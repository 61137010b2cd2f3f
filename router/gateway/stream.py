"""Server-sent events of one run.

Text that no check will judge streams at once, and then it stands. Text that may still be
thrown away is held back: the client sees progress as SSE comments, and the answer once it
has been verified or escalated. A comment every second also finds out that the client is
gone, and then the run is cancelled, which stops the model's work.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from anyio import CancelScope
from starlette.responses import StreamingResponse
from starlette.types import Send

from router.errors import ModelError, OckhamError
from router.gateway.schema import chunk, usage_chunk
from router.samples import AttemptStatus
from router.state import Answer, Event

__all__ = ["EventStream", "sse"]

_LOG = logging.getLogger(__name__)

BEAT_S = 1.0


class EventStream(StreamingResponse):
    """A streaming response that always closes its body, also when the client has gone."""

    async def stream_response(self, send: Send) -> None:
        body: Any = self.body_iterator
        try:
            await super().stream_response(send)
        finally:
            # Shielded: Starlette cancels this whole scope when the client goes away, and
            # an unshielded await would be cut short before the run is stopped.
            with CancelScope(shield=True):
                await body.aclose()


async def sse(
    events: AsyncGenerator[Event, None], id: str, include_usage: bool, error_body: Any
) -> AsyncGenerator[bytes, None]:
    """Encode a run. `error_body` turns an `OckhamError` into OpenAI's error object."""
    writer = _Writer(id)
    async with aclosing(events), aclosing(_beating(events)) as beats:
        try:
            async for event in beats:
                if event is None:
                    yield b": working\n\n"
                    continue
                for piece in writer.take(event):
                    yield piece
            for piece in writer.end(include_usage):
                yield piece
        except OckhamError as error:
            # No [DONE]: a stream that failed must not look complete.
            yield _data(error_body(error))
        except Exception:
            _LOG.exception("a streamed run failed")
            yield _data(error_body(OckhamError("internal error; see the log")))


class _Writer:
    """Decides what of a run the client sees, and when."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._model = "ockham"
        self._committed = ""
        self._answer: Answer | None = None

    def take(self, event: Event) -> list[bytes]:
        """The bytes that one event adds to the stream."""
        if event.kind == "delta":
            return self._text(event.text) if not event.checked else []
        if event.kind == "attempt":
            return [_comment(f"attempt {event.arm}")]
        if event.kind == "attempt_done":
            failed = event.data.status is AttemptStatus.FAILED
            if failed and self._committed:
                raise ModelError(event.data.error or "the model failed in the middle of its answer")
            return []
        if event.kind == "verdict":
            return [_comment(f"verdict {event.arm} {event.data.status}")]
        if event.kind == "answer":
            self._answer = event.data
        return []

    def end(self, include_usage: bool) -> list[bytes]:
        """What is left of the answer, the finish reason, usage, [DONE]."""
        answer = self._answer
        if answer is None:  # pragma: no cover - astream raises before it ends without one
            raise ModelError("the run ended without an answer")
        self._model = answer.model
        pieces: list[bytes] = []
        if not self._committed.strip().endswith(answer.answer.strip()):
            if self._committed:
                raise ModelError("the answer changed after part of it had been sent")
            pieces += self._text(answer.answer)
        pieces.append(_data(chunk(self._id, self._model, {}, finish=answer.finish, final=answer)))
        if include_usage:
            pieces.append(_data(usage_chunk(answer)))
        return [*pieces, b"data: [DONE]\n\n"]

    def _text(self, text: str) -> list[bytes]:
        delta = {"content": text} if self._committed else {"role": "assistant", "content": text}
        self._committed += text
        return [_data(chunk(self._id, self._model, delta))]


async def _beating(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event | None, None]:
    """The events, and a None for every `BEAT_S` without one."""
    coming: asyncio.Task[Event] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events))
            await asyncio.wait({coming}, timeout=BEAT_S)
            if not coming.done():
                yield None
                continue
            done, coming = coming, None
            try:
                yield done.result()
            except StopAsyncIteration:
                return
    finally:
        if coming is not None:
            coming.cancel()
            # Shielded, as above; and `wait`, which passes no second cancellation on.
            with CancelScope(shield=True):
                await asyncio.wait({coming})


def _data(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


def _comment(text: str) -> bytes:
    return f": {text}\n\n".encode()
