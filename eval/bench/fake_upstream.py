"""A fake hosted model as a process of its own: fast, faulty on demand, and exact in its count.

For benchmarks and chaos runs, never for results: nothing it says is a model's. It is one asyncio
loop that speaks OpenAI's chat completions (streamed and not) and embeddings, and answers in a
fraction of a millisecond. `POST /control` sets its faults, `GET /control` tells what it served:
requests, tokens and nano-USD at its prices, as integers. With a journal each token is on file
before it is sent, so that the count outlives a `kill -9`.

    python -m eval.bench.fake_upstream --port 0 --journal F     prints its port, then serves

What it says and how it breaks: `eval.bench.fake_replies`. How others start it:
`eval.bench.upstream`. Where a test scripts the answers: `eval.bench.fake_model`.
"""

import argparse
import asyncio
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from eval.bench.fake_replies import FAULTS, Reply, error_reply, plan, wire

__all__ = ["Served", "Upstream", "main"]

HANG_S = 3600.0
MODEL = "fake-large"


class Served:
    """What was served so far; with a journal it is on file before it is on the wire."""

    def __init__(self, input_nano: int, output_nano: int, journal: Path | None = None) -> None:
        self.input_nano = input_nano
        self.output_nano = output_nano
        self.counts: Counter[str] = Counter()
        self._file = (
            None
            if journal is None
            else os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        )

    def add(self, marker: str, prompt: int, completion: int) -> None:
        """Charge tokens to the request that carries the marker."""
        self.counts["prompt_tokens"] += prompt
        self.counts["completion_tokens"] += completion
        self.counts["nano_usd"] += prompt * self.input_nano + completion * self.output_nano
        if self._file is not None:
            os.write(self._file, f"{marker} {prompt} {completion}\n".encode())

    def tell(self) -> dict[str, int]:
        """The counts by name."""
        return dict(self.counts)


class Upstream:
    """The state of the process: what was served, which faults are on."""

    def __init__(self, served: Served, seed: int = 0) -> None:
        self.served = served
        self.faults: dict[str, float] = {}
        self.delay_s = 0.0
        self.random = random.Random(seed)  # noqa: S311 - dice for faults

    def control(self, body: dict[str, Any]) -> None:
        """Set faults (`{"faults": {name: share}, "delay_ms": n, "seed": n}`). Raises ValueError."""
        faults = {str(k): float(v) for k, v in body.get("faults", {}).items()}
        if unknown := sorted(set(faults) - set(FAULTS)):
            raise ValueError(f"no such fault: {', '.join(unknown)} (known: {', '.join(FAULTS)})")
        if sum(faults.values()) > 1:
            raise ValueError("the shares of the faults are more than 1")
        self.faults = faults
        self.delay_s = float(body.get("delay_ms", 0)) / 1e3
        if "seed" in body:
            self.random.seed(body["seed"])

    def fault(self) -> str:
        """The fault that the next request meets; `ok` is none."""
        point = self.random.random()
        for name, share in self.faults.items():
            point -= share
            if point < 0:
                return name
        return "ok"


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it are answered in their order."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._buffer = bytearray()
        self._transport: Any = None
        self._work: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop writing for a client that has gone."""
        if self._work is not None:
            self._work.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect a request; answer it when it is whole."""
        self._buffer += data
        self._next()

    def _next(self) -> None:
        if self._work is not None:
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = 0 if at < 0 else int(lower[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        self._answer(method, path, body)

    def _answer(self, method: str, path: str, body: bytes) -> None:
        upstream = self._upstream
        if path == "/control":
            self._control(body)
        elif method == "GET":
            self._json(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif path.endswith("/embeddings"):
            self._embed(json.loads(body))
        else:
            reply = plan(json.loads(body), upstream.fault())
            upstream.served.counts["requests"] += 1
            upstream.served.counts[f"requests_{reply.fault}"] += 1
            if reply.status != 200:
                self._transport.write(error_reply(reply.status))
            elif upstream.delay_s or reply.fault in ("hang", "slow", "stall"):
                self._work = asyncio.get_running_loop().create_task(self._slowly(reply))
            else:
                self._at_once(reply)
        self._next()

    def _at_once(self, reply: Reply) -> None:
        """Charge and write the whole reply: as it looks where the network is faster than us."""
        self._upstream.served.add(reply.marker, reply.prompt_tokens, reply.charged)
        self._transport.write(b"".join(piece for piece, _ in wire(reply)))
        if reply.breaks:
            self._transport.close()

    async def _slowly(self, reply: Reply) -> None:
        served = self._upstream.served
        await asyncio.sleep(self._upstream.delay_s)
        served.add(reply.marker, reply.prompt_tokens, 0)
        if reply.fault == "hang":
            await asyncio.sleep(HANG_S)
        for piece, tokens in wire(reply):
            served.add(reply.marker, 0, tokens)
            self._transport.write(piece)
            if reply.fault == "slow":
                await asyncio.sleep(0.01)
        if reply.fault == "stall":
            await asyncio.sleep(HANG_S)
        if reply.breaks:
            self._transport.close()
        self._work = None
        self._next()

    def _embed(self, body: dict[str, Any]) -> None:
        given = body["input"]
        texts = [given] if isinstance(given, str) else list(given)
        tokens = sum(len(str(text).split()) for text in texts)
        self._upstream.served.counts["embeddings"] += 1
        self._upstream.served.add("-", tokens, 0)
        row = [0.5] * 4
        data = [{"object": "embedding", "index": i, "embedding": row} for i in range(len(texts))]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        self._json(200, {"object": "list", "data": data, "model": MODEL, "usage": usage})

    def _control(self, body: bytes) -> None:
        try:
            if body:
                self._upstream.control(json.loads(body))
        except (ValueError, AttributeError) as error:
            self._json(400, {"error": {"message": str(error)}})
            return
        self._json(200, self._upstream.served.tell())

    def _json(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self._transport.write(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            % (status, len(data))
            + data
        )


async def _serve(upstream: Upstream, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(upstream), "127.0.0.1", port, reuse_address=True, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A fake hosted model.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--input-nano-usd", type=int, default=1000, help="a token")
    parser.add_argument("--output-nano-usd", type=int, default=4000, help="a token")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    served = Served(given.input_nano_usd, given.output_nano_usd, given.journal)
    asyncio.run(_serve(Upstream(served, given.seed), given.port))


if __name__ == "__main__":
    main()
