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
