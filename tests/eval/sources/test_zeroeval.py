"""ZeroEval's reading of answers, and its files made up in small."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.sources.zeroeval import answer_of, first_number, parse
from router.errors import InputError


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ('{"reasoning": "so", "answer": "42"}', "42"),
        ('```json\n{"answer" : -9\n}\n```', "-9"),
        ('{"reasoning": "\\(x\\)", "answer": "6√2"}', "6√2"),  # broken JSON, read all the same
        ('{"answer": "137"} but no: {"answer": "147"}', "137"),  # the first one counts
        ('{"answer": "a \\"quoted\\" word"}', 'a \\"quoted\\" word'),
        ("The answer is 42.", None),
        ("", None),
    ],
)
def test_the_first_answer_field_counts(output: str, said: str | None) -> None:
    assert answer_of(output) == said


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42.0),
        ("-221_3", -221.0),
        ("$17,700$", 17700.0),
        ("[-4, -5]", -4.0),
        ("50π/2", 50.0),
        ("1/4", 0.25),
        ("3.5 units", 3.5),
        ("1/0", 1.0),
        ("none", None),
        ("", None),
    ],
)
def test_the_first_number_is_compared(text: str, number: float | None) -> None:
    assert first_number(text) == number


def record(number: int, output: Any, **over: Any) -> dict[str, Any]:
    return {"id": number, "problem": f"p{number}", "answer": "6", "output": output, **over}


def write(folder: Path, model: str, rows: list[dict[str, Any]]) -> None:
    (folder / f"math-l5_{model}.json").write_text(json.dumps(rows))


def test_right_wrong_and_unparsed(tmp_path: Path) -> None:
    outputs = ['{"answer": "6√2"}', '{"answer": "7"}', "six", '{"answer": "none"}']
    write(tmp_path, "Qwen2.5-72B-Instruct", [record(i, [o]) for i, o in enumerate(outputs)])
    data = parse(tmp_path)
    assert data.outcomes["score"].to_list() == [1.0, 0.0, 0.0, 0.0]
    assert data.outcomes["status"].to_list() == ["ok", "ok", "unparsed", "ok"]
    assert data.outcomes["response_chars"].to_list() == [len(o) for o in outputs]
    assert data.outcomes["params_b"].to_list() == [72.7] * 4
    assert data.queries["query_id"][3] == "zeroeval_math_l5:3"


def test_a_model_of_unknown_size_is_read_too(tmp_path: Path) -> None:
    write(tmp_path, "novel-1", [record(0, ['{"answer": 6}'])])
    row = parse(tmp_path).outcomes.row(0, named=True)
    assert (row["arm"], row["params_b"], row["score"]) == ("novel-1", None, 1.0)


def test_files_that_number_problems_differently_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a", [record(0, ["x"])])
    write(tmp_path, "b", [record(0, ["x"], problem="another")])
    with pytest.raises(InputError, match=r"math-l5_b\.json, record 0: id 0 is another problem"):
        parse(tmp_path)


@pytest.mark.parametrize("output", [[], "text", [None], None])
def test_an_output_of_another_form_is_named(tmp_path: Path, output: Any) -> None:
    write(tmp_path, "a", [record(0, output)])
    with pytest.raises(InputError, match="record 0: output"):
        parse(tmp_path)
