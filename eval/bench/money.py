"""`ockham bench money`: one budget, two replicas on one Postgres, one of them killed with -9.

Many requests at once, of which the budget holds only a part; who is refused for want of money
comes again, as OpenAI's clients do, until there is none. Held afterwards, in nano-USD:

    the upstream's own count never exceeds the budget, nor does the ledger
    requests whose rows are all `reported` equal the upstream's count, each
    the ledger's total is at least the upstream's; the excess is reserved and estimated rows
    one closed row an acknowledged request
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from eval.bench.asking import ask, client
from eval.bench.audit import Audit, audit
from eval.bench.chaos import charged_by
from eval.bench.postgres import Postgres, missing
from eval.bench.replies import Told
from eval.bench.servers import KEY, Gateway, ockham_config, ockham_serve
from eval.bench.upstream import UpstreamProcess
from router.config import load_settings
from router.errors import SetupError
from router.ledger import tenants
from router.ledger.ledger import Ledger
from router.ledger.schema import requests

__all__ = ["Money", "bench_money", "run_money"]

NANO = 1_000_000_000
TIMEOUT_S = 20.0
TRIES, PAUSE_S = 12, 0.5
"""Of a client that is refused for want of money: the others' reserves may come free."""
LEASE_GRACE_S = 2.0
WAIT_S = 90.0
"""For the clients, and for the sweep of the dead replica's leases."""


class Money(NamedTuple):
    """What came of it. Money in nano-USD."""

    budget_nano: int
    tries: int
    """Requests that were acknowledged: a client that is refused comes again."""
    outcomes: Mapping[str, int]
    lost: int
    """Requests whose replica died; nobody acknowledged them."""
    books: Audit

    @property
    def faults(self) -> list[str]:
        """What should never have been seen. A killed replica's clients saw their line break."""
        out = [f"{n} x {w}" for w, n in self.outcomes.items() if w.startswith("BAD")]
        if self.books.upstream_nano > self.budget_nano:
            out.append("the upstream's own count exceeds the budget")
        if self.books.ledger_nano > self.budget_nano:
            out.append("the ledger's total exceeds the budget")
        return out + self.books.faults


def bench_money(requests: int, budget_usd: float) -> Money:
    """Run it. Raises `SetupError` where Postgres is not installed."""
    why_not = missing()
    if why_not is not None:
        raise SetupError(why_not)
    server = Postgres()
    try:
        return asyncio.run(run_money(server.database(), requests, budget_usd))
    finally:
        server.close()


async def run_money(url: str, asked: int, budget_usd: float) -> Money:
    """`bench_money` on an empty database of a Postgres that runs."""
    with (
        tempfile.TemporaryDirectory(prefix="ockham-money-") as held,
        UpstreamProcess(Path(held) / "journal") as upstream,
    ):
        folder = Path(held)
        config = _config(upstream, folder, url)
        key = await asyncio.to_thread(_tenant, config, budget_usd)
        upstream.control(faults={"slow": 1.0})
        servers: list[Gateway] = []
        try:
            for name in ("replica0", "replica1"):
                servers.append(await asyncio.to_thread(ockham_serve, config, folder, name=name))
            told, lost = await _press(servers, asked, key)
            await _swept(url)
        finally:
            for server in servers:
                await asyncio.to_thread(server.close)
        traces = {f"r-{i}": t.trace for i, t in told.items() if t.trace is not None}
        books = audit(_driver(url), traces, charged_by(upstream))
    # Of each client what its last request came to.
    came = Counter(t.outcome for i, t in told.items() if i + asked not in told.keys() | lost)
    return Money(round(budget_usd * NANO), len(told), came, len(lost), books)


def _config(upstream: UpstreamProcess, folder: Path, url: str) -> dict[str, Any]:
    made = ockham_config(
        upstream,
        folder,
        limits={"timeout_s": TIMEOUT_S, "max_cost_usd": 1.0},
        gateway={"api_keys": [KEY], "max_concurrent": 256},
        ledger={"url": url, "lease_grace_s": LEASE_GRACE_S, "sweep_every_s": 1},
    )
    for model in made["models"].values():
        model["max_tokens"] = 32
    return made


def _tenant(config: Mapping[str, Any], budget_usd: float) -> str:
    """A tenant with that budget a day; its key."""
    with Ledger.open(load_settings(**config)) as ledger:
        ledger.run(lambda c: tenants.add_tenant(c, tenants.Tenant("money", daily_usd=budget_usd)))
        key, _ = ledger.run(lambda c: tenants.create_key(c, "money", "bench"))
    return key


async def _press(servers: list[Gateway], asked: int, key: str) -> tuple[dict[int, Told], set[int]]:
    """All at once, half to each replica; a quarter of the first one's ended, it is killed.

    Both get sums, which are checked, and texts, which are not, each streamed and whole.
    What each request came to; without those that were cut off by the kill: the other numbers.
    The further tries of client i are i + asked, i + 2 asked, ...: each its own request.
    """
    dying, told = servers[0], dict[int, Told]()
    cut, ended = set[int](), set[int]()
    enough, killed = asyncio.Event(), asyncio.Event()
    async with (
        client(dying.url, asked, WAIT_S, key) as one,
        client(servers[1].url, asked, WAIT_S, key) as two,
    ):

        async def each(client: int) -> None:
            first = client % 4 < 2
            for number in range(client, client + TRIES * asked, asked):
                got = await ask(one if first else two, number, WAIT_S, stream=client % 8 < 4)
                if first and got.bad and killed.is_set():
                    cut.add(number)
                    return
                told[number] = got
                if not _poor(got):
                    break
                await asyncio.sleep(PAUSE_S)
            ended.add(client)
            if sum(i % 4 < 2 for i in ended) >= asked // 8:
                enough.set()

        running = [asyncio.create_task(each(i)) for i in range(asked)]
        await enough.wait()
        killed.set()  # not `poll`, which knows nothing while another thread waits for the process
        await asyncio.to_thread(dying.kill)
        await asyncio.gather(*running)
    return told, cut


def _poor(told: Told) -> bool:
    poor = ("insufficient_quota", "budget_reserved")
    return told.outcome.startswith("refused") and told.outcome.endswith(poor)


async def _swept(url: str) -> None:
    """Wait until the living replica has found the dead one's requests."""
    engine = sa.create_engine(_driver(url))
    try:
        for _ in range(int(WAIT_S)):
            with engine.connect() as connection:
                left = connection.execute(
                    sa.select(sa.func.count()).where(requests.c.ending.is_(None))
                ).scalar_one()
            if not left:
                return
            await asyncio.sleep(1)
    finally:
        engine.dispose()


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
