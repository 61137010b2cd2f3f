"""Which check an attempt meets, and verdicts on attempts that leave nothing to check."""

import asyncio
from typing import Literal

import pytest

from router.samples import AttemptStatus
from router.state import Attempt, Domain, JsonSchemaCheck, Message, Price, Query, Signals
from router.verify import Kind, Verifiers
from router.verify.sandbox import Sandbox

STATE = asyncio.run(Sandbox().available())


def query(text: str) -> Query:
    return Query(id="q", messages=(Message(role="user", content=text),))


def signals(domain: Domain = "open") -> Signals:
    return Signals(
        verifiability=0.5, knowledge_demand=0.5, domains={domain: 1.0}, chars=1, featuriser="t"
    )


def attempt(text: str = "", status: AttemptStatus = AttemptStatus.OK) -> Attempt:
    price = Price(input_usd=0, output_usd=0, basis="test")
    return Attempt(arm="small", model="m", text=text, status=status, price=price)


@pytest.mark.parametrize(
    ("text", "domain", "context", "kind"),
    [
        ("What is 12 * 7?", "open", "index", "grounding"),
        ("What is 12 * 7?", "open", "none", "math"),
        ("A box holds 12 eggs. How many in 7?", "math", "none", "math"),
        ("Write a function f. f(2) == 4", "open", "none", "code"),
        ("Write a function that sorts.", "code", "none", "code"),
        ("Sort a list in Python", "code", "none", "code"),
        ("Write a JavaScript function that sorts.", "code", "none", "none"),
        ("Write a Rust function f. f(2) == 4", "open", "none", "none"),
        ("Write a function that strips HTML tags.", "code", "none", "code"),
        ("Implement add so that add(2, 3) == 5", "open", "none", "code"),
        ("Explain why f(2) == 4 holds", "open", "none", "none"),
        ("Write a function that sorts.", "open", "none", "none"),
        ("What is the capital of Bhutan?", "knowledge", "none", "none"),
        ("Hello!", "open", "none", "none"),
        ("", "open", "none", "none"),
    ],
)
def test_the_kind_is_known_before_the_arm_runs(
    text: str, domain: Domain, context: Literal["none", "index"], kind: Kind
) -> None:
    assert Verifiers().kind_for(query(text), signals(domain), context) == kind


async def test_stated_checks_stand_in_for_what_the_text_suggests() -> None:
    one = Verifiers()
    asked = query("What is 12 * 7? As JSON.").model_copy(
        update={"checks": (JsonSchemaCheck(definition={"type": "integer"}),)}
    )
    for context in ("none", "index"):
        assert one.kind_for(asked, signals("math"), context) == "format"
    right = await one.verify(asked, signals(), attempt("85"), "format")
    wrong = await one.verify(asked, signals(), attempt("It is 84."), "format")
    one.close()
    assert (right.kind, right.passed, right.status) == ("format", True, "passed")
    assert (wrong.passed, wrong.status) == (False, "unparsed")
    assert right.seconds > 0


@pytest.mark.parametrize("kind", ["math", "code", "grounding", "format", "logic", "none"])
@pytest.mark.parametrize(
    ("status", "told"),
    [
        (AttemptStatus.FAILED, "failed"),
        (AttemptStatus.ABSTAINED, "abstained"),
        (AttemptStatus.NO_ANSWER, "no_answer"),
        (AttemptStatus.TRUNCATED, "no_answer"),
    ],
)
async def test_attempts_without_an_answer_fail(
    kind: Kind, status: AttemptStatus, told: str
) -> None:
    given = attempt("It is 84, that is 8", status)
    verdict = await Verifiers().verify(query("What is 12 * 7?"), signals(), given, kind)
    assert (verdict.kind, verdict.passed, verdict.status) == (kind, False, told)
    assert verdict.evidence


async def test_a_truncated_attempt_with_a_closed_answer_is_checked() -> None:
    given = attempt("so \\boxed{84}, since", AttemptStatus.TRUNCATED)
    verdict = await Verifiers().verify(query("What is 12 * 7?"), signals(), given, "math")
    assert verdict.passed is True


async def test_math_and_none() -> None:
    one = Verifiers()
    question = query("What is 12 * 7?")
    wrong = await one.verify(question, signals(), attempt("85"), "math")
    assert (wrong.kind, wrong.passed) == ("math", False)
    assert wrong.seconds > 0
    nothing = await one.verify(query("Hello!"), signals(), attempt("Hi"), "none")
    assert (nothing.kind, nothing.passed, nothing.status) == ("none", None, "not_applicable")


@pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")
async def test_code_runs_in_the_sandbox() -> None:
    given = attempt("```python\ndef f(n): return n * n\n```")
    verdict = await Verifiers().verify(query("Write f. f(2) == 4"), signals(), given, "code")
    assert (verdict.kind, verdict.passed) == ("code", True)


async def test_code_without_a_sandbox_is_unchecked() -> None:
    given = attempt("```python\ndef f(n): return n * n\n```")
    one = Verifiers(Sandbox(bwrap="no-such-bubblewrap", unshare="no-such-unshare"))
    verdict = await one.verify(query("Write f. f(2) == 4"), signals(), given, "code")
    assert (verdict.passed, verdict.status) == (None, "unchecked")


@pytest.mark.parametrize("kind", ["math", "code", "grounding", "none"])
@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "=" * 10**6, "```" * 10**5, "((" * 10**5])
async def test_bad_content_never_raises(kind: Kind, text: str) -> None:
    one = Verifiers(Sandbox(bwrap="no-such-bubblewrap", unshare="no-such-unshare"))
    question = query(text or "?")
    one.kind_for(question, signals(), "none")
    verdict = await one.verify(question, signals(), attempt(text), kind)
    assert verdict.passed is not True
