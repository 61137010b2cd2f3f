"""Finished requests of a real run on a fake model."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from router.errors import NoAnswerError
from router.ledger.records import Principal
from router.purse import Bill, Bills
from router.runlog import RunLog
from router.state import Answer, Trace

SECRET_PROMPT = "zanzibar-prompt-7431: what is 12 * 7?"
SECRET_ANSWER = "quokka-answer-9952"


ACME = Principal("acme", "key-1")


@dataclass(frozen=True)
class Ended:
    """As the gateway's `Finished`."""

    answer: Answer | None
    id: str = "ab12"
    endpoint: str = "chat"
    principal: Principal = ACME
    stream: bool = False
    status: int = 200
    ending: str = "answered"
    error: str | None = None
    seconds: float = 2.0
    waited_seconds: float = 0.5
    first_token_seconds: float | None = 0.7
    trace: Trace | None = None
    bills: Bills = ()


@pytest.fixture
def failed(make_router, fake_model) -> Ended:
    """A request whose only arm broke off, as the gateway tells of it."""
    fake_model.mode_of = lambda nth: "ok" if nth == 0 else "cut"  # the first asks if it is there
    log = RunLog()
    router = make_router(fake_model, policy="always-small")
    with pytest.raises(NoAnswerError):
        asyncio.run(router.aask(SECRET_PROMPT, log=log))
    return Ended(
        None, status=503, ending="failed", error="no_answer", first_token_seconds=None,
        trace=log.trace(), bills=(("small", Bill(0.25, "estimated")),),
    )  # fmt: skip


@pytest.fixture
def ended(make_router, fake_model):
    fake_model.answer = lambda _: SECRET_ANSWER
    answer = make_router(fake_model, policy="always-small").ask(SECRET_PROMPT)

    def make(**more) -> Ended:
        bills = (("small", Bill(answer.cost_usd, "reported")),)
        return replace(Ended(answer, trace=answer.trace, bills=bills), **more)

    return make
