"""What the fake upstream says, and how it breaks.

A sum (`What is 12 * 7?`) is answered with its worked steps, which the router's check can hold;
anything else with words drawn from the prompt's hash and a checksum of them at the end, so that a
reader can tell a whole answer from a cut one (`whole`).

    ok, slow (a word every 10 ms), length (cut at the cap, and says so), endless (2,000 words)
    error500, busy429                  an error with OpenAI's body
    hang                               reads the request and never says a word
    stall                              half of the answer, then silence
    cut, reset                         half of the answer, then the end of the body / of the line
    bad_json, html                     a body that is no JSON / not even events
    wrong_usage                        a usage record that cannot be true (negative)
    no_usage                           no usage record at all
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["FAULTS", "Reply", "error_reply", "plan", "whole", "wire"]

FAULTS = (
    "ok", "slow", "length", "endless", "error500", "busy429", "hang", "stall", "cut", "reset",
    "bad_json", "html", "wrong_usage", "no_usage",
)  # fmt: skip
_STATUS = {"error500": 500, "busy429": 429}
_BREAKS = frozenset({"cut", "reset", "bad_json", "html"})
_HALF = frozenset({"stall", "cut", "reset", "bad_json"})
_SUM = re.compile(r"What is (\d+) \* (\d+)")
_MARKER = re.compile(r"\[(r-[\w-]+)\]")
_WORDS = (
    *("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "jungle"),
    *("kettle", "lagoon", "meadow", "north", "ocean", "prairie", "quartz", "river", "stone"),
    *("tundra", "upland", "valley", "willow", "yonder", "zephyr"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as it is planned, before a byte of it is sent."""

    words: tuple[str, ...]
    """One token each."""
    finish: str
    prompt_tokens: int
    marker: str
    fault: str
    stream: bool
    usage: bool
    """Whether the client asked a stream for its usage."""

    @property
    def status(self) -> int:
        """HTTP status."""
        return _STATUS.get(self.fault, 200)

    @property
    def breaks(self) -> bool:
        """Whether the connection is closed in the middle."""
        return self.fault in _BREAKS

    @property
    def charged(self) -> int:
        """Completion tokens that are charged: those that are written."""
        if self.fault == "html":
            return 0
        return len(self.words)


def plan(body: Mapping[str, Any], fault: str) -> Reply:
    """What will be said to a request."""
    text = " ".join(_text(turn.get("content")) for turn in body["messages"])
    marker = _MARKER.search(text)
    words = _answer(text)
    if fault == "endless":
        words = ("more",) * 2000
    cap = body.get("max_completion_tokens") or body.get("max_tokens") or len(words)
    if fault == "length":
        cap = min(cap, max(1, len(words) // 2))
    finish = "stop"
    if len(words) > cap:
        words, finish = words[:cap], "length"
    if fault in _HALF:
        words = words[: max(1, len(words) // 2)]
    options = body.get("stream_options") or {}
    return Reply(
        words=words,
        finish=finish,
        prompt_tokens=3 + len(text.split()),
        marker=marker[1] if marker else "-",
        fault=fault,
        stream=bool(body.get("stream")),
        usage=bool(options.get("include_usage")),
    )


def whole(prompt: str, text: str) -> bool:
    """Whether an answer to that prompt has come whole: the right box, else the right checksum."""
    asked = _SUM.search(prompt)
    if asked:
        return text.strip().endswith(_boxed(int(asked[1]) * int(asked[2])))
    said, _, checksum = text.strip().rpartition(" ")
    return bool(said) and checksum == _checksum(said)


def _answer(text: str) -> tuple[str, ...]:
    asked = _SUM.search(text)
    if asked:
        a, b = int(asked[1]), int(asked[2])
        return tuple(_split(f"{a} * {b} = {a * b}\n\nThe answer is {_boxed(a * b)}"))
    seed = hashlib.sha256(text.encode()).digest()
    said = " ".join(_WORDS[byte % len(_WORDS)] for byte in seed[: 6 + seed[0] % 20])
    return tuple(_split(f"{said} {_checksum(said)}"))


def _split(text: str) -> list[str]:
    """Words, each with the space before it: joined they are the text."""
    return [word if i == 0 else f" {word}" for i, word in enumerate(text.split(" "))]


def _boxed(value: int) -> str:
    return f"\\boxed{{{value}}}."


def _checksum(said: str) -> str:
    return f"sum{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content or ())


_HEAD = {"id": "chatcmpl-fake", "created": 1, "model": "fake-large"}
_STREAM_START = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def wire(reply: Reply) -> Iterator[tuple[bytes, int]]:
    """The pieces of the HTTP answer, each with the completion tokens that it carries."""
    if reply.fault == "html":
        yield _body(b"<html>I am a web page</html>", b"text/html"), 0
    elif reply.stream:
        yield from _streamed(reply)
    else:
        yield _at_once(reply), len(reply.words)


def error_reply(status: int) -> bytes:
    """An error of OpenAI's shape."""
    error = {"message": "the fake was told to fail", "type": "fake", "code": "fake"}
    data = json.dumps({"error": error}).encode()
    retry = b"retry-after: 0\r\n" if status == 429 else b""
    return (
        b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n"
        % (status, retry, len(data))
        + data
    )


def _at_once(reply: Reply) -> bytes:
    message = {"role": "assistant", "content": "".join(reply.words)}
    body: dict[str, Any] = {
        **_HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
    }
    if reply.fault != "no_usage":
        body["usage"] = _usage(reply)
    data = json.dumps(body).encode()
    if not reply.breaks:
        return _body(data)
    if reply.fault == "bad_json":
        return _body(data[: len(data) // 2])
    return _body(data)[: -len(data) // 2]  # the length promises more than comes


def _streamed(reply: Reply) -> Iterator[tuple[bytes, int]]:
    yield _STREAM_START, 0
    for i, word in enumerate(reply.words):
        delta = {"role": "assistant", "content": word} if i == 0 else {"content": word}
        yield _event(_chunk({"index": 0, "delta": delta, "finish_reason": None})), 1
    if reply.fault == "bad_json":
        yield _frame(b'data: {"id": "x", \n\n'), 0
    if reply.fault in ("cut", "bad_json"):
        yield b"0\r\n\r\n", 0
    if reply.breaks or reply.fault == "stall":
        return
    yield _event(_chunk({"index": 0, "delta": {}, "finish_reason": reply.finish})), 0
    if reply.usage and reply.fault != "no_usage":
        yield _event({**_chunk(None), "usage": _usage(reply)}), 0
    yield _frame(b"data: [DONE]\n\n") + b"0\r\n\r\n", 0


def _usage(reply: Reply) -> dict[str, int]:
    prompt, completion = reply.prompt_tokens, len(reply.words)
    if reply.fault == "wrong_usage":
        prompt, completion = -prompt, -completion
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _chunk(choice: dict[str, Any] | None) -> dict[str, Any]:
    choices = [] if choice is None else [choice]
    return {**_HEAD, "object": "chat.completion.chunk", "choices": choices}


def _event(body: Mapping[str, Any]) -> bytes:
    return _frame(b"data: " + json.dumps(body).encode() + b"\n\n")


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _body(data: bytes, kind: bytes = b"application/json") -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
        % (
            kind,
            len(data),
        )
        + data
    )
