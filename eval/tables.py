"""From the name of a stored outcome set to tables that can be replayed: priced, with features."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from eval.features import features_of, row_keys
from eval.perturb import KINDS, perturb
from eval.sources.prices import price
from eval.table import Table, Twins, table_of
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import read_outcomes
from router.signals import Featuriser

__all__ = ["benchmarks_of", "load_set", "load_table", "pair_of"]

Say = Callable[[str], None]


def load_set(source: str) -> OutcomeSet:
    """A stored set with every cost filled in. Errors of `read_outcomes` and `price` pass."""
    return price(read_outcomes(source))


def pair_of(data: OutcomeSet, asked: str | None) -> tuple[str, str]:
    """The (small, large) arms: `small::large`, else the first pair that the source names.

    Raises:
        InputError: not two arms, an arm that is not there, or no pair known.
    """
    if asked is not None:
        small, found, large = asked.partition("::")
        if not (small and found and large):
            raise InputError(f"--pair {asked!r}: give small::large, arms of the set")
        for name in (small, large):
            if name not in data.arms:
                raise InputError(f"--pair: no arm {name!r}; there are: {', '.join(data.arms)}")
        if small == large:
            raise InputError(f"--pair: {small!r} twice; give two different arms")
        return small, large
    for small, large in data.about.get("pairs", ()):
        if {small, large} <= set(data.arms):
            return str(small), str(large)
    if len(data.arms) < 2:
        raise InputError(
            f"--source: its only arm is {', '.join(data.arms) or 'none'}, and two are compared: "
            "join another set's with `ockham outcomes join`"
        )
    raise InputError(f"--pair small::large is needed; the arms are: {', '.join(data.arms)}")


def benchmarks_of(data: OutcomeSet, arms: Sequence[str]) -> list[str]:
    """Benchmarks on which all of these arms were run, in the order of the source."""
    rows = data.outcomes.filter(pl.col("arm").is_in(arms))
    ran = rows.group_by("benchmark", maintain_order=True).agg(pl.col("arm").n_unique())
    return ran.filter(pl.col("arm") == len(arms))["benchmark"].to_list()


def load_table(
    data: OutcomeSet,
    pair: tuple[str, str],
    benchmark: str,
    exclude: str = "",
    featuriser: Featuriser | None = None,
    say: Say | None = None,
    perturbed: int = 0,
    option: str = "--benchmark",
    others: Sequence[str] = (),
) -> Table:
    """One table: a benchmark, or several pooled as `a+b`, of a pair of arms (and others).

    Args:
        exclude: queries whose subject contains this are left out.
        perturbed: so many queries, drawn by seed 0, also get perturbed versions.
        option: that named the benchmark, for error messages.
        others: more large arms; a query that lacks one of them leaves the table.
    """
    names = benchmark.split("+")
    rule = pl.col("subject").str.contains(exclude, literal=True) if exclude else None
    arms = (*pair, *others)
    have = benchmarks_of(data, arms)
    unknown = [n for n in names if n not in have]
    if unknown:
        raise InputError(
            f"{option}: no benchmark {unknown[0]!r} with {_all(arms)}; there are: {', '.join(have)}"
        )
    table = table_of(data, *pair, benchmarks=names, others=others, exclude=rule)
    texts = _texts(data, names, table)

    def progress(done: int, todo: int) -> None:
        if say is not None and (done == todo or done % 1024 == 0):
            say(f"features of {benchmark}: {done:,} of {todo:,} texts")

    made = _with_features(table, texts, featuriser, progress)
    if perturbed and made.features is not None and made.features.known.any():
        return _with_twins(made, texts, perturbed, featuriser, progress)
    return made


def _all(arms: Sequence[str]) -> str:
    return f"both {' and '.join(arms)}" if len(arms) == 2 else f"all of {', '.join(arms)}"


def _with_twins(
    table: Table,
    texts: Sequence[str | None],
    count: int,
    featuriser: Featuriser | None,
    progress: Callable[[int, int], None],
) -> Table:
    known = np.flatnonzero([text is not None for text in texts])
    drawn = np.random.default_rng(0).permutation(known)[:count]
    origin = np.repeat(drawn, len(KINDS))
    made = [perturb(str(texts[i]), kind, 0) for i in drawn for kind in KINDS]
    features = features_of(made, featuriser, progress)
    return replace(table, twins=Twins(features, row_keys(made, made), origin))


def _texts(data: OutcomeSet, benchmarks: Sequence[str], table: Table) -> list[str | None]:
    rows = data.queries.filter(pl.col("benchmark").is_in(benchmarks))
    known = {
        (b, i): text for b, i, text in rows.select("benchmark", "query_id", "query").iter_rows()
    }
    return [known.get(key) for key in zip(table.benchmarks, table.query_id, strict=True)]


def _with_features(
    table: Table,
    texts: Sequence[str | None],
    featuriser: Featuriser | None,
    progress: Callable[[int, int], None],
) -> Table:
    if not any(text is not None for text in texts):
        return table
    return replace(table, features=features_of(texts, featuriser, progress))
