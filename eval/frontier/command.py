"""`ockham policy frontier`: curves of cost against quality, for any number of arms.

Only typer is imported before the command runs.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from eval.policy_options import (
    CONTAMINATED,
    AsJson,
    Benchmark,
    Exclude,
    Source,
    check_ending,
    print_json,
)

__all__ = ["frontier"]


def frontier(
    source: Source,
    benchmark: Benchmark,
    policies: Annotated[str, typer.Option(help="Comma-separated names; best-single, random-mix "
                                               "and oracle always stand beside.")] = "",
    arms: Annotated[str | None, typer.Option(help="all, or a,b,c.")] = None,
    pair: Annotated[str | None, typer.Option(help="Two arms instead: small::large.")] = None,
    price: Annotated[str, typer.Option(help="list: the set's costs, else the price list; "
                                            "params: active parameters, in billions.")] = "list",
    against: Annotated[list[str] | None, typer.Option(
        help="A rival, of those compared; repeat. Default: best-single, random-mix, and knn "
             "where it is compared.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of whole questions.")] = 5,
    labels: Annotated[int | None, typer.Option(
        min=1, help="Training labels of a fit; default: all of the folds.")] = None,
    seed: Annotated[int, typer.Option(help="First seed of the folds.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many, averaged by row.")] = 10,
    points: Annotated[int, typer.Option(min=3, help="Settings of a sweep.")] = 48,
    cost_range: Annotated[str | None, typer.Option(
        "--range", help="LOW:HIGH of the AIQ, in the cost's unit; default: the cheapest and the "
        "dearest arm.")] = None,
    bootstrap: Annotated[int, typer.Option(min=10, help="Resamples of whole questions.")] = 1000,
    exclude_subject: Exclude = CONTAMINATED,
    out: Annotated[Path | None, typer.Option(help="Write figures and curves here (.json).")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the curves here (.png).")] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Trace policies over price and compare the curves: AIQ, accuracy at a cost, paired gains."""
    import sys

    from eval.contenders import check_policies
    from eval.frontier.arms import UNITS, line_up
    from eval.frontier.compare import Plan, compare
    from eval.frontier.show import facts_of, show
    from eval.frontier.trace import ALWAYS
    from router.errors import InputError
    from router.outcomes import read_outcomes

    check_ending("--out", out, ".json")
    check_ending("--plot", plot, ".png")
    names = tuple(dict.fromkeys(p.strip() for p in policies.split(",") if p.strip()))
    check_policies([name for name in names if name not in ALWAYS])
    if price not in UNITS:
        raise InputError(f"--price {price!r}: one of {', '.join(UNITS)} is expected")
    made = line_up(read_outcomes(source), benchmark, arms, pair, price, exclude_subject, _say)
    plan = Plan(
        policies=names,
        against=_against(against, names, ALWAYS),
        folds=folds,
        labels=labels,
        seeds=tuple(range(seed, seed + seeds)),
        points=points,
        resamples=bootstrap,
        span=_span(cost_range, UNITS[price][1]),
    )
    done = compare(made.table, plan, _say)
    command = "ockham " + " ".join(sys.argv[1:])
    facts = facts_of(made.table, done, plan, price, made.left_out, command)
    _write(facts, out, plot)
    if as_json:
        print_json(facts)
    else:
        show(facts)


def _against(
    asked: list[str] | None, names: tuple[str, ...], always: tuple[str, ...]
) -> tuple[str, ...]:
    """Raises `InputError` before anything is traced, which may take an hour."""
    from router.errors import InputError

    if asked:
        compared = tuple(dict.fromkeys((*always, *names)))
        lost = [name for name in asked if name not in compared]
        if lost:
            raise InputError(
                f"--against {lost[0]}: not compared; there are: {', '.join(compared)}; "
                "others are named in --policies"
            )
        return tuple(dict.fromkeys(asked))
    return ("best-single", "random-mix", *(n for n in ("knn",) if n in names))


def _span(text: str | None, scale: float) -> "tuple[float, float] | None":
    import math

    from router.errors import InputError

    if text is None:
        return None
    low, _, high = text.partition(":")
    try:
        span = float(low) / scale, float(high) / scale
    except ValueError:
        raise InputError(f"--range {text!r}: give LOW:HIGH") from None
    if not 0 <= span[0] < span[1] < math.inf:
        raise InputError(f"--range {text!r}: give LOW:HIGH with 0 <= LOW < HIGH")
    return span


def _write(facts: dict[str, Any], out: Path | None, plot: Path | None) -> None:
    import json

    from router.errors import SetupError

    try:
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(facts) + "\n", encoding="utf-8")
            _say(f"wrote {out}")
        if plot is not None:
            from eval.frontier.plot import picture

            plot.parent.mkdir(parents=True, exist_ok=True)
            plot.write_bytes(picture(facts))
            _say(f"wrote {plot}")
    except OSError as error:
        raise SetupError(f"{error.filename}: cannot be written: {error.strerror}") from None


def _say(message: str) -> None:
    """Progress, on standard error."""
    typer.echo(message, err=True)
