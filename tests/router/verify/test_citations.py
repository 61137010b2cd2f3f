"""Statement by statement: what passes, fails, and cannot be told. The encoder is a fake, the map
is by hand, and one test takes the packaged map with the real encoder."""

import numpy as np
import pytest

from router.samples import AttemptStatus
from router.signals import Encoder
from router.state import Attempt, Citation, Passage, Price
from router.verify.citations import MAX_CLAIMS, check_citations, claims_of
from router.verify.grounding import SUPPORTED
from router.verify.support import Support

PASSAGES = (
    Passage(
        source="bt", title="Bhutan — Capital", text="Bhutan. Capital: Thimphu; UTC+6.", score=1
    ),
    Passage(source="cu", title="Bhutan — Money", text="Bhutan. Currency: ngultrum (BTN).", score=1),
)
ASKED = "What are the capital and the currency of Bhutan?"
WORDS = Support(
    ("numbers_missing", "names_missing", "content_share"), (-9.0, -9.0, 8.0), -4.0, 0.9, 0.2
)
"""Everything there: P 0.98; half of the words: 0.5; a number or a name missing: near 0."""


def cite(number, claim="", quote=""):
    return Citation(
        number=number,
        source="s",
        title=PASSAGES[min(number, 2) - 1].title,
        quote=quote,
        claim=claim,
    )


def attempt(text, *citations, status=AttemptStatus.OK):
    return Attempt(
        arm="a", model="m", text=text, status=status, passages=PASSAGES, citations=citations,
        price=Price(input_usd=0, output_usd=0, basis="none"),
    )  # fmt: skip


def fake_encode(texts):
    return np.ones((len(texts), 1), dtype=np.float32)


def check(one):
    return check_citations(ASKED, one, fake_encode, WORDS)


CAPITAL, MONEY = "The capital is Thimphu.", "The currency is the ngultrum."


def test_every_statement_is_held_against_its_own_passage():
    both = attempt(f"{CAPITAL} {MONEY}", cite(1, CAPITAL), cite(2, MONEY))
    verdict = check(both)
    assert verdict.passed is True and verdict.status == "passed"
    assert [(c.claim, c.passages, c.passed) for c in verdict.claims] == [
        (CAPITAL, (1,), True), (MONEY, (2,), True),
    ]  # fmt: skip
    assert verdict.measured["support"] == pytest.approx(min(c.support for c in verdict.claims))
    swapped = attempt(f"{CAPITAL} {MONEY}", cite(2, CAPITAL), cite(1, MONEY))
    told = check(swapped)
    assert told.passed is False and [c.passed for c in told.claims] == [False, False]
    assert "a name is not there" in told.evidence[0]


def test_one_wrong_statement_fails_the_answer():
    wrong = "The currency is the BTN of 99 cents."
    verdict = check(attempt(f"{CAPITAL} {wrong}", cite(1, CAPITAL), cite(2, wrong)))
    assert verdict.passed is False and verdict.status == "unsupported"
    assert len(verdict.evidence) == 1 and "a number is not there" in verdict.evidence[0]


def test_a_statement_without_a_passage_cannot_be_told():
    verdict = check(attempt(f"{CAPITAL} It is lovely there.", cite(1, CAPITAL)))
    assert verdict.passed is None and verdict.status == "unchecked"
    assert verdict.claims[-1].status == "no_citation" and verdict.claims[-1].passages == ()


def test_a_bare_figure_without_a_passage_is_a_statement():
    verdict = check(attempt(f"{CAPITAL} 900,000", cite(1, CAPITAL)))
    assert verdict.passed is None and verdict.claims[-1].claim == "900,000"
    assert check(attempt(f"{CAPITAL} ...", cite(1, CAPITAL))).passed is True


def test_one_passage_for_the_whole_answer_and_the_best_of_several():
    assert claims_of(attempt("Thimphu. It keeps UTC+6.", cite(1))) == (
        ("Thimphu.", (1,)), ("It keeps UTC+6.", (1,)),
    )  # fmt: skip
    assert check(attempt("Thimphu", cite(1))).passed is True
    assert check(attempt("Thimphu", cite(2))).passed is False
    assert check(attempt("Thimphu", cite(2), cite(1))).passed is True


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (attempt("", cite(1)), "no_answer"),
        (attempt("Thimphu"), "no_citation"),
        (attempt("Thimphu", cite(3)), "bad_citation"),
        (attempt("Thimphu", cite(1, quote="Thimphu is the capital")), "bad_quote"),
        (attempt("None.", status=AttemptStatus.ABSTAINED), "abstained"),
    ],
)
def test_what_can_be_held_against_nothing_fails(one, status):
    verdict = check(one)
    assert (verdict.passed, verdict.status, verdict.claims) == (False, status, ())


def test_too_many_statements_are_not_told():
    text = "Thimphu is there. " * (MAX_CLAIMS + 1)
    assert check(attempt(text, cite(1))).status == "unchecked"


def test_without_an_encoder_the_older_rule_decides():
    verdict = check_citations("What is the capital of Bhutan?", attempt("Thimphu", cite(1)))
    assert verdict.passed is True and verdict.claims == ()


@pytest.mark.parametrize(
    ("claim", "passed"),
    [
        ("Thimphu", True),
        ("The capital of Bhutan is Thimphu.", True),
        ("The capital of Bhutan is Kathmandu.", False),
        ("The capital of Bhutan is not Thimphu.", False),
        ("Bhutan keeps UTC+9.", False),
    ],
)
def test_the_packaged_map_with_the_real_encoder(claim, passed):
    asked = "What is the capital of Bhutan?"
    verdict = check_citations(asked, attempt(claim, cite(1)), Encoder().encode)
    assert verdict.passed is passed, verdict


def test_p_right_is_that_they_hold_it_times_that_they_support_it():
    """Of passages that were searched for and judged; others keep the stated value."""
    found = tuple(p.model_copy(update={"dense": 0.7}) for p in PASSAGES)
    one = attempt(CAPITAL, cite(1, CAPITAL)).model_copy(update={"answerable": 0.5})
    searched = check(one.model_copy(update={"passages": found}))
    assert searched.passed is True
    assert searched.confidence == pytest.approx(0.5 * searched.measured["support"])
    assert check(one).confidence == SUPPORTED
    unjudged = one.model_copy(update={"passages": found, "answerable": None})
    assert check(unjudged).confidence == SUPPORTED
    wrong = attempt("It is Paro.", cite(1)).model_copy(
        update={"answerable": 0.5, "passages": found}
    )
    assert check(wrong).confidence is None
