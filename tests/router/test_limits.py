"""What holds whatever a policy says or a server does: limits, prices, and whose fault it was."""

import time
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from policies import CaseBatch, ChoiceBatch, Needs, Policy, choose_from
from router import ConfigError, NoAnswerError
from router.errors import ModelDied

MATH = "What is 12 * 7?"


class Always(Policy):
    """Takes one column forever, and never stops by itself."""

    name: ClassVar[str] = "test-always"
    column: int = 0

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        return choose_from(cases, np.full(len(cases), self.column), {}, {})


@pytest.mark.parametrize("steps", [1, 3])
def test_the_step_limit_holds_whatever_the_policy_says(make_router, fake_model, steps):
    router = make_router(fake_model, policy=Always(), limits={"max_steps": steps})
    answer = router.ask(MATH)
    assert len(answer.route) == steps
    last = [s.decision for s in answer.trace.steps if s.decision][-1]
    assert last.reasons == (f"the step limit is reached (limits.max_steps = {steps})",)


def test_the_cost_cap_holds_whatever_the_policy_says(make_router, fake_model):
    fake_model.answer = lambda _: "word " * 300
    cap = 0.004
    router = make_router(fake_model, policy=Always(), limits={"max_cost_usd": cap, "max_steps": 50})
    answer = router.ask("Tell me a story.")
    assert 1 < len(answer.route) < 50
    assert answer.cost_usd <= cap
    last = [s.decision for s in answer.trace.steps if s.decision][-1]
    assert "cannot be run" in last.reasons[0] and "limits.max_cost_usd" in last.reasons[0]


def test_a_cap_below_any_call_makes_no_call(make_router, fake_model):
    router = make_router(fake_model, limits={"max_cost_usd": 0})
    with pytest.raises(NoAnswerError, match=r"small: its worst case.*limits.max_cost_usd"):
        router.ask(MATH)
    assert len(fake_model.requests) == 1  # the health check


def test_the_time_limit_returns_what_there_is(make_router, fake_model):
    router = make_router(fake_model, policy=Always(), limits={"timeout_s": 1.5, "max_steps": 60})
    router.open()
    fake_model.mode = "endless"
    start = time.perf_counter()
    with pytest.raises(NoAnswerError, match="not finished within the 1.. s that were left"):
        router.ask("Tell me a story.")
    assert time.perf_counter() - start < 15


def test_a_server_that_hangs_at_the_start_counts_against_the_time_limit(make_router, fake_model):
    fake_model.mode = "hang"
    router = make_router(fake_model, limits={"timeout_s": 1})
    start = time.perf_counter()
    with pytest.raises(NoAnswerError, match="no model was ready within limits.timeout_s = 1"):
        router.ask(MATH)
    assert time.perf_counter() - start < 15  # the first import of LiteLLM is in there


def test_a_hanging_small_server_does_not_delay_the_large_one(
    make_router, fake_model, other_fake_model
):
    router = make_router(fake_model, other_fake_model, policy="always-large").open()
    for _ in range(3):
        router.models.report("small", time.perf_counter(), ModelDied("gone"))
    assert router.models.why_not("small") == "gone"
    router.models._models["small"].retry_at = 0
    fake_model.mode = "hang"
    start = time.perf_counter()
    answer = router.ask("Hello there!")
    assert answer.route == ("large",)
    assert time.perf_counter() - start < 4.5, "less than the small server's stall limit of 5 s"


def test_negative_usage_does_not_raise_the_cap(make_router, fake_model):
    router = make_router(fake_model).open()
    fake_model.mode = "negative"
    answer = router.ask("Hello there!")
    assert answer.cost_usd > 0
    attempt = next(s.attempt for s in answer.trace.steps if s.attempt)
    assert attempt.tokens_basis == "counted" and attempt.completion_tokens == 5


def test_a_stated_price_wins_over_the_default_price_by_the_hour(make_router, fake_model):
    router = make_router(fake_model, models={"small": {
        "tier": "small", "api_base": fake_model.api_base, "usd_per_hour": 0.05,
        "input_usd_per_million": 10, "output_usd_per_million": 10,
    }})  # fmt: skip
    assert router.ask("Hello there!").cost_usd == pytest.approx(16 * 10 / 1e6)


def test_choosing_an_arm_that_cannot_be_run_stops(make_router, fake_model):
    router = make_router(fake_model, policy=Always(column=2))
    with pytest.raises(NoAnswerError, match="large: not configured"):
        router.ask(MATH)


def nan_probability(cases):
    choice = choose_from(cases, np.array([0]), {}, {})
    return replace(choice, probability=np.full_like(choice.probability, np.nan))


def opens_everything(cases):
    cases.available[:] = True
    return choose_from(cases, np.array([2]), {}, {})


def raises(error):
    def choose(cases):
        raise error

    return choose


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (raises(ValueError("no idea")), "no idea"),
        (raises(AssertionError()), "AssertionError"),
        (lambda cases: None, "NoneType"),
        (lambda cases: choose_from(cases, [0], {}, {}), "arm is a list, expected an array"),
        (lambda c: choose_from(c, np.array([0.7]), {}, {}, np.zeros((1, 4))), "whole numbers"),
        (lambda cases: choose_from(cases, np.array([9]), {}, {}, np.zeros((1, 4))), "outside"),
        (nan_probability, "probability"),
        (opens_everything, "read-only"),
    ],
)  # fmt: skip
def test_a_policy_that_breaks_is_named(make_router, fake_model, rule, says):
    class Broken(Policy):
        name: ClassVar[str] = "test-broken"

        def choose(self, cases: CaseBatch) -> ChoiceBatch:
            return rule(cases)

    with pytest.raises(ConfigError, match="policy 'test-broken' failed: ") as caught:
        make_router(fake_model, policy=Broken()).ask(MATH)
    assert says in str(caught.value)
    assert len(fake_model.requests) == 1  # the health check


def test_a_policy_that_needs_what_is_not_there_is_told(make_router, fake_model):
    class Needy(Always):
        name: ClassVar[str] = "test-needy"
        needs: ClassVar[Needs] = Needs(features=frozenset({"mood"}))

    with pytest.raises(ConfigError, match="needs the feature blocks mood; there are axes"):
        make_router(fake_model, policy=Needy()).ask(MATH)


def test_a_policy_of_your_own_is_named_as_module_and_class(make_router, clean_env, tmp_path):
    (tmp_path / "my_rules.py").write_text(
        "from policies import AlwaysSmall, register\n"
        "@register\n"
        "class Mine(AlwaysSmall):\n"
        "    name = 'mine'\n",
        encoding="utf-8",
    )
    clean_env.syspath_prepend(tmp_path)
    assert make_router(policy="my_rules:Mine").policy.name == "mine"
    with pytest.raises(ConfigError, match="policy.name: cannot import my_rules:Other"):
        make_router(policy="my_rules:Other")
