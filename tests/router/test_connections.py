"""Connections to model servers: one client a server, and none left open behind a router."""

import asyncio
import sys
from pathlib import Path

import pytest

from eval.bench.fake_model import FakeModel

QUESTION = "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."


@pytest.fixture
def fakes():
    """Two model servers that leave connections open."""
    made = [FakeModel(lambda _: RIGHT, keeps_alive=True) for _ in range(2)]
    yield made
    for fake in made:
        fake.close()


def clients():
    """LiteLLM's clients, by its own keys."""
    return dict(sys.modules["litellm"].in_memory_llm_clients_cache.cache_dict)


def connected(fake):
    """Connections to the fake that this process holds open (Linux, /proc/net/tcp)."""
    port = f"{int(fake.api_base.split(':')[2].split('/')[0]):04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2].endswith(f":{port}") and line.split()[3] == "01" for line in lines)


def test_all_requests_share_one_client_and_closing_hangs_up(make_router, fakes):
    with make_router(fakes[0]) as router:
        router.ask(QUESTION)
        before = clients()
        for _ in range(5):  # each with another time left, so another timeout
            router.ask(QUESTION)
        assert clients() == before
        assert connected(fakes[0])
    # `before` keeps the clients alive: nobody but the router can have hung up.
    assert not connected(fakes[0])
    assert len(before.keys() - clients().keys()) == 1


async def ask_at_once(router, number):
    await asyncio.gather(*(router.aask(QUESTION) for _ in range(number)))


@pytest.mark.parametrize("number", [1, 8])
async def test_a_router_in_its_callers_loop_hangs_up_too(make_router, fakes, number):
    before = clients()
    async with make_router(fakes[0]) as router:
        await ask_at_once(router, number)
        made = clients()
        assert len(made.keys() - before.keys()) == 1
        assert connected(fakes[0])
    assert not clients().keys() - before.keys()
    assert not connected(fakes[0])


async def test_routers_of_one_loop_share_connections_until_the_last_closes(make_router, fakes):
    before = clients()
    async with make_router(fakes[0]) as first:
        async with make_router(fakes[1]) as second:
            await asyncio.gather(ask_at_once(first, 1), ask_at_once(second, 1))
            held = clients()
        assert clients() == held
        assert connected(fakes[0]) and connected(fakes[1])
        await ask_at_once(first, 1)
    assert clients() == before
    assert not connected(fakes[0]) and not connected(fakes[1])
