"""Rates and places: counted, refused with when to come again, given back."""

import asyncio

import pytest

from router.gateway.errors import Refused
from router.gateway.limits import RateLimits
from router.gateway.waiting import Places
from router.ledger.records import Principal


async def test_requests_a_minute():
    limits = RateLimits()
    who = Principal("a", "k", requests_per_minute=2)
    told = await limits.admit(who, "requests", 1)
    assert told["x-ratelimit-limit-requests"] == "2"
    assert told["x-ratelimit-remaining-requests"] == "1"
    await limits.admit(who, "requests", 1)
    with pytest.raises(Refused) as refused:
        await limits.admit(who, "requests", 1)
    assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")
    assert int(refused.value.headers["retry-after"]) >= 1
    assert await limits.admit(Principal("b", "k", requests_per_minute=2), "requests", 1)
    assert await limits.admit(Principal("c", "k"), "requests", 1) == {}


async def test_tokens_a_minute_are_counted_when_they_are_known():
    limits = RateLimits()
    who = Principal("a", "k", tokens_per_minute=100)
    await limits.admit(who, "tokens", 40)
    await limits.spent(who, 50)
    await limits.admit(who, "tokens", 10)
    with pytest.raises(Refused) as refused:
        await limits.admit(who, "tokens", 1)
    assert refused.value.kind == "tokens"
    with pytest.raises(Refused, match="101 tokens"):
        await limits.admit(who, "tokens", 101)


async def test_a_redis_that_is_away_is_counted_for_here(caplog):
    limits = RateLimits("redis://127.0.0.1:9/0")
    who = Principal("a", "k", requests_per_minute=1)
    await limits.admit(who, "requests", 1)
    with pytest.raises(Refused):
        await limits.admit(who, "requests", 1)
    assert "gateway.rate_limit_url" in caplog.text and "127.0.0.1" not in caplog.text


async def test_places_are_taken_waited_for_and_refused():
    places = Places(1, 1)
    assert await places.take() == 0.0
    waiting = asyncio.ensure_future(places.take())
    await asyncio.sleep(0.01)
    with pytest.raises(Refused) as refused:
        await places.take()
    assert refused.value.status == 429 and refused.value.headers["retry-after"]
    places.give()
    assert await waiting > 0
    left = asyncio.ensure_future(places.take())
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait({left})
    assert (places.running, places.waiting) == (1, 0)
    places.give()
    assert await places.take() == 0.0
