"""GSM8K: both formats, the reading of numbers, hostile answers."""

import asyncio
import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.benchmarks.benchmark import Question
from eval.benchmarks.gsm8k import INSTRUCTION, Gsm8k
from eval.sources.labels import label_of
from eval.sources.shared import shared_data
from policies.outcome import Status
from router.errors import InputError, SetupError

from .hostile import HOSTILE, graded


@pytest.fixture(scope="module")
def gsm8k() -> Iterator[Gsm8k]:
    one = Gsm8k()
    yield one
    one.close()


def ask(gold: str) -> Question:
    return Question(id="q", prompt="p", gold=gold)


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("18", "\\boxed{18}"),
        ("18", "\\boxed{17} no, \\boxed{18}"),
        ("18", "\\boxed{\\$18}"),
        ("18", "\\boxed{18\\text{ dollars}}"),
        ("18", "\\boxed{x = 18}"),
        ("18", "\\boxed{12 + 6 = 18}"),
        ("18", "\\boxed{18.00}"),
        ("18", "\\boxed{18^\\circ}"),
        ("18", "\\boxed{\\frac{36}{2}}"),  # math-verify
        ("18", "\\boxed{} so 18"),
        ("18", "The answer is $18."),
        ("18", "The answer is 18, not 20"),
        ("18", "**Answer:** 18 eggs (of 24)"),
        ("18", "9 * 2 = 18\n#### 18"),
        ("18", "She has 18."),
        ("18", "12-4=8, and 8+10=18"),
        ("18", "<think>17</think>18"),
        ("18", "١٨"),
        ("18", "１８"),
        ("18", "\u202e18\u202c"),
        ("18", "\x0018\x00"),
        ("18", "\\boxed{18"),
        ("1200", "1,200"),
        ("1200", "$1,200.00 in all."),
        ("1200", "\\boxed{1{,}200}"),
        ("1200", "\\boxed{1\\,200}"),
        ("10", "\\boxed{10\\%}"),
        ("10", "10%"),
        ("-5", "-5"),
        ("-5", "−5"),
        ("-5", "\\boxed{-\\$5}"),
        ("-5", "It fell to $-5"),
        ("5", "3-5 apples, so 5"),
    ],
)
def test_right(gsm8k: Gsm8k, gold: str, text: str) -> None:
    result = graded(gsm8k, ask(gold), text)
    assert (result.score, result.status) == (1.0, Status.OK)


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("18", "\\boxed{17} \\boxed{19}"),
        ("18", "\\boxed{17, 18}"),
        ("18", "\\boxed{17 \\text{ or } 18}"),
        ("18", "-18"),
        ("18", "18 dozen, so 216"),
        ("18", "The answer is 180"),
        ("18", "\\boxed{18.5}"),
        ("18", "0.18"),
        ("18", "1e999"),
        ("10", "0.1"),
        ("10", "\\boxed{0.1}"),
        ("10", "\\boxed{\\frac{1}{10}}"),
        ("0.1", "10%"),
        ("1200", "1.2"),
        ("5", "-5"),
        ("18", "\\boxed{9^{9^{9^{9}}}}"),
        ("18", "18/0"),
    ],
)
def test_wrong(gsm8k: Gsm8k, gold: str, text: str) -> None:
    result = graded(gsm8k, ask(gold), text)
    assert (result.score, result.status) == (0.0, Status.OK)


@pytest.mark.parametrize("text", ["", "eighteen", "\\boxed{eighteen}", "<think>18", "½", "x1y"])
def test_unparsed(gsm8k: Gsm8k, text: str) -> None:
    result = graded(gsm8k, ask("18"), text)
    assert (result.score, result.answer, result.status) == (0.0, None, Status.UNPARSED)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(gsm8k: Gsm8k, name: str) -> None:
    result = graded(gsm8k, ask("18"), HOSTILE[name])
    assert result.score == 0.0
    assert len(result.answer or "") <= 200


def test_both_formats(tmp_path: Path) -> None:
    published = tmp_path / "test.jsonl"
    published.write_text(
        '{"question": "Jars?", "answer": "12*4=<<12*4=48>>48\\n#### 48"}\n'
        '{"question": "More?", "answer": "#### 1,200"}\n'
    )
    first, second = Gsm8k().questions(published, 0)
    assert (first.id, first.gold, second.gold) == ("gsm8k_test:0", "48", "1200")
    assert first.prompt.startswith("Jars?\n")
    shared = tmp_path / "mine.jsonl"
    shared.write_text('{"id": "a:7", "question": "Jars?", "answer": "-48"}\n')
    assert [(q.id, q.gold) for q in Gsm8k().questions(shared, 3)] == [("a:7", "-48")]
    train = published.rename(tmp_path / "train.jsonl")
    # Another split's numbers must not join with the test's.
    assert [q.id for q in Gsm8k().questions(train, 0)] == ["gsm8k:train:0", "gsm8k:train:1"]
    assert set(Gsm8k().checksums(train)) == {"train.jsonl"}


@pytest.mark.parametrize(
    "row",
    ['{"question": "x"}', '{"question": 1, "answer": "#### 1"}', '{"question":"x","answer":"ten"}'],
)
def test_a_bad_row(tmp_path: Path, row: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "x", "answer": "#### 1"}\n' + row)
    with pytest.raises(InputError, match=r"q\.jsonl, line 2: .*#### 18"):
        Gsm8k().questions(file, 0)


def test_the_ids_join_the_outcome_tables() -> None:
    pl = pytest.importorskip("polars")
    try:
        data = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    ids = [q.id for q in Gsm8k().questions(None, 0)]
    known = set(
        pl.read_parquet(data / "queries/gsm8k_gpt3.parquet", columns=["query_id"])["query_id"]
    )
    assert len(ids) == 1319 and set(ids) == known
    assert ids == [f"gsm8k_test:{i}" for i in range(1319)]
    assert label_of(Gsm8k.benchmark_id).verifiability == 1


def test_real_answers_agree_with_a_published_judgement(gsm8k: Gsm8k) -> None:
    """RouteLLM reads the last run of digits: "$37.00" and "$64 for the 16 glasses" are wrong
    there and right here. `ockham outcomes rescore` lists each."""
    try:
        file = shared_data() / "raw/routellm/gsm8k/gsm8k_responses.csv"
    except SetupError as error:
        pytest.skip(str(error))
    if not file.exists():
        pytest.skip(f"{file} is not there")
    asked = {q.prompt.removesuffix(INSTRUCTION).strip(): q for q in gsm8k.questions(None, 0)}

    async def agreement() -> list[bool]:
        same = []
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                for model in [name for name in row if f"{name}_response" in row]:
                    question = asked[row["prompt"].strip()]
                    result = await gsm8k.score(question, row[f"{model}_response"])
                    assert result.status in (Status.OK, Status.UNPARSED)
                    same.append((result.score == 1.0) == (row[model] == "True"))
        return same

    same = asyncio.run(agreement())
    assert len(same) == 2 * 1319
    assert len(same) - sum(same) == 125
