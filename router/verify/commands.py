"""`ockham verify math | code | answer`.

Each prints one result; with `--json` it is `{"id", "passed", "status", "confidence",
"evidence", "seconds"}`. The exit code is 0 whatever the result: a failed check is a result,
not an error. What not: files of many rows, and calibration, which fits and so lives in eval.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.errors import InputError

if TYPE_CHECKING:
    from router.verify.runner import Runner

__all__ = ["app"]

app = typer.Typer(help="Check an answer, a program, a value.", no_args_is_help=True)

MAX_BYTES = 4 * 1024 * 1024
PROGRESS_ROWS = 50

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
    program: Annotated[str, typer.Option(help="A program: text, or the name of a file.")] = "",
    tests: Annotated[str, typer.Option(help="Its tests: text, or the name of a file.")] = "",
    entry: Annotated[str, typer.Option(help="What a `check(candidate)` in them gets.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="JSONL with id, program and tests on every line.")
    ] = None,
    question: Annotated[str, typer.Option(help="A question: text, or the name of a file.")] = "",
    response: Annotated[str, typer.Option(help="Its response: text, or a file's name.")] = "",
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Run a program on tests, or a response's program on the examples of its question; both
    in the sandbox."""
    from router.verify.code import check_code
    from router.verify.judge import judge

    form = _form(
        {"--program": program, "--tests": tests},
        {"--file": str(file or "")},
        {"--question": question, "--response": response},
    )
    if form == "--file" and file:
        asyncio.run(_show_file(as_json, file))
        return
    if form == "--program":
        source, said = _text(program, "--program"), _text(tests, "--tests")
        names = [Path(program).stem] if source is not program else []
        work = judge(source, said, _runner(), entry=entry or None, modules=names)
    else:
        asked, said = _text(question, "--question"), _text(response, "--response")
        work = check_code(asked, said, _runner())
    _show_verdict(as_json, id_, asyncio.run(work))


def _form(*forms: dict[str, str]) -> str:
    """The first option of the one form that was used; all options of it have to be there."""
    used = [form for form in forms if any(form.values())]
    if len(used) != 1:
        ways = ", or ".join(" with ".join(form) for form in forms)
        raise InputError(f"Give {ways}.")
    if missing := [option for option, value in used[0].items() if not value]:
        raise InputError(f"{missing[0]} is missing or empty: it goes with {next(iter(used[0]))}.")
    return next(iter(used[0]))


async def _show_file(as_json: bool, path: Path) -> None:
    from router.verify.many import judge_file

    counts = {True: 0, False: 0, None: 0}
    async for name, verdict in judge_file(path, _runner()):
        if not as_json:
            sys.stdout.write(f"{name}: ")
        _show_verdict(as_json, name, verdict)
        sys.stdout.flush()
        counts[verdict.passed] += 1
        if sum(counts.values()) % PROGRESS_ROWS == 0:
            sys.stderr.write(f"{_counted(counts)} so far\n")
    sys.stderr.write(f"{_counted(counts)}\n")


def _runner() -> "Runner":
    from router.config import load_settings
    from router.verify.runner import make_runner

    return make_runner(load_settings().sandbox.runner)


def _counted(counts: dict[bool | None, int]) -> str:
    return f"{counts[True]} passed, {counts[False]} failed, {counts[None]} not decided"


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
