"""TriviaQA: its own normalisation, exact match, no containment."""

import json

import pytest

from eval.benchmarks.benchmark import Question
from eval.benchmarks.trivia_qa import TriviaQa, normalised
from eval.sources.labels import label_of
from eval.sources.shared import shared_data
from policies.outcome import Status
from router.errors import InputError, SetupError

from .hostile import HOSTILE, graded

DUKE = Question(id="q", prompt="p", gold=json.dumps(["marie-louise", "the duchess of parma"]))


@pytest.mark.parametrize(
    "text",
    [
        "Marie Louise",
        "marie_louise",
        "**Marie-Louise.**",
        "Answer: The Duchess of Parma",
        "\\boxed{Marie Louise}",
        "Duchess of\tParma\n\nShe ruled from 1814.",
    ],
)
def test_right(text: str) -> None:
    assert graded(TriviaQa(), DUKE, text).score == 1.0


@pytest.mark.parametrize(
    "text", ["It was Marie Louise", "Marielouise", "Marie", "Parma", "I don't know", "Napoleon"]
)
def test_wrong(text: str) -> None:
    result = graded(TriviaQa(), DUKE, text)
    assert (result.score, result.status) == (0.0, Status.OK)


@pytest.mark.parametrize("text", ["", "the", "!", "<think>Marie Louise"])
def test_nothing_is_unparsed(text: str) -> None:
    result = graded(TriviaQa(), DUKE, text)
    assert (result.score, result.answer, result.status) == (0.0, None, Status.UNPARSED)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    assert graded(TriviaQa(), DUKE, HOSTILE[name]).score == 0.0


def test_normalisation_is_triviaqas_own() -> None:
    # SQuAD's makes "applepie" of it.
    assert normalised("The U.S. of  A, an\tApple-pie_tin!") == "u s of apple pie tin"
    assert normalised("O’Hara’s") == normalised("o'hara's") == "o hara s"


@pytest.mark.parametrize("answer", ['"Danube"', "[]", "[1]", "null"])
def test_a_bad_row(tmp_path, answer) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "ulm", "answer": ' + answer + "}")
    with pytest.raises(InputError, match=r"q\.jsonl, line 1: .*alias"):
        TriviaQa().questions(file, 0)


def test_the_shared_questions() -> None:
    try:
        shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    questions = TriviaQa().questions(None, 0)
    assert len({q.id for q in questions}) == len(questions) == 550
    assert questions[0].id == "llmrouter:trivia_qa:train:0"  # joins with the outcome tables
    assert set(TriviaQa().checksums(None)) == {"triviaqa_550.jsonl"}
    assert label_of(TriviaQa.benchmark_id).knowledge_demand == 1
    for question in questions:
        first_alias = json.loads(question.gold)[0]
        assert graded(TriviaQa(), question, first_alias).score == 1.0, question.id
