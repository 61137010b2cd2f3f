"""`ockham verify math | code | answer | format | logic | agree`.

Each prints one result; with `--json` it is `{"id", "passed", "status", "confidence",
"evidence", "seconds"}`; with `--file F.jsonl` one such line for each of the file's. The exit
code is 0 whatever the result: a failed check is a result, not an error. What not: calibration,
which fits and so lives in eval.
"""

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.errors import InputError

if TYPE_CHECKING:
    from router.state import Check, Verdict
    from router.verify.batch import Row
    from router.verify.equivalence import Equivalence
    from router.verify.runner import Runner

__all__ = ["app"]

app = typer.Typer(help="Check an answer, a program, a value.", no_args_is_help=True)

MAX_BYTES = 4 * 1024 * 1024
CODE_CHUNK = 16

IdOption = Annotated[str, typer.Option("--id", help="Comes back in the result.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QUESTION_HELP = "The question: text, or the name of a file."
RESPONSE_HELP = "The response: text, or the name of a file."
QuestionOption = Annotated[str, typer.Option(help=QUESTION_HELP)]
ResponseOption = Annotated[str, typer.Option(help=RESPONSE_HELP)]
FileOption = Annotated[
    str | None,
    typer.Option("--file", help="Many at once: JSONL, a row a line with `id`; - is stdin."),
]


@app.command("math")
def math_(
    gold: Annotated[str | None, typer.Option(help="The right answer.")] = None,
    answer: Annotated[str | None, typer.Option(help="The answer to score.")] = None,
    file: FileOption = None,
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Score a mathematical answer against the right one."""
    from router.verify.batch import Row, run
    from router.verify.equivalence import EquivalenceChecker

    with EquivalenceChecker() as checker:

        def check(rows: Sequence[Row]) -> list[dict[str, Any]]:
            pairs = [(row.texts["gold"], row.texts["answer"]) for row in rows]
            found = checker.equivalent_many(pairs)
            return [_scored(row, one) for row, one in zip(rows, found, strict=True)]

        if one := _either(file, id_, gold=gold, answer=answer):
            _show(as_json, **check([one])[0])
        elif file:
            run(file, ("gold", "answer"), check)


def _scored(row: "Row", found: "Equivalence") -> dict[str, Any]:
    gold, answer = row.texts["gold"], row.texts["answer"]
    return {
        "id": row.id,
        "passed": found.equal,
        "status": found.status,
        "confidence": None,
        "evidence": [f"{answer[:80]!r} against the gold {gold[:80]!r}: {found.status}."],
        "seconds": found.seconds,
    }


@app.command()
def code(
    program: Annotated[str, typer.Option(help="A program: text, or the name of a file.")] = "",
    tests: Annotated[str, typer.Option(help="Its tests: text, or the name of a file.")] = "",
    entry: Annotated[str, typer.Option(help="What a `check(candidate)` in them gets.")] = "",
    file: FileOption = None,
    question: Annotated[str, typer.Option(help="A question: text, or the name of a file.")] = "",
    response: Annotated[str, typer.Option(help="Its response: text, or a file's name.")] = "",
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Run a program on tests, or a response's program on the examples of its question; both
    in the sandbox."""
    from router.verify.batch import run
    from router.verify.code import check_code
    from router.verify.judge import judge

    form = _form(
        {"--program": program, "--tests": tests},
        {"--file": file or ""},
        {"--question": question, "--response": response},
    )
    if form == "--file" and file:
        run(file, ("program", "tests"), _judged, optional=("entry",), chunk=CODE_CHUNK)
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


def _judged(rows: "Sequence[Row]") -> list[dict[str, Any]]:
    """Programs of a file, as many side by side as there are processors."""
    from router.verify.judge import judge
    from router.verify.workers import cores

    async def all_of_them() -> "list[Verdict]":
        sandbox, room = _runner(), asyncio.Semaphore(cores())

        async def one(row: "Row") -> "Verdict":
            async with room:
                texts = row.texts
                return await judge(
                    texts["program"], texts["tests"], sandbox, entry=texts.get("entry")
                )

        return await asyncio.gather(*map(one, rows))

    told = asyncio.run(all_of_them())
    return [_told(row.id, verdict) for row, verdict in zip(rows, told, strict=True)]


def _runner() -> "Runner":
    from router.config import load_settings
    from router.verify.runner import make_runner

    return make_runner(load_settings().sandbox.runner)


@app.command()
def answer(
    question: Annotated[str | None, typer.Option(help=QUESTION_HELP)] = None,
    response: Annotated[str | None, typer.Option(help=RESPONSE_HELP)] = None,
    file: FileOption = None,
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check a mathematical answer without knowing the right one."""
    from router.verify.batch import Row, run
    from router.verify.math import check_math

    def check(rows: Sequence[Row]) -> list[dict[str, Any]]:
        return [
            _told(row.id, check_math(row.texts["question"], row.texts["response"])) for row in rows
        ]

    if one := _either(file, id_, question=question, response=response):
        read = {name: _text(value, f"--{name}") for name, value in one.texts.items()}
        _show(as_json, **check([one._replace(texts=read)])[0])
    elif file:
        run(file, ("question", "response"), check)


@app.command()
def agree(
    programs: Annotated[list[Path], typer.Argument(help="Files with programs.")],
    entry: Annotated[str, typer.Option(help="The function that all of them define.")],
    call: Annotated[
        list[str] | None, typer.Option(help='A call that shows what it takes: "f([1, 2], 3)".')
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Which programs behave alike on made-up inputs? Agreement is no proof: faults are shared."""
    from router.verify.votes import ProgramVotes

    sources = [_text(str(path), "PROGRAMS") for path in programs]
    found = asyncio.run(ProgramVotes(entry, _runner(), examples=call or ()).numbers(sources))
    told = {str(path): cluster for path, cluster in zip(programs, found, strict=True)}
    if as_json:
        sys.stdout.write(json.dumps(told) + "\n")
        return
    for path, cluster in told.items():
        sys.stdout.write(f"{path}: {'no behaviour' if cluster is None else f'cluster {cluster}'}\n")


@app.command("format")
def format_(
    response: Annotated[str, typer.Option(help=RESPONSE_HELP)],
    schema: Annotated[
        Path | None, typer.Option(help="File with a JSON schema that the response must meet.")
    ] = None,
    regex: Annotated[
        str | None, typer.Option(help="Pattern that the whole response must match.")
    ] = None,
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Check the form of a response: a JSON schema, a regular expression, or both."""
    from router.state import JsonSchemaCheck, RegexCheck

    checks: list[Check] = []
    if schema is not None:
        checks.append(JsonSchemaCheck(definition=_object(schema, "--schema")))
    if regex is not None:
        checks.append(RegexCheck(pattern=regex))
    if not checks:
        raise InputError("--schema or --regex is missing.")
    _show_verdict(as_json, id_, _stated(checks, _text(response, "--response")))


@app.command()
def logic(
    task: Annotated[str, typer.Option(help="Name of the task in reasoning-gym.")],
    entry: Annotated[Path, typer.Option(help="File with the entry that the package made.")],
    answer: Annotated[str, typer.Option(help="The answer to score.")],
    id_: IdOption = "",
    as_json: JsonOption = False,
) -> None:
    """Score the answer to a reasoning-gym puzzle by the task's own checker: 1.0 or not."""
    from router.state import ReasoningGymCheck
    from router.verify.logic import SAFE_TASKS, need_package

    need_package()
    if task not in SAFE_TASKS:
        raise InputError(f"--task: {task!r} is none of {', '.join(sorted(SAFE_TASKS))}.")
    check = ReasoningGymCheck(task=task, entry=_object(entry, "--entry"))
    _show_verdict(as_json, id_, _stated([check], _text(answer, "--answer")))


def _stated(checks: "Sequence[Check]", response: str) -> "Verdict":
    """The verdict; what is wrong with the check itself is the caller's mistake."""
    from router.verify.stated import StatedChecks

    stated = StatedChecks()
    try:
        verdict = stated.verdict(checks, response)
    finally:
        stated.close()
    options = {"bad_schema": "--schema", "bad_pattern": "--regex", "bad_entry": "--entry"}
    if verdict.status in options:
        raise InputError(f"{options[verdict.status]}: {' '.join(verdict.evidence)}")
    return verdict


def _object(path: Path, option: str) -> dict[str, Any]:
    """The JSON object of a file."""
    try:
        given = json.loads(_text(str(path), option))
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise InputError(f"{option}: {path} is no file with a JSON object.")
    return given


def _either(file: str | None, id_: str, **options: str | None) -> "Row | None":
    """The one row that the options give; None where there is a file instead."""
    from router.verify.batch import Row

    given = {name: value for name, value in options.items() if value is not None}
    if file is not None and given:
        raise InputError(f"--file: not together with --{next(iter(given))}.")
    if file is not None:
        return None
    for name in options:
        if name not in given:
            raise InputError(f"--{name} is missing; or give --file.")
        _limited(given[name], f"--{name}")
    return Row(id_, given)


def _text(value: str, option: str) -> str:
    """The text itself, or what the file of that name holds."""
    path = Path(value)
    try:
        is_file = len(value) < 1024 and "\n" not in value and path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        if _looks_like_a_path(value, option):
            raise InputError(f"{option}: {value} is no file.")
        return _limited(value, option)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{option}: {value} is larger than {MAX_BYTES} bytes.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{option}: {value} cannot be read as UTF-8 text: {error}") from error


def _looks_like_a_path(value: str, option: str) -> bool:
    """A mistyped file name is no program, and no text either. An answer may be `3/4`."""
    is_code = option in ("--program", "--tests", "PROGRAMS")
    if option == "PROGRAMS" or re.fullmatch(r"\S+\.(?:py|txt|md|jsonl?)", value):
        return True
    return is_code and "/" in value and re.fullmatch(r"[\w.~/-]+", value) is not None


def _limited(value: str, option: str) -> str:
    if not value.strip():
        raise InputError(f"{option} is empty.")
    return value


def _show_verdict(as_json: bool, id_: str, verdict: "Verdict") -> None:
    _show(as_json, **_told(id_, verdict))


def _told(id_: str | int, verdict: "Verdict") -> dict[str, Any]:
    return {"id": id_, **verdict.model_dump(mode="json", exclude={"kind", "measured", "claims"})}


def _show(as_json: bool, **result: Any) -> None:
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    word = {True: "passed", False: "failed", None: "not decided"}[result["passed"]]
    sure = "" if result["confidence"] is None else f", confidence {result['confidence']:.2f}"
    sys.stdout.write(f"{word} ({result['status']}{sure}, {result['seconds']:.2f} s)\n")
    sys.stdout.writelines(f"  {line}\n" for line in result["evidence"])
