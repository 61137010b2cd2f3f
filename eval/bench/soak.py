"""`ockham bench soak`: steady load, and whether memory, files, threads and tasks stay flat.

The slope of the resident memory after the warm-up (a third of the run: caches fill, pools grow)
is a least-squares line; its 95 % interval is Newey and West's, since neighbouring samples are
alike. Memory grows where the whole interval is above zero *and* the growth over an hour at the
interval's lower end is more than `ALLOWED_MIB_H`. Files and threads may not be more at the end
than they ever were in the first half after the warm-up, plus a few.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np

from eval.bench.asking import ask, client
from eval.bench.servers import KEY, Gateway, ockham_config, ockham_serve
from eval.bench.upstream import UpstreamProcess

__all__ = ["Sample", "Slope", "Soak", "bench_soak", "slope_of"]

ALLOWED_MIB_H = 8.0
MIB = 1 << 20
DEADLINE_S = 30.0
SPARE = 8
"""Files and threads that may come and go."""


class Sample(NamedTuple):
    """The server's processes at one moment."""

    seconds: float
    rss_mib: float
    files: int
    threads: int
    tasks: int | None
    """asyncio's, where /metrics tells."""


class Slope(NamedTuple):
    """MiB an hour, with its 95 % interval."""

    mib_h: float
    low: float
    high: float
    n: int


class Soak(NamedTuple):
    """What came of it."""

    samples: list[Sample]
    warm_up_s: float
    slope: Slope
    outcomes: Mapping[str, int]

    @property
    def faults(self) -> list[str]:
        """What is not flat, and replies that no client should see."""
        out = [f"{n} x {what}" for what, n in self.outcomes.items() if what.startswith("BAD")]
        if self.slope.low > ALLOWED_MIB_H:
            out.append(
                f"memory grows by {self.slope.mib_h:.1f} MiB an hour "
                f"[{self.slope.low:.1f}, {self.slope.high:.1f}]"
            )
        steady = [s for s in self.samples if s.seconds >= self.warm_up_s]
        half, last = steady[: max(1, len(steady) // 2)], steady[-max(1, len(steady) // 10) :]
        for what in ("files", "threads", "tasks"):
            before = [getattr(s, what) for s in half if getattr(s, what) is not None]
            after = [getattr(s, what) for s in last if getattr(s, what) is not None]
            if before and after and min(after) > max(before) + SPARE:
                out.append(f"{what} grow: {max(before)} before, {min(after)} at the end")
        return out


def bench_soak(minutes: float, *, clients: int = 4, distinct: int = 2000) -> Soak:
    """Run it. `distinct` prompts come again and again, so that caches fill in the warm-up."""
    return asyncio.run(_run(60 * minutes, clients, distinct))


async def _run(seconds: float, clients: int, distinct: int) -> Soak:
    with (
        tempfile.TemporaryDirectory(prefix="ockham-soak-") as held,
        UpstreamProcess() as upstream,
    ):
        folder = Path(held)
        # So that asyncio's tasks can be counted with the load's own key.
        config = ockham_config(upstream, folder, telemetry={"metrics_open": True})
        server = await asyncio.to_thread(ockham_serve, config, folder)
        try:
            samples, outcomes = await _press(server, seconds, clients, distinct)
        finally:
            await asyncio.to_thread(server.close)
    warm_up = seconds / 3
    return Soak(samples, warm_up, slope_of(samples, warm_up), outcomes)


async def _press(
    server: Gateway, seconds: float, clients: int, distinct: int
) -> tuple[list[Sample], Counter[str]]:
    start, outcomes, samples = time.monotonic(), Counter[str](), list[Sample]()
    number = 0
    async with client(server.url, clients + 1, DEADLINE_S) as http:

        async def worker() -> None:
            nonlocal number
            while time.monotonic() - start < seconds:
                number += 1
                # Every second prompt is a sum, which a check holds: half of both are streamed.
                told = await ask(http, number % distinct, DEADLINE_S, stream=number % 4 < 2)
                outcomes[told.outcome] += 1
                await asyncio.sleep(0.02)

        async def watch() -> None:
            every = max(0.5, seconds / 360)
            while time.monotonic() - start < seconds:
                tasks = await _tasks(http)
                now = time.monotonic() - start
                samples.append(await asyncio.to_thread(_look, server.process.pid, now, tasks))
                await asyncio.sleep(every)

        await asyncio.gather(watch(), *(worker() for _ in range(clients)))
    return samples, outcomes


async def _tasks(http: httpx.AsyncClient) -> int | None:
    reply = await http.get("/metrics", headers={"authorization": f"Bearer {KEY}"})
    for line in reply.text.splitlines() if reply.is_success else ():
        if line.startswith("ockham_tasks "):
            return int(float(line.split(" ")[1]))
    return None


def _look(pid: int, seconds: float, tasks: int | None) -> Sample:
    import psutil

    parent = psutil.Process(pid)
    all_ = [parent, *parent.children(recursive=True)]
    return Sample(
        seconds,
        sum(p.memory_info().rss for p in all_) / MIB,
        sum(p.num_fds() for p in all_),
        sum(p.num_threads() for p in all_),
        tasks,
    )


def slope_of(samples: Sequence[Sample], after_s: float) -> Slope:
    """The slope of the memory of the samples after a time."""
    from statsmodels.regression.linear_model import OLS

    steady = [s for s in samples if s.seconds >= after_s]
    hours = np.array([s.seconds for s in steady]) / 3600
    mib = np.array([s.rss_mib for s in steady])
    design = np.column_stack([np.ones_like(hours), hours])
    lags = max(1, int(len(steady) ** 0.5))
    fit = OLS(mib, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags}, use_t=True)
    low, high = fit.conf_int(0.05)[1]
    return Slope(float(fit.params[1]), float(low), float(high), len(steady))
