"""`ockham verify calibrate`: the command line of `eval.fit.calibrate`.

Only typer is imported before it runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.fit.calibrate import Calibrated, Scored

__all__ = ["calibrate"]


def calibrate(
    data: Annotated[
        Path | None,
        typer.Option(help="Outcome data; default OCKHAM_SHARED_DATA, then ../shared/data."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of the five folds.")] = 10,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for math_confidence.json and the picture; default: none."),
    ] = None,
    ship: Annotated[
        bool, typer.Option("--ship", help="Write the package's own math_confidence.json.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Map what an answer shows to P(right), on answers with known truth; needs the eval extra."""
    import json

    from threadpoolctl import threadpool_limits

    from eval.fit.calibrate import calibrate as run
    from eval.sources.shared import shared_data
    from router.verify.confidence import MATH_CONFIDENCE

    typer.echo("reading and scoring the stored answers", err=True)
    with threadpool_limits(1, "blas"):
        done = run(shared_data(data), seeds)
    folders = ([out] if out else []) + ([MATH_CONFIDENCE.parent] if ship else [])
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        done.confidence.save(folder / MATH_CONFIDENCE.name)
        typer.echo(f"wrote {folder / MATH_CONFIDENCE.name}", err=True)
    if out:
        path = out / "reliability.png"
        path.write_bytes(_picture(done))
        typer.echo(f"wrote {path}", err=True)
    if as_json:
        rows = [s._asdict() | {"interval": s.interval._asdict()} for s in done.scores]
        typer.echo(json.dumps({"stamp": dict(done.confidence.stamp), "scores": rows}))
        return
    _table(done, seeds)


def _table(done: "Calibrated", seeds: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"P(right) from the answer alone: five folds of whole questions, {seeds} seeds; "
        f"data {_data(done)}"
    )
    for name in ("label", "answers", "n", "right", "AUROC", "SD", "95 %", "ECE", "Brier"):
        table.add_column(name, justify="left" if name in ("label", "answers") else "right")
    for score in done.scores:
        table.add_row(*_cells(score))
    Console().print(table)


def _data(done: "Calibrated") -> str:
    return ", ".join(f"{name} {digits}" for name, digits in done.confidence.stamp["data"].items())


def _cells(score: "Scored") -> list[str]:
    low, high = score.interval.low, score.interval.high
    return [
        score.label,
        score.part,
        str(score.n),
        f"{score.base:.3f}",
        f"{score.auroc:.3f}",
        f"{score.spread:.3f}",
        f"[{low:.3f}, {high:.3f}]",
        f"{score.ece:.3f}",
        f"{score.brier:.3f}",
    ]


def _picture(done: "Calibrated") -> bytes:
    from eval.fit.reliability import Series, reliability

    answers, p = done.answers, done.held_out
    truth = answers.corrected.astype(float)
    models = [str(m) for m in sorted(set(answers.model.tolist()))]
    one = [("both models", [Series("held-out folds", p, truth)])]
    each = [
        Series(m.split("/")[-1].split("-")[0], p[answers.model == m], truth[answers.model == m])
        for m in models
    ]
    return reliability(
        [*one, ("each model, the same fit", each)],
        "RouteLLM's stored GSM8K answers, labels scored again, five folds of whole questions, seed "
        f"0; data {_data(done)}",
        "Does the check mean its confidence?",
        "share of answers that are right",
    )
