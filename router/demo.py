"""`ockham demo`: the main job on a handful of queries, as one table.

Every figure comes from the calls made here, except the all-large column: that is an
estimate, priced at `prices.reference_model`, and the footer says so.
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from router.answer import TOKEN_MODEL
from router.commands import ConfigOption, PolicyOption, answer_json
from router.errors import OckhamError
from router.facade import Router
from router.state import Answer

__all__ = ["QUERIES", "demo"]

QUERIES = (
    "Mia reads 10 pages a day for 4 days. How many pages does she read?",
    "A baker bakes 24 muffins and sells 9 of them. How many muffins are left?",
    "Write a Python function double(n) that returns twice n. For example, double(4) == 8.",
    "What is the capital of Bhutan?",
    "Who won the 2022 FIFA World Cup?",
    "Thanks, that was helpful! How are you today?",
)
WIDE, NARROW = 150, 100
ANSWER_CHARS = 100

Result = tuple[str, Answer | OckhamError]


def demo(
    policy: PolicyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")] = False,
    config: ConfigOption = None,
) -> None:
    """Route, solve, check, escalate and price a handful of queries with real models."""
    start = time.perf_counter()
    router = Router.from_config(config, policy=policy)
    _say("loading models ...")
    with router:
        _say(f" ready in {time.perf_counter() - start:.1f} s\n")
        results = [_one(router, i, query) for i, query in enumerate(QUERIES, 1)]
        if as_json:
            for _, answer in results:
                body = answer_json(answer) if isinstance(answer, Answer) else {"error": str(answer)}
                sys.stdout.write(json.dumps(body, ensure_ascii=False) + "\n")
        else:
            _table(router, results)
    if all(isinstance(answer, OckhamError) for _, answer in results):
        raise OckhamError("no query could be answered; see the table")


def _one(router: Router, number: int, query: str) -> Result:
    _say(f"[{number}/{len(QUERIES)}] {query}\n")
    try:
        return query, router.ask(query)
    except OckhamError as error:
        return query, error


def _table(router: Router, results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    # A pipe has no width of its own; a narrow terminal scrolls rather than crumbling cells.
    console.width = max(console.width, NARROW) if console.is_terminal else WIDE
    table = Table(show_lines=True)
    for name, options in _COLUMNS.items():
        table.add_column(name, **options)  # type: ignore[arg-type]
    for query, answer in results:
        table.add_row(*(Text(cell) for cell in _row(query, answer)))
    console.print(table)
    console.print(_footer(router, results), highlight=False, markup=False, soft_wrap=True)


_COLUMNS: dict[str, dict[str, object]] = {
    "query": {"ratio": 5},
    "verif.": {"justify": "right"},
    "knowl.": {"justify": "right"},
    "arm": {"min_width": 11, "overflow": "fold"},
    "verifier": {"ratio": 5},
    "esc.": {"justify": "right"},
    "answer": {"ratio": 6},
    "tokens": {"justify": "right"},
    "USD": {"justify": "right"},
    "all-large USD (estimate)": {"justify": "right", "max_width": 11},
}


def _row(query: str, answer: Answer | OckhamError) -> list[str]:
    if isinstance(answer, OckhamError):
        return [query, "", "", "none", "", "", f"error: {answer}", "", "", ""]
    verdict = answer.verdict
    checked = verdict.kind != "none"
    said = f"{verdict.kind}: {verdict.status}" if checked else "nothing to check"
    if checked and verdict.evidence:
        said += f" ({verdict.evidence[0]})"
    text = " ".join(answer.answer.split())
    if len(text) > ANSWER_CHARS:
        text = text[:ANSWER_CHARS] + " ..."
    cites = "".join(f" [{c.number}: {c.title}]" for c in answer.citations)
    mark = "" if answer.verified else " (unverified)"
    estimate = answer.all_large_usd_estimate
    return [
        query,
        f"{answer.signals.verifiability:.2f}",
        f"{answer.signals.knowledge_demand:.2f}",
        " > ".join(answer.route),
        said,
        str(len(answer.route) - 1),
        text + cites + mark,
        str(answer.prompt_tokens + answer.completion_tokens),
        f"{answer.cost_usd:.6f}",
        "" if estimate is None else f"{estimate:.6f}",
    ]


def _footer(router: Router, results: Sequence[Result]) -> str:
    answers = [answer for _, answer in results if isinstance(answer, Answer)]
    spent = sum(a.cost_usd for a in answers)
    large = sum(a.all_large_usd_estimate or 0.0 for a in answers)
    verified = sum(a.verified for a in answers)
    lines = [
        f"{verified} of {len(results)} answers verified. Spent USD {spent:.6f}; all-large would "
        f"have cost about USD {large:.6f}: an estimate at the price of "
        f"{router.settings.prices.reference_model}, with {TOKEN_MODEL}."
    ]
    models = router.models
    for name in router.settings.models:
        price = models.price(name)
        lines.append(f"{name}: {models.why_not(name) or (price.basis if price else 'unpriced')}")
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
