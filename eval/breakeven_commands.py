"""`ockham cost breakeven`: what a correct answer costs, here and hosted, and who loses where."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.breakeven import Cell, Facts, Offer, Outcomes

__all__ = ["app", "losses"]

app = typer.Typer(help="What answers cost.", no_args_is_help=True)

USD_PER_HOUR = (0.25, 0.5, 1.0, 2.0)


@app.callback()
def _group() -> None:
    """Keeps `breakeven` a subcommand while it is the only one."""


@app.command("breakeven")
def breakeven(
    usd_per_hour: Annotated[
        list[float] | None, typer.Option(help="Price of the GPU; repeat it.")
    ] = None,
    cap: Annotated[
        list[int] | None, typer.Option(help="Token cap, one of the outcomes'; repeat it.")
    ] = None,
    hosted: Annotated[
        list[str] | None,
        typer.Option(help="MODEL=PART, a LiteLLM model and its part right; repeat it."),
    ] = None,
    hosted_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens a hosted model writes an answer.")
    ] = None,
    prompt_tokens: Annotated[int, typer.Option(min=0, help="Of one question.")] = 200,
    busy: Annotated[
        float, typer.Option(help="Part of the hours in which the GPU works; the rest is idle.")
    ] = 0.5,
    measured: Annotated[
        Path | None,
        typer.Option(help="Output of `ockham bench serving --json`, or `models check`."),
    ] = None,
    outcomes: Annotated[
        str | None,
        typer.Option(help="Your outcomes: YAML as in eval/breakeven.yaml, or a set, with --arm."),
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The small arm in the outcome set.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also a picture, as PNG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every cell as JSON.")] = False,
) -> None:
    """Cost of a correct answer and latency over GPU price, streams, token cap, hosted price."""
    from eval.breakeven import cells, offers
    from eval.breakeven_inputs import measured_serving, read_facts

    facts = read_facts()
    given = {
        "serving": (measured_serving(measured),) if measured else None,
        "outcomes": _outcomes(outcomes, arm) if outcomes else None,
        "hosted": tuple(_hosted(text) for text in hosted) if hosted else None,
        "hosted_tokens": hosted_tokens,
    }
    facts = facts.model_copy(update={k: v for k, v in given.items() if v is not None})
    prices = _positive("--usd-per-hour", usd_per_hour or USD_PER_HOUR)
    caps = _known_caps(cap, facts)
    if not 0 < busy <= 1:
        raise _input_error("--busy: must be above 0 and at most 1")
    sold = offers(facts.hosted, facts.hosted_tokens, prompt_tokens)
    grid = cells(
        facts.serving, facts.outcomes, sold, usd_per_hour=prices, caps=caps, busy=busy
    )  # fmt: skip
    if out is not None:
        from eval.breakeven_plot import picture

        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(picture(grid, sold, facts, busy))
    if as_json:
        body = {"busy": busy, "facts": facts.model_dump(), "cells": [_plain(c) for c in grid]}
        typer.echo(json.dumps(body))
        return
    _show(grid, sold, facts, busy)
    if measured and not outcomes:
        typer.echo("note: the speed is your server's, the scores are VibeThinker-3B's: --outcomes")


def _plain(cell: "Cell") -> dict[str, object]:
    """JSON has no infinity: what can never be right has no cost."""
    items = asdict(cell).items()
    return {key: None if value == math.inf else value for key, value in items}


def _outcomes(where: str, arm: str | None) -> "Outcomes":
    from eval.breakeven_inputs import read_outcomes, read_set

    return read_set(where, arm) if arm is not None else read_outcomes(Path(where))


def _hosted(text: str) -> "object":
    from eval.breakeven import Hosted

    model, _, part = text.rpartition("=")
    try:
        return Hosted(model=model, right=float(part), source="--hosted")
    except ValueError:
        raise _input_error(f"--hosted: {text!r} is not MODEL=PART, such as gpt-5=0.946") from None


def _known_caps(given: Sequence[int] | None, facts: "Facts") -> list[int]:
    """Sorted; only measured caps, as nothing is known between or beyond them."""
    known = sorted(facts.outcomes.caps)
    unknown = sorted(set(given or ()) - set(known))
    if unknown:
        raise _input_error(f"--cap: nothing was measured at {unknown[0]} (caps: {known})")
    return sorted(set(given or known))


def _positive(option: str, values: Sequence[float]) -> list[float]:
    if not all(0 < value < 1e6 for value in values):
        raise _input_error(f"{option}: must be above 0")
    return sorted(set(values))


def _input_error(message: str) -> Exception:
    from router.errors import InputError

    return InputError(message)


def _show(grid: "Sequence[Cell]", sold: "Sequence[Offer]", facts: "Facts", busy: float) -> None:
    from rich.console import Console

    console = Console()
    console.print(_table(grid, sold, facts, busy))
    console.print(
        f"{facts.outcomes.benchmark}, n = {facts.outcomes.n} a cap; hosted models write "
        f"{facts.hosted_tokens:,} tokens (assumed); idle time is paid ({busy:.0%} busy); p50 and "
        "p95 are the small model's own time, without a queue.\n",
        highlight=False,
    )
    for offer in sold:
        lost, lines = losses([c for c in grid if c.hosted == offer.model])
        cost = f"{offer.model} (USD {offer.correct_usd:.4f} a correct answer)"
        console.print(f"Small LOSES to {cost} in {lost}", highlight=False)
        for line in lines:
            console.print(f"  {line}", highlight=False)


def _table(
    grid: "Sequence[Cell]", sold: "Sequence[Offer]", facts: "Facts", busy: float
) -> "object":
    """One row a machine, load and cap; what does not depend on the GPU's price."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title="Under a hosted model: the GPU price (USD/h) above which small loses to it. USD: its "
        f"correct answer at {grid[0].usd_per_hour:g}/h, idle time in it; load: streams at once",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    names = ["machine", "load", "cap", "right", "tokens", "p50 s", "p95 s", "USD", "95 %", "idle"]
    table.add_column(names[0], no_wrap=True, max_width=24)
    for name in (*names[1:], *(offer.model.split("/")[-1] for offer in sold)):
        table.add_column(name, justify="right", no_wrap=True)
    rows: dict[tuple[str, int, int], list[Cell]] = defaultdict(list)
    for cell in grid:
        if cell.usd_per_hour == grid[0].usd_per_hour:
            rows[cell.serving, cell.streams, cell.cap].append(cell)
    for (machine, streams, cap), found in rows.items():
        one = found[0]
        table.add_row(
            machine, str(streams), f"{cap:,}", f"{one.right:.1%}", f"{one.tokens:,.0f}",
            f"{one.p50_s:,.0f}", f"{one.p95_s:,.0f}",
            f"{one.small_usd:.4f}", f"{one.small_low_usd:.4f}-{one.small_high_usd:.4f}",
            f"{one.small_usd * (1 - busy):.4f}",
            *(f"{cell.breakeven_usd_per_hour:.2f}" for cell in found),
        )  # fmt: skip
    return table


def losses(grid: "Sequence[Cell]") -> tuple[str, list[str]]:
    """How many cells of one hosted model are lost, and which, machine by machine."""
    lost = [cell for cell in grid if cell.verdict == "loses"]
    close = sum(cell.verdict == "close" for cell in grid)
    head = f"{len(lost)} of {len(grid)} cells ({close} too close to call)" + ":" * bool(lost)
    at: dict[tuple[str, int], dict[float, list[int]]] = defaultdict(dict)
    for cell in lost:
        at[cell.serving, cell.streams].setdefault(cell.usd_per_hour, []).append(cell.cap)
    caps = sorted({cell.cap for cell in grid})
    return head, [f"{name}, {n} at once: {_where(by, caps)}" for (name, n), by in at.items()]


def _where(by_price: Mapping[float, list[int]], caps: Sequence[int]) -> str:
    """Prices with the same lost caps told together."""
    groups: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for price, lost in by_price.items():
        groups[tuple(lost)].append(price)
    told = []
    for some, prices in groups.items():
        every = "every cap" if len(some) == len(caps) else "cap " + ", ".join(map(str, some))
        told.append(f"{every} at USD {', '.join(f'{p:g}' for p in prices)}/h")
    return "; ".join(told)
