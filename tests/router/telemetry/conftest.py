"""Finished requests of a real run on a fake model."""

from dataclasses import dataclass, replace

import pytest

from router.ledger.records import Principal
from router.state import Answer

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


@pytest.fixture
def ended(make_router, fake_model):
    fake_model.answer = lambda _: SECRET_ANSWER
    answer = make_router(fake_model, policy="always-small").ask(SECRET_PROMPT)

    def make(**more) -> Ended:
        return replace(Ended(answer), **more)

    return make
