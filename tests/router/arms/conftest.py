"""`vote`: one question asked of an arm that draws several samples from a fake server."""

import pytest

from policies import OnlyArm

from .sampling import arm, replies


@pytest.fixture
def vote(make_router, fake_model):
    """`vote(texts, **method parameters)`: the attempt of one question."""

    def run(*texts, limits=None, question="What is 17 + 25?", **parameters):
        wanted = replies(*texts) if texts else fake_model.answer
        mode_of, fake_model.mode_of = fake_model.mode_of, None
        fake_model.answer = lambda _: "I am here."  # to the probe that opens the router
        router = make_router(
            small=fake_model, arms=arm(**parameters), policy=OnlyArm(arm="vote"),
            **({"limits": limits} if limits else {}),
        )  # fmt: skip
        router.open()
        fake_model.answer, fake_model.mode_of = wanted, mode_of
        fake_model.requests.clear()
        answer = router.ask(question)
        (attempt,) = [s.attempt for s in answer.trace.steps if s.attempt]
        return attempt

    return run
