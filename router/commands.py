"""`ockham ask`, `ockham route`, `ockham config`: the router on the command line."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from router.arms.quoting import as_data
from router.config import load_settings
from router.errors import InputError, OckhamError
from router.explain import claim_lines, lookup_lines, route_json, route_text
from router.facade import Router
from router.models.prices import check_prices
from router.query import Askable, bounded
from router.state import Answer, Attempt

__all__ = ["answer_json", "ask", "config", "route"]

ConfigOption = Annotated[
    str | None, typer.Option("--config", help="YAML file; else OCKHAM_CONFIG, else ./ockham.yaml.")
]
PolicyOption = Annotated[str | None, typer.Option("--policy", help="A registered policy's name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

BATCH = 64


def ask(
    query: Annotated[str, typer.Argument(help="The question; '-' reads standard input.")],
    policy: PolicyOption = None,
    stream: Annotated[bool, typer.Option("--stream", help="Show text as it is written.")] = False,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", help="USD this run may cost at most.")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", help="Seconds this run may take at most.")
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option("--min-confidence", help="P(right) below which another arm is tried."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Answer one question: routed, checked, escalated, priced, explained."""
    text = bounded(
        _read(query),
        {"max_cost_usd": max_cost, "max_seconds": max_seconds, "min_confidence": min_confidence},
    )
    router = Router.from_config(config, policy=policy)
    try:
        out = sys.stderr if as_json else sys.stdout
        answer = asyncio.run(_streamed(router, text, out)) if stream else router.ask(text)
    finally:
        router.close()
    if as_json:
        _print(json.dumps(answer_json(answer), ensure_ascii=False))
        return
    if not stream:
        _print(answer.answer)
    sys.stderr.write(_summary(answer))


async def _streamed(router: Router, query: Askable, out: TextIO) -> Answer:
    """Unchecked text is shown as it comes; checked text only once it has been judged."""
    shown = ""
    answer: Answer | None = None
    async with aclosing(router.astream(query, commit=True)) as events:
        async for event in events:
            if event.kind == "delta" and not event.checked:
                shown += event.text
                _print(event.text, end="", out=out)
            elif event.kind == "attempt":
                sys.stderr.write(f"[{event.arm}]\n")
            elif event.kind == "verdict":
                sys.stderr.write(f"[{event.arm}: {event.data.status}]\n")
            elif event.kind == "answer":
                answer = event.data
    if answer is None:  # pragma: no cover - astream raises before it ends without one
        raise OckhamError("the run ended without an answer")
    rest = "" if shown.strip().endswith(answer.answer.strip()) else answer.answer
    _print(f"\n{rest}" if shown and rest else rest, out=out)
    return answer


def answer_json(answer: Answer) -> dict[str, Any]:
    """The object that `ask --json` prints."""
    data = answer.model_dump(mode="json")
    data["tokens"] = {
        "prompt": data.pop("prompt_tokens"),
        "completion": data.pop("completion_tokens"),
    }
    return data


def _summary(answer: Answer) -> str:
    lines = [
        "",
        f"route: {' -> '.join(answer.route)}   model: {answer.model}   "
        f"check: {answer.verdict.kind} {answer.verdict.status}   cost: USD {answer.cost_usd:.6f}",
    ]
    lines += [_selection(s.attempt) for s in answer.trace.steps if s.attempt and s.attempt.samples]
    lines += [
        f"[{c.number}] {as_data(c.title)} ({as_data(c.source)})"
        for c in {(c.number, c.source): c for c in answer.citations}.values()
    ]
    lines += claim_lines(answer.verdict)
    lines += [line for s in answer.trace.steps if s.lookup for line in lookup_lines(s.lookup)]
    if answer.note:
        lines.append(answer.note)
    return "\n".join(lines) + "\n"


def _selection(attempt: Attempt) -> str:
    """How the answer was chosen among several samples."""
    made = attempt.selection
    if made is None:
        return ""
    share = "" if made.share is None else f", {made.share:.0%} of the votes for this answer"
    why = "".join(f"; {reason}" for reason in made.reasons)
    return f"{attempt.arm}: {made.method}, {made.drawn} of {made.planned} samples{share}{why}"


def route(
    query: Annotated[str | None, typer.Argument(help="The question; '-' reads stdin.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="JSONL of objects with id and query, or messages.")
    ] = None,
    policy: PolicyOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Decide only: a dry run, with reasons. No server is started, no model is called."""
    if (query is None) == (file is None):
        raise InputError("give a question or --file, one of the two")
    router = Router.from_config(config, policy=policy)
    try:
        if file is not None:
            _route_file(router, file)
            return
        signals, decision = router.route(_read(query or ""))
    finally:
        router.close()
    if as_json:
        _print(json.dumps(route_json(signals, decision), ensure_ascii=False))
    else:
        _print(route_text(signals, decision))


def _route_file(router: Router, file: Path) -> None:
    """One JSON line out for each line in, in order; a bad line is an `error` in its place."""
    bad = 0
    batch: list[_Line] = []
    for item in _lines(file):
        batch.append(item)
        if len(batch) == BATCH:
            bad += _route_batch(router, batch)
            batch = []
    bad += _route_batch(router, batch)
    if bad:
        raise InputError(f"{file}: {bad} lines could not be routed; see their `error`")


_Line = tuple[Any, Any, str]
"""id, what is asked (None where it cannot be read), and what is wrong."""


def _lines(file: Path) -> Iterator[_Line]:
    """Each line that is not blank."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InputError(f"--file: cannot read {file}: {error.strerror}") from None
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            asked = item["messages"] if "messages" in item else item["query"]
        except (ValueError, KeyError, TypeError, RecursionError):
            yield (
                None,
                None,
                f"line {number}: no JSON object with `id` and `query` or `messages`",
            )
            continue
        ident = item.get("id", number)
        if isinstance(asked, str | list):
            yield ident, asked, ""
        else:
            yield ident, None, f"line {number}: `query` is not a string, or `messages` not a list"


def _route_batch(router: Router, batch: list[_Line]) -> int:
    """Print the batch's lines; returns how many could not be routed."""
    from router.query import make_query

    ready: list[Any] = []
    wrong: list[str | None] = []
    for _, query, problem in batch:
        try:
            if query is None:
                raise InputError(problem)
            ready.append(make_query(query, max_chars=router.settings.limits.max_query_chars))
            wrong.append(None)
        except InputError as error:
            wrong.append(str(error))
    decided = iter(router.route_many(ready) if ready else [])
    for (ident, _, _), why in zip(batch, wrong, strict=True):
        body = {"error": why} if why is not None else route_json(*next(decided))
        _print(json.dumps({"id": ident, **body}))
    return sum(why is not None for why in wrong)


config = typer.Typer(help="The configuration.", no_args_is_help=True)


@config.command("check")
def config_check(config: ConfigOption = None) -> None:
    """Read and validate the configuration; print what is in force (keys are masked)."""
    settings = load_settings(config)
    check_prices(settings)
    _print(json.dumps(settings.model_dump(mode="json"), indent=2))


@config.callback()
def _group() -> None:
    """Keeps `check` a subcommand while it is the only one."""


def _read(query: str) -> str | bytes:
    if query != "-":
        return query
    if sys.stdin is None:
        raise InputError("'-' reads standard input, and there is none")
    return sys.stdin.buffer.read()


def _print(text: str, end: str = "\n", out: TextIO | None = None) -> None:
    out = out or sys.stdout
    out.write(text + end)
    out.flush()
