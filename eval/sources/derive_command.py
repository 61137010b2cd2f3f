"""`ockham outcomes derive | synthetic`: voting arms from samples, and a made-up large arm.

Only typer is imported before a command runs.
"""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.sources.derive import Derived

__all__ = ["derive", "synthetic"]

Source = Annotated[str, typer.Argument(help="A stored set, or the folder of one.")]
Stored = Annotated[str, typer.Option("--out", help="Name, or folder, of the new set.")]
Seed = Annotated[int, typer.Option(help="Of the draw.")]


def derive(
    pool: Source,
    k: Annotated[list[int], typer.Option("--k", min=2, help="Samples of a voting arm; repeat.")],
    stored_as: Stored,
    method: Annotated[str, typer.Option(help="A method of several samples.")] = "majority",
    name: Annotated[
        str, typer.Option("--as", help="Name of the arms; {k} is the number of samples.")
    ] = "small-vote-{k}",
    draws: Annotated[
        int | None, typer.Option(min=1, help="Rows a question; default: each sample is first once.")
    ] = None,
    check_usd: Annotated[float, typer.Option(min=0, help="USD of one recorded verdict.")] = 0.0,
    by_question: Annotated[
        bool, typer.Option(help="Clusters are questions, not templates: kinds are known.")
    ] = False,
    texts: Annotated[bool, typer.Option(help="Put the questions' texts back.")] = False,
    seed: Seed = 0,
) -> None:
    """Make voting arms from recorded samples, beside the single sample."""
    from eval.sources.derive import derive as run
    from eval.sources.making import keep_source
    from eval.sources.texts import with_texts
    from router.outcomes import read_outcomes, write_outcomes

    keep_source(pool, stored_as, "--out")
    data = read_outcomes(pool)
    arms = [_arm(name, method, each) for each in sorted(set(k))]
    made = run(with_texts(data) if texts else data, arms, draws, seed, check_usd, by_question)
    write_outcomes(made, stored_as)
    for note in made.about["notes"]:
        typer.echo(note, err=True)
    typer.echo(f"{len(made.queries)} queries, {len(made.outcomes)} rows: {stored_as}")


def synthetic(
    source: Source,
    price_of: Annotated[str, typer.Option(help="A model of the price list.")],
    stored_as: Stored,
    right: Annotated[float, typer.Option(min=0, max=1, help="How often it is right.")] = 0.9,
    name: Annotated[
        str, typer.Option("--as", help="Name of the arm; says synthetic.")
    ] = "synthetic-large",
    benchmark: Annotated[
        str | None, typer.Option(help="Keep this benchmark only: a table of its own.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Put a made-up large arm beside the arms of a set, marked as such."""
    from eval.sources.making import keep_source, part_of
    from eval.sources.synthetic import add_synthetic
    from router.outcomes import read_outcomes, write_outcomes

    keep_source(source, stored_as, "--out")
    data = read_outcomes(source)
    part = part_of(data, benchmark) if benchmark is not None else data
    made = add_synthetic(part, name, right, price_of, seed)
    write_outcomes(made, stored_as)
    typer.echo(made.about["notes"][-1], err=True)
    typer.echo(f"{len(made.queries)} queries, {len(made.outcomes)} rows: {stored_as}")


def _arm(name: str, method: str, k: int) -> "Derived":
    """Raises `InputError` on a method that is none, or that draws no samples."""
    from pydantic import TypeAdapter, ValidationError

    from eval.sources.derive import Derived
    from router.arms.methods import Clr, Method, Sampled
    from router.errors import InputError

    try:
        made = TypeAdapter[Method](Method).validate_python({"name": method, "k": k})
    except ValidationError as error:
        raise InputError(f"--method {method}: {error.errors()[0]['msg']}") from None
    if not isinstance(made, Sampled) or isinstance(made, Clr):
        raise InputError(f"--method {method}: cannot be replayed from plain samples")
    return Derived(name.replace("{k}", str(k)), made)
