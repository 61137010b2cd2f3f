"""`ockham verify math | code | answer`.

Each prints one result; with `--json` it is `{"id", "passed", "status", "confidence",
"evidence", "seconds"}`. The exit code is 0 whatever the result: a failed check is a result,
not an error. What not: files of many rows, and calibration, which fits and so lives in eval.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from router.errors import InputError

__all__ = ["app"]

app = typer.Typer(help="Check an answer, a program, a value.", no_args_is_help=True)

MAX_BYTES = 4 * 1024 * 1024

IdOption = Annotated[str, typer.Option("--id", help="Comes back in the result.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QuestionOption = Annotated[str, typer.Option(help="The question: text, or the name of a file.")]
ResponseOption = Annotated[str, typer.Option(help="The response: text, or the name of a file.")]


@app.command("math")
def math_(
    gold: Annotated[str, typer.Option(help="The right answer.")],
    answer: Annotated[str, typer.Option(help="The answer to score.")],
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Score a mathematical answer against the right one."""
    from router.verify.equivalence import EquivalenceChecker

    with EquivalenceChecker() as checker:
        result = checker.equivalent(_limited(gold, "--gold"), _limited(answer, "--answer"))
    _show(
        as_json,
        id=id_,
        passed=result.equal,
        status=result.status,
        confidence=None,
        evidence=[f"{answer[:80]!r} against the gold {gold[:80]!r}: {result.status}."],
        seconds=result.seconds,
    )


@app.command()
def code(
    question: QuestionOption,
    response: ResponseOption,
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Run a response's program on the examples of its question, in the sandbox."""
    from router.verify.code import check_code
    from router.verify.sandbox import Sandbox

    asked, said = _text(question, "--question"), _text(response, "--response")
    _show_verdict(as_json, id_, asyncio.run(check_code(asked, said, Sandbox())))


@app.command()
def answer(
    question: QuestionOption,
    response: ResponseOption,
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check a mathematical answer without knowing the right one."""
    from router.verify.math import check_math

    asked, said = _text(question, "--question"), _text(response, "--response")
    _show_verdict(as_json, id_, check_math(asked, said))


def _text(value: str, option: str) -> str:
    """The text itself, or what the file of that name holds."""
    path = Path(value)
    try:
        is_file = len(value) < 1024 and "\n" not in value and path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        return _limited(value, option)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{option}: {value} is larger than {MAX_BYTES} bytes.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{option}: {value} cannot be read as UTF-8 text: {error}") from error


def _limited(value: str, option: str) -> str:
    if not value.strip():
        raise InputError(f"{option} is empty.")
    return value


def _show_verdict(as_json: bool, id_: str, verdict: Any) -> None:
    told = verdict.model_dump(mode="json", exclude={"kind"})
    _show(as_json, id=id_, **{**told, "evidence": list(told["evidence"])})


def _show(as_json: bool, **result: Any) -> None:
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    word = {True: "passed", False: "failed", None: "not decided"}[result["passed"]]
    sure = "" if result["confidence"] is None else f", confidence {result['confidence']:.2f}"
    sys.stdout.write(f"{word} ({result['status']}{sure}, {result['seconds']:.2f} s)\n")
    sys.stdout.writelines(f"  {line}\n" for line in result["evidence"])
