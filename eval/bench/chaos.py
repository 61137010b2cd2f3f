"""`ockham bench chaos`: requests while their upstreams break in every way we know.

Two fake upstreams, one a tier, are killed with -9 and started again in turn, and meanwhile hang,
stall, answer 500 and 429, bodies that are no JSON, half a stream, usage records that cannot be
true. Half of the requests are streamed. Held afterwards:

    every request ended in an answer or a clean error, in time; most of them in an answer
    no cut answer looked complete (a whole one ends with its checksum)
    the ledger has one closed row a request, and its money is the upstreams' (`eval.bench.audit`)
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from eval.bench.asking import ask, client
from eval.bench.audit import Audit, audit
from eval.bench.servers import ockham_config, ockham_serve
from eval.bench.upstream import UpstreamProcess

__all__ = ["FAULTS", "Chaos", "bench_chaos", "charged_by", "run_chaos"]

FAULTS: Mapping[str, float] = {
    "error500": 0.04, "busy429": 0.02, "hang": 0.005, "stall": 0.005, "cut": 0.04, "reset": 0.04,
    "bad_json": 0.04, "html": 0.02, "wrong_usage": 0.02, "no_usage": 0.02, "slow": 0.02,
    "length": 0.02,
}  # fmt: skip
LEAST_ANSWERED = 0.75
"""Of calls a quarter fails, and an upstream is down for a fifth of the time; another try or the
other tier is there for most of those."""
TIMEOUT_S = 8.0
STALL_S = 2.0
GRACE_S = 7.0
"""What a busy machine may add to `limits.timeout_s`."""


class Chaos(NamedTuple):
    """What came of it."""

    requests: int
    kills: int
    outcomes: Mapping[str, int]
    """By outcome (`eval.bench.replies`)."""
    books: Audit

    @property
    def faults(self) -> list[str]:
        """What should never have been seen."""
        seen = [f"{n} x {what}" for what, n in self.outcomes.items() if what.startswith("BAD")]
        if self.outcomes.get("answered", 0) < LEAST_ANSWERED * self.requests:
            seen.append(f"less than {LEAST_ANSWERED:.0%} of the requests were answered")
        return seen + self.books.faults


def bench_chaos(requests: int, *, concurrency: int = 24, seed: int = 0) -> Chaos:
    """Run it. Raises `SetupError` where the gateway does not start."""
    return asyncio.run(run_chaos(requests, concurrency, seed))


async def run_chaos(requests: int, concurrency: int, seed: int) -> Chaos:
    """`bench_chaos`, for a loop that is running."""
    with tempfile.TemporaryDirectory(prefix="ockham-chaos-") as held:
        folder = Path(held)
        with (
            UpstreamProcess(folder / "small.journal", seed=seed) as small,
            UpstreamProcess(
                folder / "large.journal", input_nano=3000, output_nano=9000, seed=seed + 1
            ) as large,
        ):
            ledger = f"sqlite:///{folder / 'ledger.sqlite'}"
            config = _config(small, large, folder, ledger)
            server = await asyncio.to_thread(ockham_serve, config, folder)
            try:
                for one in (small, large):
                    await asyncio.to_thread(one.control, faults=dict(FAULTS))
                told, kills = await _press(server.url, requests, concurrency, (small, large))
                await asyncio.sleep(1)  # cancelled calls are settled after their response
            finally:
                await asyncio.to_thread(server.close)
            traces = {f"r-{i}": one.trace for i, one in enumerate(told) if one.trace is not None}
            books = audit(ledger, traces, charged_by(small, large))
    return Chaos(requests, kills, Counter(one.outcome for one in told), books)


def charged_by(*upstreams: UpstreamProcess) -> dict[str, int]:
    """Nano-USD by marker, of all upstreams together."""
    out: Counter[str] = Counter()
    for upstream in upstreams:
        for marker, tokens in upstream.charged().items():
            out[marker] += tokens.nano_usd(upstream.input_nano, upstream.output_nano)
    return dict(out)


def _config(
    small: UpstreamProcess, large: UpstreamProcess, folder: Path, ledger: str
) -> dict[str, Any]:
    made = ockham_config(
        small,
        folder,
        limits={"timeout_s": TIMEOUT_S, "max_cost_usd": 1.0},
        ledger={"url": ledger},
    )
    for name, upstream in (("small", small), ("large", large)):
        made["models"][name] |= {"api_base": upstream.api_base, "stall_s": STALL_S}
        made["models"][name] |= {"max_tokens": 512, **upstream.prices}
    return made


async def _press(
    url: str, requests: int, concurrency: int, upstreams: tuple[UpstreamProcess, ...]
) -> tuple[list[Any], int]:
    deadline_s = TIMEOUT_S + GRACE_S
    numbers = iter(range(requests))
    told: list[Any] = [None] * requests
    async with client(url, concurrency, deadline_s) as http:

        async def worker() -> None:
            for number in numbers:
                told[number] = await ask(http, number, deadline_s, stream=number % 4 < 2)

        killer = asyncio.create_task(_kill_in_turn(upstreams))
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        killer.cancel()
        await asyncio.wait({killer})
        kills = killer.result() if not killer.cancelled() else 0
    return told, kills


async def _kill_in_turn(upstreams: tuple[UpstreamProcess, ...]) -> int:
    """Kill and start again until cancelled; how often."""
    kills = 0
    try:
        while True:
            for upstream in upstreams:
                await asyncio.sleep(3)
                upstream.kill()
                kills += 1
                await asyncio.sleep(0.7)
                await asyncio.to_thread(upstream.start)
                await asyncio.to_thread(upstream.control, faults=dict(FAULTS))
    except asyncio.CancelledError:
        return kills
