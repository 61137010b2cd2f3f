"""A fake hosted model inside the process: a loopback OpenAI server that answers from a function.

For tests and benchmarks, never for results: nothing it says is a model's. It speaks
OpenAI's streaming protocol and can misbehave in the ways real servers do (`Mode`). A test
says what it answers and reads what it was asked; that takes a thread a connection. Where speed,
money or a kill -9 of the upstream are the matter: `eval.bench.fake_upstream`.
"""

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

__all__ = ["FakeModel", "Mode"]

Mode = Literal[
    "ok", "cut", "reset", "garbage", "empty", "bad_json", "hang", "stall", "slow",
    "auth", "busy", "error", "overflow", "rejected", "length", "endless", "negative",
]  # fmt: skip


_STATUS: Mapping[str, int] = {
    "auth": 401, "busy": 429, "error": 500, "overflow": 400, "rejected": 400,
}  # fmt: skip


def say_hello(messages: list[dict[str, str]]) -> str:
    """The default fake: always the same words."""
    return "Hello from the fake model."


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is what some tests are about; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class FakeModel:
    """A loopback OpenAI server that answers `answer(messages)`, word by word."""

    def __init__(
        self,
        answer: Callable[[list[dict[str, str]]], str] = say_hello,
        *,
        keeps_alive: bool = False,
    ) -> None:
        self.answer = answer
        self.keeps_alive = keeps_alive
        """Leaves connections open for the next request (HTTP/1.1), as real servers do."""
        self.mode: Mode = "ok"
        self.replay: tuple[dict[str, Any], ...] | None = None
        """Exactly these deltas, one a chunk, in place of the answer's words."""
        self.mode_of: Callable[[int], Mode] | None = None
        """The mode of each request, counted from 0 in the order of arrival, in place of `mode`."""
        self.logprob_of: Callable[[str], float] | None = None
        """Log-probability of every word of a reply; sent where a request asks for them."""
        self.holds_text = False
        """All text comes with the last word, as from vLLM where a stop string may begin in it."""
        self.honours_cap = False
        """Cut replies at `max_tokens` words, as real servers do."""
        self.streams_only = False
        """Answers every request with a stream, as servers do that know nothing else."""
        self.requests: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.streaming = 0
        """Replies that are being written now."""
        self.hung_up = threading.Event()
        """Set when a client closed its connection before the stream was complete."""
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def api_base(self) -> str:
        """The base URL, with /v1."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _handler(fake: FakeModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if fake.keeps_alive else "HTTP/1.0"

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            self._json(200, {"object": "list", "data": [{"id": "fake-large", "object": "model"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with fake.lock:
                fake.requests.append(body)
                mode = fake.mode_of(len(fake.requests) - 1) if fake.mode_of else fake.mode
            status = _STATUS.get(mode)
            if status is not None:
                code = "context_length_exceeded" if mode == "overflow" else "fake"
                message = "maximum context length is 8 tokens" if mode == "overflow" else "no"
                self._json(status, {"error": {"message": message, "type": code, "code": code}})
                return
            if mode == "hang":
                fake.hung_up.wait(30)
                return
            if not body.get("stream") and not fake.streams_only:
                self._json(200, _whole(fake, body))
                return
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            if fake.keeps_alive:
                self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            with fake.lock:
                fake.streaming += 1
            try:
                pieces = _stream(fake, body, mode)
                for piece in _chunked(pieces) if fake.keeps_alive else pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                fake.hung_up.set()
            finally:
                with fake.lock:
                    fake.streaming -= 1
            if mode == "reset":
                self.connection.setsockopt(*_RESET)
                self.connection.close()

        def _json(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """HTTP/1.1's framing of a body whose length is not known before its end."""
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


_RESET = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _stream(fake: FakeModel, body: dict[str, Any], mode: Mode) -> Iterator[bytes]:
    if mode == "garbage":
        yield b"<html>I am a web page</html>\n\n"
        return
    if mode == "empty":
        return
    if fake.replay is not None:
        yield from map(_chunk, fake.replay)
        yield from _end(mode, len(fake.replay))
        return
    reply = fake.answer(body["messages"])
    words = reply.split(" ")
    if mode == "endless":
        words = ["more"] * 2000
    if mode in ("cut", "reset", "bad_json", "stall"):
        words = words[:2]
    if fake.honours_cap and len(words) > body["max_tokens"]:
        words, mode = words[: body["max_tokens"]], "length"
    listed = fake.logprob_of(reply) if fake.logprob_of and body.get("logprobs") else None
    pieces = [word if i == 0 else f" {word}" for i, word in enumerate(words)]
    texts = [*[""] * (len(pieces) - 1), "".join(pieces)] if fake.holds_text else pieces
    for text, piece in zip(texts, pieces, strict=True):
        yield _chunk({"content": text}, logprob=listed, token=piece)
        if mode in ("slow", "endless"):
            time.sleep(0.02)
    if mode == "stall":
        time.sleep(30)
    if mode == "bad_json":
        yield b'data: {"id": "x", \n\n'
    if mode in ("cut", "reset", "bad_json"):
        return
    yield _chunk({}, "length" if mode == "length" else "stop")
    if mode == "negative":
        yield _data(
            {
                **_EMPTY,
                "choices": [],
                "usage": {
                    "prompt_tokens": -1_000_000,
                    "completion_tokens": -5,
                    "total_tokens": -1_000_005,
                },
            }
        )
        yield b"data: [DONE]\n\n"
        return
    yield from _usage(len(words))


def _whole(fake: FakeModel, body: dict[str, Any]) -> dict[str, Any]:
    """The reply in one piece: as many choices as were asked for, each billed."""
    n = body.get("n") or 1
    replies = [fake.answer(body["messages"]) for _ in range(n)]
    tokens = sum(len(reply.split(" ")) for reply in replies)
    listed: list[list[dict[str, Any]]] = [
        [
            {"token": word, "logprob": -0.5, "bytes": None, "top_logprobs": []}
            for word in reply.split(" ")
        ]
        for reply in replies
    ]
    return {
        **_EMPTY,
        "object": "chat.completion",
        "choices": [
            {
                "index": i,
                "message": {"role": "assistant", "content": reply},
                "logprobs": {"content": listed[i]} if body.get("logprobs") else None,
                "finish_reason": "stop",
            }
            for i, reply in enumerate(replies)
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": tokens, "total_tokens": 11 + tokens},
    }


def _end(mode: Mode, tokens: int) -> Iterator[bytes]:
    yield _chunk({}, "length" if mode == "length" else "stop")
    yield from _usage(tokens)


def _usage(tokens: int) -> Iterator[bytes]:
    usage = {"prompt_tokens": 11, "completion_tokens": tokens, "total_tokens": 11 + tokens}
    yield _data({**_EMPTY, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


_EMPTY = {"id": "fake", "object": "chat.completion.chunk", "created": 1, "model": "fake-large"}


def _chunk(
    delta: dict[str, Any],
    finish: str | None = None,
    logprob: float | None = None,
    token: str = "",
) -> bytes:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
    if logprob is not None:
        said = {"token": token, "logprob": logprob, "bytes": None}
        choice["logprobs"] = {"content": [{**said, "top_logprobs": [said]}], "refusal": None}
    return _data({**_EMPTY, "choices": [choice]})


def _data(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
