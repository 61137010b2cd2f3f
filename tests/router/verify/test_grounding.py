"""The claim stands in the cited passage."""

import time

import pytest

from router.samples import AttemptStatus
from router.state import Attempt, Citation, Passage, Price
from router.verify.grounding import check_grounding

BHUTAN = Passage(
    source="factbook",
    title="Bhutan: Government",
    text="Capital: name: Thimphu. Bhutan's population is 777,486 (2021 est.). Highest point: "
    "Gangkar Puensum, 7,570 m. Dzongkha is the official language. Area: 38.4 thousand sq km.",
    score=0.8,
)
NEPAL = Passage(
    source="factbook", title="Nepal: Government", text="Capital: name: Kathmandu.", score=0.7
)
CAPITAL = "What is the capital of Bhutan?"


def attempt(
    text: str,
    cited: tuple[int, ...] = (1,),
    passages: tuple[Passage, ...] = (BHUTAN, NEPAL),
    status: AttemptStatus = AttemptStatus.OK,
    quote: str = "",
) -> Attempt:
    return Attempt(
        arm="small+index",
        model="m",
        text=text,
        status=status,
        price=Price(input_usd=0, output_usd=0, basis="test"),
        passages=passages,
        citations=tuple(
            Citation(number=n, source="factbook", title="", quote=quote) for n in cited
        ),
    )


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (CAPITAL, "Thimphu"),
        (CAPITAL, "The capital of Bhutan is Thimphu. [1]"),
        (CAPITAL, "<think>Paro? No.</think>It is Thimphu."),
        ("How many people live in Bhutan?", "777486 people, population."),
        ("How many people live in Bhutan?", "777,486"),
        ("What is Bhutan's highest point?", "Gangkar Puensum (7570 m)"),
        ("How large is Bhutan?", "38400 sq km"),
    ],
)
def test_what_stands_there_passes(question: str, text: str) -> None:
    verdict = check_grounding(question, attempt(text))
    assert (verdict.passed, verdict.status) == (True, "passed")
    assert verdict.kind == "grounding"
    assert "passage 1" in verdict.evidence[0]


@pytest.mark.parametrize(
    ("question", "given", "status"),
    [
        (CAPITAL, attempt("", status=AttemptStatus.ABSTAINED), "abstained"),
        (CAPITAL, attempt("Thimphu", cited=()), "no_citation"),
        (CAPITAL, attempt("Thimphu", cited=(3,)), "bad_citation"),
        (CAPITAL, attempt("Thimphu", cited=(0,)), "bad_citation"),
        (CAPITAL, attempt("Thimphu", cited=(1, 9)), "bad_citation"),
        (CAPITAL, attempt("Thimphu", passages=()), "bad_citation"),
        (CAPITAL, attempt("Kathmandu", cited=(2,)), "other_subject"),
        (CAPITAL, attempt("The capital is Kathmandu."), "unsupported"),
        (CAPITAL, attempt("Paro"), "unsupported"),
        (CAPITAL, attempt("<think>Thimphu"), "no_answer"),
        (CAPITAL, attempt(" "), "no_answer"),
        (CAPITAL, attempt("Thimphu", quote="Capital: Paro"), "bad_quote"),
        ("How many people live in Bhutan?", attempt("About 777,487 people"), "unsupported"),
        ("How many people live in Bhutan?", attempt("Its population is 2021000"), "unsupported"),
        ("How large is Bhutan?", attempt("38.4 sq km"), "unsupported"),
    ],
)
def test_what_does_not_stand_there_fails(question: str, given: Attempt, status: str) -> None:
    verdict = check_grounding(question, given)
    assert (verdict.passed, verdict.status) == (False, status)


@pytest.mark.parametrize(
    "text", ["The capital of Bhutan.", "Bhutan", "It is the capital. [1]", "?"]
)
def test_an_answer_of_question_words_proves_nothing(text: str) -> None:
    assert check_grounding(CAPITAL, attempt(text)).passed is None


@pytest.mark.parametrize(
    ("question", "given"),
    [
        ("what is the capital of bhutan?", attempt("kathmandu", cited=(2,))),
        (CAPITAL, attempt("Kathmandu, where Dzongkha is the official language")),
    ],
)
def test_a_subject_that_cannot_be_tied_down_is_not_passed(question: str, given: Attempt) -> None:
    assert check_grounding(question, given).passed is None


def test_a_question_in_lower_case_is_tied_by_the_title() -> None:
    assert check_grounding("what is the capital of bhutan?", attempt("thimphu")).passed is True


def test_one_good_citation_is_enough() -> None:
    assert check_grounding(CAPITAL, attempt("Thimphu", cited=(2, 1))).passed is True


def test_a_quote_that_stands_there_is_fine() -> None:
    given = attempt("Thimphu", quote="capital:  name: THIMPHU")
    assert check_grounding(CAPITAL, given).passed is True


def test_accents_and_plurals_do_not_matter() -> None:
    passage = BHUTAN.model_copy(update={"text": "São Tomé's rivers hold Bhutan cattle herds."})
    given = attempt("A river near Sao Tome, a cattle herd", passages=(passage,))
    assert check_grounding("What is in Bhutan?", given).passed is not None


def test_a_long_answer_is_bounded() -> None:
    started = time.perf_counter()
    check_grounding("x" * 10**6, attempt("Ab cd, 1,234 million " * 50_000))
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
