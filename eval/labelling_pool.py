"""The pool of `ockham policy label-next`: which queries of a stored set have labels, which do not.

A query is labelled where both arms have a score. With a file of ids only those count: labels of
others are not read, so that a finished table can be labelled over again.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from eval.features import features_of
from eval.labelling import LEAST, choose_next, fit_labels, weight_of
from eval.tables import pair_of
from policies.outcome import OutcomeSet, counted_score
from router.errors import InputError
from router.signals import Featuriser

__all__ = ["Chosen", "pick"]


class Chosen(NamedTuple):
    """What to label, in the order drawn, and on what grounds."""

    query_id: tuple[str, ...]
    weight: tuple[float, ...]
    labelled: int
    unlabelled: int
    without_text: int
    model: str
    """Empty where there was none."""


def pick(
    data: OutcomeSet,
    benchmark: str,
    pair: str | None,
    exclude: str,
    budget: int,
    labelled: Path | None,
    seed: int,
    strength: float,
    featuriser: Featuriser | None = None,
) -> Chosen:
    """The next `budget` queries of a benchmark.

    Raises:
        InputError: no such benchmark, ids that it does not have, too few queries left.
    """
    queries = _queries(data, benchmark, exclude)
    placed = queries.filter(pl.col("query").is_not_null())
    ids = placed["query_id"].to_list()
    scored = _scored(data, benchmark, pair)
    if labelled is not None:
        scored = {id_: scored[id_] for id_ in _listed(labelled, scored)}
    done = np.array([i for i, id_ in enumerate(ids) if id_ in scored], dtype=np.int64)
    features = features_of(placed["query"].to_list(), featuriser)
    weight, model = np.ones(len(ids)), ""
    if len(done) >= LEAST:
        fitted = fit_labels(features.take(done), np.array([scored[ids[i]] for i in done]))
        weight, model = weight_of(fitted, features, strength), fitted.name
    free = len(ids) - len(done)
    if budget > free:
        hint = "" if free else ": all are labelled; --labelled FILE says whose labels may be read"
        raise InputError(f"--budget {budget}: {free:,} queries of {benchmark} are unlabelled{hint}")
    rows = choose_next(features.blocks["embedding"], weight, done, budget, [seed])
    return Chosen(
        tuple(ids[i] for i in rows),
        tuple(float(weight[i]) for i in rows),
        len(done),
        free,
        len(queries) - len(placed),
        model,
    )


def _queries(data: OutcomeSet, benchmark: str, exclude: str) -> pl.DataFrame:
    have = data.queries["benchmark"].unique(maintain_order=True).to_list()
    if benchmark not in have:
        raise InputError(f"--benchmark: no {benchmark!r} here; there are: {', '.join(have)}")
    own = data.queries.filter(pl.col("benchmark") == benchmark)
    if not exclude:
        return own
    out = pl.col("subject").str.contains(exclude, literal=True).fill_null(False)
    return own.filter(~out)


def _scored(data: OutcomeSet, benchmark: str, pair: str | None) -> dict[str, tuple[float, float]]:
    """Query -> the scores of both arms, the mean over samples; nothing where nothing was run."""
    if not len(data.outcomes):
        return {}
    arms = pair_of(data, pair)
    rows = data.outcomes.filter(
        (pl.col("benchmark") == benchmark) & pl.col("arm").is_in(arms) & pl.col("policy").is_null()
    )
    means = rows.group_by("query_id", "arm", maintain_order=True).agg(
        counted_score().mean().alias("score")
    )
    found = means.drop_nulls()
    small, large = (
        dict(found.filter(pl.col("arm") == arm).select("query_id", "score").iter_rows())
        for arm in arms
    )
    return {id_: (value, large[id_]) for id_, value in small.items() if id_ in large}


def _listed(file: Path, scored: dict[str, tuple[float, float]]) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--labelled {file}: cannot be read: {error}") from None
    ids = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    for id_ in ids:
        if id_ not in scored:
            raise InputError(f"--labelled {file}: {id_!r} has no score of both arms here")
    return ids
