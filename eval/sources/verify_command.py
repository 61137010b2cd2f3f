"""`ockham outcomes verify`: run-time verdicts for the stored answers of a set.

Only typer is imported before the command runs.
"""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["verify"]


def verify(
    name: Annotated[str, typer.Argument(help="A stored set's name, or its folder.")],
    stored_as: Annotated[str, typer.Option("--as", help="Name, or folder, of the new set.")],
    benchmark: Annotated[str, typer.Option(help="Which benchmark of it; the new set's only one.")],
    arm: Annotated[
        list[str] | None, typer.Option(help="Whose answers; repeat; default: every arm's.")
    ] = None,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Score again by gold and our own reader (gsm8k).")
    ] = False,
    golds: Annotated[
        Path | None, typer.Option(help="Questions with golds (JSONL); default: the shared ones.")
    ] = None,
) -> None:
    """Check stored answers as a live run would, without gold, so that cascades replay."""
    from eval.fit.checked import checked
    from eval.fit.checked import corrected as rescored
    from eval.sources.making import keep_source
    from router.errors import InputError
    from router.outcomes import read_outcomes, write_outcomes

    if golds is not None and not corrected:
        raise InputError("--golds: nothing is scored again without --corrected")
    keep_source(name, stored_as, "--as")
    made = checked(read_outcomes(name), benchmark, arm, _progress)
    if corrected:
        made = rescored(made, golds, _progress)
    about = dict(made.about) | {"name": Path(stored_as).name, "made_from": name}
    write_outcomes(type(made)(made.outcomes, made.queries, about), stored_as)
    counts = dict(made.outcomes["verdict"].drop_nulls().value_counts().iter_rows())
    for note in made.about["notes"]:
        typer.echo(f"note: {note}", err=True)
    shown = ", ".join(f"{n:,} {word}" for word, n in sorted(counts.items()))
    typer.echo(f"{len(made.outcomes):,} rows, verdicts: {shown}: {stored_as}")


def _progress(done: int, of: int) -> None:
    if done % 500 == 0 or done == of:
        typer.echo(f"{done:,} of {of:,}", err=True)
