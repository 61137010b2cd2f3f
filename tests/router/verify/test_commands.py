"""`ockham verify ...`: one result, in one shape."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.errors import InputError
from router.verify.commands import app
from router.verify.sandbox import Sandbox

STATE = asyncio.run(Sandbox().available())
KEYS = ["id", "passed", "status", "confidence", "evidence", "seconds"]


def call(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def asked(*arguments: str) -> dict[str, Any]:
    found = json.loads(call(*arguments, "--json", "--id", "7"))
    assert list(found) == KEYS
    assert found["id"] == "7"
    assert isinstance(found["evidence"], list)
    assert found["seconds"] >= 0
    return dict(found)


@pytest.mark.parametrize(
    ("gold", "answer", "passed", "status"),
    [("20", "$20.00", True, "equal"), ("20", "21", False, "different")],
)
def test_math(gold: str, answer: str, passed: bool, status: str) -> None:
    found = asked("math", "--gold", gold, "--answer", answer)
    assert (found["passed"], found["status"], found["confidence"]) == (passed, status, None)


def test_answer() -> None:
    question = "What is 12 * 7?"
    assert asked("answer", "--question", question, "--response", "84")["passed"] is True
    assert asked("answer", "--question", question, "--response", "85")["passed"] is False
    assert asked("answer", "--question", "Who?", "--response", "\\boxed{4}")["passed"] is None


@pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")
def test_code_from_files(tmp_path: Path) -> None:
    question, response = tmp_path / "q.txt", tmp_path / "r.md"
    question.write_text("Write f. f(2) == 4")
    response.write_text("```python\ndef f(n): return n * n\n```")
    found = asked("code", "--question", str(question), "--response", str(response))
    assert (found["passed"], found["status"]) == (True, "passed")


PROGRAM = "def f(n): return n * n"
sandboxed = pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")


@sandboxed
def test_a_program_with_its_tests(tmp_path: Path) -> None:
    program, tests = tmp_path / "squares.py", tmp_path / "tests.py"
    program.write_text(PROGRAM)
    tests.write_text("from squares import f\nassert f(2) == 4")
    found = asked("code", "--program", str(program), "--tests", str(tests))
    assert (found["passed"], found["status"]) == (True, "passed")
    found = asked("code", "--program", PROGRAM, "--tests", "assert f(2) == 5")
    assert found["passed"] is False
    assert found["evidence"][0].endswith("f(2) gave 4")
    check = "def check(candidate): assert candidate(2) == 4"
    both = f"{PROGRAM}\ndef g(n): return 0"
    assert asked("code", "--program", both, "--tests", check, "--entry", "f")["passed"] is True


@sandboxed
def test_a_file_of_programs_keeps_its_order(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    slow = "import time\ntime.sleep(0.4)\n" + PROGRAM
    rows = [
        {"id": "slow", "program": slow, "tests": "assert f(2) == 4"},
        {"id": 7, "program": PROGRAM, "tests": "assert f(2) == 5"},
        {"id": "no tests", "program": PROGRAM},
        {"program": PROGRAM, "tests": "pass"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\nno json\n")
    result = CliRunner().invoke(app, ["code", "--file", str(file), "--json"])
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [list(row) for row in found] == [KEYS] * 5
    assert [(row["id"], row["passed"], row["status"]) for row in found] == [
        ("slow", True, "passed"), (7, False, "failed"), ("no tests", None, "bad_input"),
        ("", None, "bad_input"), ("", None, "bad_input"),
    ]  # fmt: skip
    assert found[2]["evidence"] == ["line 3: field 'tests' must be a text"]
    assert "1 passed, 1 failed, 3 not decided" in result.stderr


@sandboxed
def test_programs_that_agree_share_a_cluster(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.py", "b.py", "c.py", "d.py")]
    bodies = ("return sum(x)", "return sum(v for v in x)", "return max(x, default=0)", "return")
    for path, body in zip(paths, bodies, strict=True):
        path.write_text(f"def f(x):\n    {body}\n")
    given = [str(p) for p in paths]
    told = call("agree", *given, "--entry", "f", "--call", "f([1, 2])", "--json")
    assert list(json.loads(told).values()) == [0, 0, 1, None]
    assert "no behaviour" in call("agree", given[0], "--entry", "g")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--program with --tests, or --file, or --question with --response"),
        (["--program", "x"], "--tests is missing"),
        (["--response", "x"], "--question is missing"),
        (["--program", "x", "--tests", "y", "--file", "z"], "Give --program"),
        (["--file", "no-such-file.jsonl"], "--file: no-such-file.jsonl cannot be read"),
        (["--file", "."], "--file: . cannot be read"),
    ],
)
def test_code_takes_one_form_of_three(options: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        call("code", *options)


def test_people_get_words() -> None:
    said = call("answer", "--question", "What is 12 * 7?", "--response", "85")
    assert said.startswith("failed (failed, confidence 0.01")
    assert "12*7" in said.replace(" ", "")


def test_bad_input_names_the_option(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="--question"):
        call("answer", "--question", str(binary), "--response", "1")
    with pytest.raises(InputError, match="--response"):
        call("answer", "--question", "What?", "--response", "")


def rows(*lines: object) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)


def test_math_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text(
        rows(
            {"id": "a", "gold": "20", "answer": "$20.00"},
            "{broken",
            {"id": 2, "gold": "2x", "answer": "x+x"},
            {"id": "c", "gold": "2x", "answer": ""},
        )
    )
    said = [json.loads(line) for line in call("math", "--file", str(file)).splitlines()]
    assert [list(one) for one in said] == [KEYS] * 4
    assert [(one["id"], one["passed"], one["status"]) for one in said] == [
        ("a", True, "equal"),
        ("", None, "bad_input"),
        (2, True, "equal"),
        ("c", False, "unparsed"),
    ]
    assert "line 2" in said[1]["evidence"][0]


def test_answers_from_standard_input() -> None:
    given = rows(
        {"id": "a", "question": "What is 12 * 7?", "response": "84"},
        {"id": "b", "question": "What is 12 * 7?", "response": "85"},
        {"id": "c", "question": "What is 12 * 7?"},
    )
    result = CliRunner().invoke(app, ["answer", "--file", "-"], input=given, catch_exceptions=False)
    said = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["passed"] for one in said] == [True, False, None]
    assert said[2]["evidence"] == ["line 3: field 'response' must be a text"]
    assert "1 passed, 1 failed, 1 not decided" in result.stderr


def test_a_file_and_options_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--file: not together with --gold"):
        call("math", "--file", "-", "--gold", "3")
    with pytest.raises(InputError, match="--answer is missing"):
        call("math", "--gold", "3")
    with pytest.raises(InputError, match=f"--file: {tmp_path}/none cannot be read"):
        call("answer", "--file", f"{tmp_path}/none")


def test_format(tmp_path: Path) -> None:
    schema = tmp_path / "s.json"
    schema.write_text('{"type": "integer"}')
    assert asked("format", "--schema", str(schema), "--response", "12")["passed"] is True
    assert asked("format", "--schema", str(schema), "--response", '"a"')["passed"] is False
    both = ("--schema", str(schema), "--regex", ".{1,2}")
    assert asked("format", *both, "--response", "123")["status"] == "failed"
    with pytest.raises(InputError, match="--schema or --regex"):
        call("format", "--response", "1")
    with pytest.raises(InputError, match="--regex: The pattern is wrong"):
        call("format", "--response", "1", "--regex", "(")
    schema.write_text('{"type": "nothing"}')
    with pytest.raises(InputError, match="--schema: The schema is wrong"):
        call("format", "--response", "1", "--schema", str(schema))
    schema.write_text("[]")
    with pytest.raises(InputError, match="--schema: .* no file with a JSON object"):
        call("format", "--response", "1", "--schema", str(schema))


def test_logic(tmp_path: Path) -> None:
    pytest.importorskip("reasoning_gym", reason="the eval extra is not installed")
    entry = tmp_path / "e.json"
    entry.write_text('{"question": "?", "answer": "12", "metadata": {}}')
    options = ("logic", "--task", "gcd", "--entry", str(entry), "--answer")
    assert asked(*options, "12")["passed"] is True
    assert asked(*options, "13")["passed"] is False
    with pytest.raises(InputError, match="--task: 'n_queens' is none of base_conversion"):
        call("logic", "--task", "n_queens", "--entry", str(entry), "--answer", "1")
    entry.write_text("{}")
    with pytest.raises(InputError, match="--entry: The entry needs"):
        call(*options, "12")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["code", "--program", "nope.py", "--tests", "assert f(2) == 4"], "--program"),
        (["code", "--program", PROGRAM, "--tests", "tests/nope"], "--tests"),
        (["code", "--question", "nope.txt", "--response", "x"], "--question"),
        (["agree", "nope1.py", "--entry", "f"], "PROGRAMS"),
        (["answer", "--question", "nope.md", "--response", "3/4"], "--question"),
    ],
)
def test_a_mistyped_file_name_is_no_text(arguments: list[str], option: str) -> None:
    with pytest.raises(InputError, match=f"{option}: .*nope.* is no file"):
        call(*arguments)
