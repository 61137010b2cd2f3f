"""`ockham policy label-next`: spend a label budget where it teaches most.

Only typer is imported before the command runs.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.policy_options import CONTAMINATED, AsJson, Benchmark, Exclude, Pair, Source, print_json

if TYPE_CHECKING:
    from eval.labelling_curve import Point
    from eval.labelling_pool import Chosen
    from eval.table import Table

__all__ = ["label_next"]


def label_next(
    source: Source,
    benchmark: Benchmark,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Labels that this round may spend.")
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            help="File of query ids, one a line, whose labels may be read; default: all "
            "that both arms have been scored on."
        ),
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve", help="Instead: APGR by number of labels, beside random.")
    ] = False,
    sizes: Annotated[
        str, typer.Option(help="Of the curve: numbers of labels, rising; each is a round.")
    ] = "100,200,400,800,1500",
    seeds: Annotated[int, typer.Option(min=1, help="Of the curve.")] = 10,
    folds: Annotated[int, typer.Option(min=2, help="Of the curve.")] = 5,
    strength: Annotated[
        float | None, typer.Option(min=0, help="Pull towards a coin toss; 0: spread alone.")
    ] = None,
    pair: Pair = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw; first seed of the curve.")] = 0,
    exclude_subject: Exclude = CONTAMINATED,
    as_json: AsJson = False,
) -> None:
    """Which queries to label next: nearest to a coin toss, spread over the embedding space."""
    from eval.labelling import STRENGTH
    from router.errors import InputError

    pull = STRENGTH if strength is None else strength
    if curve:
        if budget is not None or labelled is not None:
            raise InputError("--curve labels for itself: leave out --budget and --labelled")
        _curve(source, benchmark, pair, exclude_subject, sizes, seed, seeds, folds, pull, as_json)
        return
    if budget is None:
        raise InputError("--budget: say how many labels may be spent, or ask for --curve")
    _next(source, benchmark, pair, exclude_subject, budget, labelled, seed, pull, as_json)


def _next(
    source: str,
    benchmark: str,
    pair: str | None,
    exclude: str,
    budget: int,
    labelled: Path | None,
    seed: int,
    strength: float,
    as_json: bool,
) -> None:
    from eval.labelling_pool import pick
    from eval.tables import load_set

    made = pick(load_set(source), benchmark, pair, exclude, budget, labelled, seed, strength)
    if as_json:
        print_json(_facts(made))
        return
    typer.echo(_said(made), err=True)
    for id_ in made.query_id:
        typer.echo(id_)


def _facts(made: "Chosen") -> dict[str, Any]:
    return {
        "query_id": list(made.query_id),
        "weight": [round(w, 6) for w in made.weight],
        "labelled": made.labelled,
        "unlabelled": made.unlabelled,
        "without_text": made.without_text,
        "model": made.model,
    }


def _said(made: "Chosen") -> str:
    how = (
        f"weighted by a {made.model} fitted on {made.labelled:,} labels"
        if made.model
        else f"spread alone: {made.labelled:,} labels are too few to fit a model on"
    )
    left = f"; {made.without_text:,} have no text and cannot be placed" if made.without_text else ""
    return (
        f"{len(made.query_id):,} of {made.unlabelled:,} unlabelled queries, {how}{left}. Label "
        "these, import them, and ask again: each call is one round."
    )


def _curve(
    source: str,
    benchmark: str,
    pair: str | None,
    exclude: str,
    sizes: str,
    seed: int,
    seeds: int,
    folds: int,
    strength: float,
    as_json: bool,
) -> None:
    from eval.labelling_curve import curve
    from eval.policy_options import load

    numbers = _sizes(sizes)
    table, evidence = load(source, benchmark, pair, exclude, seed)
    points = curve(
        table, numbers, range(seed, seed + seeds), folds, strength=strength,
        say=lambda text: typer.echo(text, err=True),
    )  # fmt: skip
    if as_json:
        rows = [p._asdict() | {"gain": p.gain._asdict()} for p in points]
        print_json(evidence | {"folds": folds, "strength": strength, "points": rows})
        return
    typer.echo(_head(table, evidence, seeds, folds, strength))
    for point in points:
        typer.echo(_line(point))


def _sizes(text: str) -> list[int]:
    from router.errors import InputError

    try:
        made = [int(part) for part in text.split(",")]
    except ValueError:
        made = []
    if not made or made[0] < 1 or sorted(set(made)) != made:
        raise InputError(f"--sizes {text!r}: give rising whole numbers, such as 100,200,400")
    return made


def _head(table: "Table", evidence: dict[str, Any], seeds: int, folds: int, strength: float) -> str:
    return (
        f"{table.source} / {table.benchmark}, {table.arms[0].name} -> {table.arms[1].name}, data "
        f"{evidence['data']}, {table.questions:,} questions, {folds} folds, {seeds} seeds, "
        f"strength {strength:g}\n"
        f"{'labels':>7} {'chosen':>8} {'random':>8}   gain in APGR [95 % over questions and seeds]"
    )


def _line(p: "Point") -> str:
    g = p.gain
    verdict = "better" if g.low > 0 else "worse" if g.high < 0 else "no difference shown"
    spread = f"[{g.low:+.4f}, {g.high:+.4f}]" if math.isfinite(g.high - g.low) else "[undefined]"
    return (
        f"{p.labels:7,} {p.chosen:8.4f} {p.drawn:8.4f}   {g.value:+.4f} {spread}  {verdict}; "
        f"higher in {p.wins} of {p.seeds} seeds"
    )
