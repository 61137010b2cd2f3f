"""Rate limits a tenant: requests and tokens a minute, in this process or, for several of them,
in Redis. The counting is the package `limits`'s.

Requests are counted in a sliding window. Tokens in a fixed one: the prompt's when a request is
admitted, all others when it ends, since nobody knows them before; so a tenant may overshoot by
what its running requests write, and then waits for the next window.
"""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import (
    FixedWindowRateLimiter,
    RateLimiter,
    SlidingWindowCounterRateLimiter,
)
from limits.errors import StorageError

from router.errors import ConfigError
from router.gateway.errors import Refused
from router.ledger.records import Principal

__all__ = ["RateLimits"]

_LOG = logging.getLogger(__name__)
_KINDS = ("requests", "tokens")


@dataclass(frozen=True, slots=True)
class _Counters:
    requests: RateLimiter
    tokens: RateLimiter


class RateLimits:
    """`url`: redis://HOST:PORT/DB for all replicas together; None counts in this process."""

    def __init__(self, url: str | None = None) -> None:
        self._here = _counters(MemoryStorage())
        self._shared = None if url is None else _counters(_redis(url))
        self._broken_until = 0.0

    async def admit(self, who: Principal, kind: str, cost: int) -> Mapping[str, str]:
        """Count `cost` requests or tokens; returns OpenAI's x-ratelimit-* headers.

        Raises `Refused` (429, with Retry-After) where the tenant's limit does not hold it.
        """
        item = _limit(who, kind)
        if item is None:
            return {}
        if kind == "tokens" and cost > item.amount:
            raise Refused(
                429, f"the request has about {cost} tokens; the limit is {item.amount} a minute",
                "rate_limit_exceeded", kind="tokens",
            )  # fmt: skip
        held, reset, left = await self._count(item, who.tenant, kind, cost)
        told = {
            f"x-ratelimit-limit-{kind}": str(item.amount),
            f"x-ratelimit-remaining-{kind}": str(left),
            f"x-ratelimit-reset-{kind}": f"{reset:.3f}s",
        }
        if held:
            return told
        wait = max(1, math.ceil(reset))
        raise Refused(
            429, f"rate limit reached: {item.amount} {kind} a minute; try again in {wait} s",
            "rate_limit_exceeded", kind=kind, headers={**told, "retry-after": str(wait)},
        )  # fmt: skip

    async def spent(self, who: Principal, tokens: int) -> None:
        """Count tokens that were not known when the request was admitted."""
        item = _limit(who, "tokens")
        if item is not None and tokens > 0:
            await self._count(item, who.tenant, "tokens", tokens, late=True)

    async def _count(
        self, item: RateLimitItemPerMinute, tenant: str, kind: str, cost: int, late: bool = False
    ) -> tuple[bool, float, int]:
        """(whether it held, seconds until the window moves, what is left)."""
        if self._shared is not None and time.monotonic() >= self._broken_until:
            try:
                return await _counted(self._shared, item, tenant, kind, cost, late)
            except (StorageError, OSError) as error:
                # Counting here is laxer than refusing everybody, and the budgets hold anyway.
                self._broken_until = time.monotonic() + 5
                _LOG.warning(
                    "gateway.rate_limit_url: not reachable (%s); counting in this process",
                    type(error.__cause__ or error).__name__,
                )
        return await _counted(self._here, item, tenant, kind, cost, late)


async def _counted(
    counters: _Counters,
    item: RateLimitItemPerMinute,
    tenant: str,
    kind: str,
    cost: int,
    late: bool,
) -> tuple[bool, float, int]:
    counter = counters.requests if kind == "requests" else counters.tokens
    key = (kind, tenant)
    # The fixed window counts what it refuses, too: what will not fit is only looked at.
    if late or kind == "requests" or await counter.test(item, *key, cost=cost):
        held = await counter.hit(item, *key, cost=cost) or late
    else:
        held = False
    stats = await counter.get_window_stats(item, *key)
    return held, max(0.0, stats.reset_time - time.time()), max(0, int(stats.remaining))


def _limit(who: Principal, kind: str) -> RateLimitItemPerMinute | None:
    amount = who.requests_per_minute if kind == "requests" else who.tokens_per_minute
    return None if amount is None else RateLimitItemPerMinute(amount)


def _counters(storage: Storage) -> _Counters:
    return _Counters(SlidingWindowCounterRateLimiter(storage), FixedWindowRateLimiter(storage))


def _redis(url: str) -> Storage:
    try:
        return RedisStorage(
            f"async+{url}", implementation="redispy", key_prefix="ockham", wrap_exceptions=True,
            socket_timeout=1.0, socket_connect_timeout=1.0,
        )  # fmt: skip
    except Exception as error:
        raise ConfigError(f"gateway.rate_limit_url: {type(error).__name__}: not usable") from None
