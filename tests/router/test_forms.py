"""A JSON schema that the asker states reaches an arm whose model can keep to one."""

import pytest

from router import InputError, NoAnswerError
from router.needs import form_needs, hard_needs, is_plain
from router.state import JsonSchemaCheck, Message, Query, RegexCheck

SCHEMA = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
CANNOT = "its model cannot do what the request needs: json_schema (models.small.can)"


def formed(text="What is 12 * 7?", check=None, **call):
    turn = Message(role="user", content=text)
    return Query(id="q", messages=(turn,), checks=(check or JsonSchemaCheck(definition=SCHEMA),),
                 call=call)  # fmt: skip


@pytest.fixture
def two(make_router, fake_model, other_fake_model):
    """`two(small=(...), large=(...))`: a router whose models can do those things."""
    fake_model.answer = lambda _: "Of course! Here is some prose."
    other_fake_model.answer = lambda _: '{"x": 1}'

    def make(small=(), large=(), **overrides):
        router = make_router(fake_model, other_fake_model, models={
            name: {
                "tier": name, "api_base": fake.api_base, "api_key": "k", "can": can,
                "usd_per_hour": None, "input_usd_per_million": usd, "output_usd_per_million": usd,
            }
            for name, can, fake, usd in (
                ("small", small, fake_model, 1), ("large", large, other_fake_model, 10)
            )
        }, **overrides)  # fmt: skip
        return router.open()

    return make


def first(answer):
    return next(step.decision for step in answer.trace.steps if step.decision)


def test_a_stated_form_is_a_need_beside_the_hard_ones():
    assert form_needs(formed()) == {"json_schema"} and hard_needs(formed()) == set()
    assert not is_plain(formed())
    assert form_needs(formed(check=RegexCheck(pattern="x"))) == set()


def test_an_arm_that_can_is_asked_and_no_other(two, fake_model):
    answer = two(large=("json_schema",)).ask(formed())
    assert answer.route == ("large",) and answer.verified and answer.answer == '{"x": 1}'
    estimate = first(answer).arms["small"]
    assert estimate.why_not == CANNOT and estimate.unable and not estimate.available
    assert len(fake_model.requests) == 1  # the health check


def test_a_small_model_that_can_is_asked_first(two, fake_model, other_fake_model):
    fake_model.answer = lambda _: '{"x": 2}'
    answer = two(small=("json_schema",), large=("json_schema",)).ask(formed())
    assert answer.route == ("small",) and answer.verified
    assert len(other_fake_model.requests) == 1  # the health check


def test_where_no_arm_can_the_check_judges_each(two):
    answer = two().ask(formed())
    assert answer.route == ("small", "large") and answer.verified


def test_an_arm_that_can_and_is_away_is_not_replaced_by_one_that_cannot(
    two, fake_model, other_fake_model
):
    router = two(large=("json_schema",))
    other_fake_model.mode = "error"
    with pytest.raises(NoAnswerError, match="models.small.can"):
        router.ask(formed())
    assert len(fake_model.requests) == 1  # the health check


def test_form_and_tools_have_to_be_there_in_one_model(two):
    router = two(small=("tools",), large=("json_schema",))
    with pytest.raises(InputError, match="small: .* needs: json_schema(.|\n)*large: .* tools"):
        router.ask(formed(tools=TOOLS))


def test_who_names_a_model_has_it_and_its_answer_is_held_against_the_form(two):
    router = two(large=("json_schema",))
    answer = router.ask(formed(), policy=router.concrete("small"))
    assert answer.route == ("small",) and answer.verdict.passed is False


def test_who_names_an_arm_that_cannot_is_told(two):
    router = two(large=("json_schema",))
    with pytest.raises(InputError, match=r"models\.small\.can"):
        router.ask(formed(), policy=router.concrete("small+index"))
