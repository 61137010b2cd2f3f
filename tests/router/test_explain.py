"""The explained decision: what people see of the signals, and that programs get the same."""

import json

from router.explain import route_json, route_text
from router.state import ArmEstimate, Cue, Decision, Exemplar, Signals

SIGNALS = Signals(
    verifiability=0.91,
    knowledge_demand=0.07,
    confidence=0.83,
    domains={"math": 0.9, "open": 0.1},
    forms={"number": 0.8, "prose": 0.2},
    needs={"repository": 0.7, "structured_output": 0.5, "tools": 0.49},
    language="de",
    chars=12,
    follow_up=True,
    steered=True,
    cues=(Cue(name="equation", verifiability=1.25, knowledge_demand=-0.5),),
    nearest=(
        Exemplar(text="Solve\n3x = 12", similarity=0.71, verifiability=1, knowledge_demand=None),
    ),
    featuriser="v0",
)
DECISION = Decision(
    policy="verifiability",
    arm="small",
    attempt=None,
    reasons=("an answer can be checked at run time, so start small",),
    arms={
        "small": ArmEstimate(available=True, predicted_cost_usd=0.00002),
        "large": ArmEstimate(available=False, why_not="not configured"),
    },
)


def test_people_see_place_confidence_form_and_needs() -> None:
    text = route_text(SIGNALS, DECISION)
    assert "verifiability 0.91   knowledge 0.07   confidence 0.83   language de" in text
    assert "answer number   needs repository, structured output" in text
    assert "tools" not in text


def test_people_see_why() -> None:
    lines = route_text(SIGNALS, DECISION).splitlines()
    assert "  a follow-up: read with what it continues" in lines
    assert "  text aimed at the router was left out" in lines
    assert not any("wrapper" in line or "hardly" in line for line in lines)
    assert "  cue equation         verifiability +1.25   knowledge -0.50" in lines
    assert "  near 0.71 (1, ?) Solve 3x = 12" in lines


def test_people_see_the_choice_and_every_arm() -> None:
    lines = route_text(SIGNALS, DECISION).splitlines()
    assert "verifiability -> small" in lines
    assert "  because an answer can be checked at run time, so start small" in lines
    assert "  large        not configured" in lines


def test_a_query_that_needs_nothing_says_so() -> None:
    plain = SIGNALS.model_copy(update={"needs": {}, "odd": "encoded data"})
    text = route_text(plain, DECISION)
    assert "needs nothing beside a model" in text
    assert "hardly a question: encoded data" in text


def test_programs_get_everything() -> None:
    body = json.loads(json.dumps(route_json(SIGNALS, DECISION)))
    assert body["signals"]["domain"] == "math"
    assert body["signals"]["form"] == "number"
    assert body["signals"]["nearest"][0]["similarity"] == 0.71
    assert body["choice"] == "small"
    assert body["arms"]["large"]["why_not"] == "not configured"
