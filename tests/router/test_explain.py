"""The explained decision: what people see of the signals, and that programs get the same."""

import json

from router.explain import claim_lines, lookup_lines, route_json, route_text
from router.state import (
    ArmEstimate,
    CitedClaim,
    Cue,
    Decision,
    Exemplar,
    Lookup,
    Passage,
    Signals,
    Verdict,
)

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


LOOKUP = Lookup(
    passages=(Passage(source="f/bt", title="Bhutan\x1b[31m — Capital", text="t", score=1.0),),
    answerable=0.875, follow_up="What is the currency of Bhutan?", index="i", seconds=0.012,
)  # fmt: skip


def test_what_was_looked_up_is_shown_and_obeyed_by_no_terminal() -> None:
    arms = {"small": ArmEstimate(available=True, predicted_cost_usd=1e-5, quality=0.625)}
    lines = route_text(
        SIGNALS, DECISION.model_copy(update={"lookup": LOOKUP, "arms": arms})
    ).splitlines()
    assert any(line.endswith("P(right) about 0.62") for line in lines)
    assert "passages found: P(they hold the answer) 0.88, 12 ms" in lines
    assert "  then asked: What is the currency of Bhutan?" in lines
    assert "  [1] Bhutan[31m — Capital (f/bt)" in lines
    broken = lookup_lines(Lookup(error="it is damaged"))
    assert broken == ["the index could not be searched: it is damaged"]


def test_claims_are_shown_with_what_their_passage_says() -> None:
    claim = CitedClaim(
        claim="It is Paro.", passages=(1,), passed=False, status="unsupported", support=0.1,
        evidence="Passage 1 does not support it (P 0.10).",
    )  # fmt: skip
    verdict = Verdict(kind="grounding", passed=False, status="unsupported", claims=(claim,))
    assert claim_lines(verdict) == [
        "NOT supported: It is Paro.  Passage 1 does not support it (P 0.10)."
    ]
    body = json.loads(
        json.dumps(route_json(SIGNALS, DECISION.model_copy(update={"lookup": LOOKUP})))
    )
    assert body["lookup"]["answerable"] == 0.875
    assert body["lookup"]["passages"][0]["source"] == "f/bt"
