"""Where the break-even's figures come from: shipped, measured here, or from your own runs.

An outcome set gives the figures of every cap up to the one it was run at: an answer that took more
tokens than a lower cap would have been cut there. (True of a model that is only cut off; one
that is told of its cap may write differently.) A set that was run at several caps is read as one.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from eval.breakeven import AtCap, Facts, Outcomes, Serving
from router.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["measured_serving", "read_facts", "read_outcomes", "read_set"]

SHIPPED = Path(__file__).with_name("breakeven.yaml")
HALVINGS = 5
"""Caps below the highest."""


def read_facts() -> Facts:
    """The shipped figures."""
    return Facts.model_validate(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))


def read_outcomes(path: Path) -> Outcomes:
    """Your own outcomes by token cap: YAML or JSON of the shape `outcomes` has here."""
    try:
        return Outcomes.model_validate(_read(path, "--outcomes"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise InputError(f"--outcomes: {path}: {where}: {first['msg']}") from None


def measured_serving(path: Path) -> Serving:
    """The machine that `ockham models check --json` or `ockham bench serving --json` measured."""
    data = _read(path, "--measured")
    try:
        source = f"{data.get('measured_by', 'ockham models check')}, {data['measured_at']}"
        return Serving(
            name=data["model"].split("/")[-1], streams=data["tokens_per_s"], source=source
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = str(error).splitlines()[0]
        raise InputError(
            f"--measured: {path} is no --json output of `bench serving` or `models check`: {what}"
        ) from None


def _read(path: Path, option: str) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{option}: cannot read {path}: {what}") from None


def read_set(where: str, arm: str) -> Outcomes:
    """The outcomes of one arm in a stored set, or in a run's folder of outcomes.

    Raises:
        InputError: the arm has no rows with a score and tokens.
        SetupError: there is no such set.
    """
    import polars as pl

    from router.outcomes import read_outcomes as read_stored

    rows = read_stored(where).outcomes.filter(
        pl.col("arm") == arm,
        pl.col("attempt") == 0,
        pl.col("score").is_not_null(),
        pl.col("completion_tokens") > 0,
    )
    if rows.is_empty():
        raise InputError(f"--arm: {where} has no row of {arm!r} with a score and its tokens")
    highest = int(rows["completion_tokens"].max())  # type: ignore[arg-type]
    caps = sorted({highest >> halved for halved in range(HALVINGS + 1)} - {0})
    return Outcomes(
        benchmark=", ".join(sorted(set(rows["benchmark"].to_list()))),
        n=rows.height,
        caps={cap: _at(rows, cap, highest) for cap in caps},
        source=f"outcome set {where}, arm {arm}",
    )


def _at(rows: "pl.DataFrame", cap: int, highest: int) -> AtCap:
    """At the highest cap its own status tells what was cut; below it, the tokens do."""
    import polars as pl

    if cap == highest:
        cut = pl.col("status") == "truncated"
        right = pl.col("score")
    else:
        cut = pl.col("completion_tokens") > cap
        right = pl.when(cut).then(0.0).otherwise(pl.col("score"))
    found = rows.select(right=right.mean(), cut=cut.mean()).row(0, named=True)
    return AtCap(**found)
