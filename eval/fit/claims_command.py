"""`ockham verify claims`: the command line of `eval.fit.claims`.

Only typer is imported before it runs.
"""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.compare import Interval

__all__ = ["claims"]


def claims(
    encoder: Annotated[str, typer.Option(help="The signals' encoder.")] = "all-MiniLM-L6-v2",
    seed: Annotated[int, typer.Option(help="Of the questions' templates and draw.")] = 0,
    ship: Annotated[
        bool, typer.Option("--ship", help="Write the package's own claim_support.json.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """How often a claim's check is right: words, meaning, both; on countries that fitted none."""
    import json

    from eval.fit.claims import claims_report, save
    from router.signals import Encoder

    typer.echo("making and embedding the statements", err=True)
    done = claims_report(Encoder(encoder).encode, seed)
    if ship:
        save(done)
        typer.echo("wrote claim_support.json", err=True)
    if as_json:
        rows = [{k: v._asdict() if hasattr(v, "_asdict") else v for k, v in r._asdict().items()}
                for r in done.rows]  # fmt: skip
        typer.echo(json.dumps({"rows": rows, "counts": done.counts, "checksum": done.checksum}))
        return
    typer.echo(f"statements {done.counts}, checksum {done.checksum}; 95 % over whole countries")
    typer.echo(f"{'method':<9}{'part':<11}{'n':>6}  {'AUROC':<22}{'false pass':<22}false fail")
    for row in done.rows:
        cells = (_told(row.auroc), _told(row.false_pass), _told(row.false_fail))
        typer.echo(
            f"{row.method:<9}{row.part:<11}{row.n:>6}  {cells[0]:<22}{cells[1]:<22}{cells[2]}"
        )


def _told(one: "Interval | None") -> str:
    return "-" if one is None else f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
