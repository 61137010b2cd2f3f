"""NQ-open: SQuAD's normalisation, exact match, no containment."""

import json
from pathlib import Path

import pytest

from eval.benchmarks.benchmark import Question
from eval.benchmarks.nq_open import NqOpen, normalised
from eval.sources.labels import label_of
from eval.sources.shared import shared_data
from policies.outcome import Status
from router.errors import InputError, SetupError

from .hostile import HOSTILE, graded

ULM = Question(id="q", prompt="p", gold=json.dumps(["Danube", "The River Danube", "!"]))


@pytest.mark.parametrize(
    "text",
    [
        "Danube",
        "the  DANUBE.",
        "**Danube**",
        "\n\nDanube\n\nIt also runs through Vienna.",
        "Answer: Danube",
        "Some thought.\n**Final answer:** the river Danube.",
        "The answer is: Danube",
        "\\boxed{\\text{Danube}}",
        "<think>Rhine?</think>Danube",
        '"Danube"',
        "River, Danube",
    ],
)
def test_right(text: str) -> None:
    assert graded(NqOpen(), ULM, text).score == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "It is the Danube",
        "Danube or Rhine",
        "Rhine\nDanube",
        "Danub",
        "Danubе",  # a Cyrillic letter
        "I don't know.",
        "Answer: unknown",
        "River",
    ],
)
def test_wrong(text: str) -> None:
    result = graded(NqOpen(), ULM, text)
    assert (result.score, result.status) == (0.0, Status.OK)
    assert result.answer


@pytest.mark.parametrize("text", ["", "the", "!", "<think>Danube", "**"])
def test_nothing_never_matches_an_alias_that_normalises_to_nothing(text: str) -> None:
    result = graded(NqOpen(), ULM, text)
    assert (result.score, result.answer, result.status) == (0.0, None, Status.UNPARSED)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    result = graded(NqOpen(), ULM, HOSTILE[name])
    assert result.score == 0.0
    assert len(result.answer or "") <= 500


def test_normalisation_is_squads() -> None:
    assert normalised("The U.S. of  A, an\tApple-pie!") == "us of applepie"
    assert normalised("Theatre") == "theatre"


def test_both_formats(tmp_path: Path) -> None:
    file = tmp_path / "NQ-open.dev.jsonl"
    file.write_text('{"question": "ulm", "answer": ["Danube"]}\n')
    (only,) = NqOpen().questions(file, 0)
    assert (only.id, json.loads(only.gold)) == ("nq_open_dev:0", ["Danube"])
    assert only.prompt.startswith("ulm\n")
    file = file.rename(tmp_path / "mine.jsonl")
    assert NqOpen().questions(file, 0)[0].id == "nq_open:mine:0"


@pytest.mark.parametrize("answer", ['"Danube"', "[]", "[1]", "null"])
def test_a_bad_row(tmp_path: Path, answer: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "ulm", "answer": ' + answer + "}")
    with pytest.raises(InputError, match=r"q\.jsonl, line 1: .*alias"):
        NqOpen().questions(file, 0)


def test_the_shared_questions() -> None:
    try:
        data = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    questions = NqOpen().questions(None, 0)
    assert [q.id for q in questions] == [f"nq_open_dev:{i}" for i in range(3610)]
    assert [q.id for q in NqOpen().questions(None, 9)[:200]] == [q.id for q in questions[:200]]
    assert set(NqOpen().checksums(None)) == {"nq_open_dev.jsonl"}
    assert label_of(NqOpen.benchmark_id).knowledge_demand == 1
    first_alias = json.loads(questions[0].gold)[0]
    assert graded(NqOpen(), questions[0], first_alias).score == 1.0
    assert (data / "questions/nq_open_dev.jsonl").exists()
