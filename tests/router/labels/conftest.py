"""A router on two fake models with a real ledger beside it, and labels on top."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from router.labels.labels import Labels
from router.ledger.ledger import Ledger
from router.ledger.records import Closing, Principal, RequestStart
from router.state import Answer


def said(number: int) -> str:
    """An answer that no check can tell right from wrong."""
    return f"The answer is \\boxed{{{number}}}."


def number_in(messages: list[dict[str, str]]) -> int:
    """The number that a question is about; 0 where a model is only probed."""
    return int([0, *re.findall(r"item (\d+)", messages[-1]["content"])][-1])


def right(messages: list[dict[str, str]]) -> str:
    """What the large fake always says."""
    return said(number_in(messages) * 3)


def question(i: int) -> str:
    """Question number i."""
    return f"Which value does the table give for item {i}?"


@asynccontextmanager
async def always(router: Any) -> AsyncIterator[Any]:
    """The one router, as `Labels` borrows it."""
    yield router


class Served:
    """One open router, ledger and labels."""

    def __init__(self, router: Any, ledger: Ledger, labels: Labels) -> None:
        self.router, self.ledger, self.labels = router, ledger, labels

    async def ask(self, text: str, ident: str | None = None, **principal: Any) -> Answer:
        """A request as the gateway serves it: book, answer, close, offer."""
        query = self.router._query(text)
        if ident is not None:
            query = query.model_copy(update={"id": ident})
        start = RequestStart(query.id, "chat", "ockham/auto")
        booking = self.ledger.book(Principal("default", None, **principal), start)
        await booking.open()
        answer = await self.router.aask(query, purse=booking)
        await booking.close(Closing("answered", 200, answer))
        self.labels.offer(query, answer)
        return answer


@pytest.fixture
def served(make_router, fake_model, other_fake_model) -> Callable[..., Any]:
    """`async with served(policy=..., audits={...}) as s`."""

    @asynccontextmanager
    async def make(policy: Any = "always-small", **settings: Any) -> AsyncIterator[Served]:
        fake_model.answer = settings.pop("small", right)
        other_fake_model.answer = settings.pop("large", right)
        router = make_router(fake_model, other_fake_model, policy=policy, **settings)
        ledger = Ledger.open(router.settings)
        try:
            async with router:
                labels = Labels(router.settings, router.policy, ledger, lambda: always(router))
                await labels.open()
                try:
                    yield Served(router, ledger, labels)
                finally:
                    await labels.close(30)
        finally:
            ledger.close()

    return make
