"""A kNN preset's neighbours from their source: the same questions, scores and vectors again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from eval.fit.knn_gain import neighbours
from eval.tables import load_set, load_table
from policies import KnnGain, PolicyError
from policies.knn_gain import project
from router.errors import InputError
from router.neighbours import write_neighbours
from router.signals import Featuriser

__all__ = ["rebuild_neighbours"]


def rebuild_neighbours(
    policy: KnnGain,
    source: str | None = None,
    featuriser: Featuriser | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Write the arrays into the data directory; where they stand is returned.

    Raises:
        InputError: the set lacks a question, has other scores, or another featuriser is installed.
    """
    data = load_set(source or policy.source)
    names = [arm.name for arm in policy.arms]
    if len(names) != 2:
        raise InputError(f"knn-gain over {len(names)} arms cannot be rebuilt, only a pair's")
    benchmarks = "+".join(dict.fromkeys(benchmark for benchmark, _ in policy.queries))
    table = load_table(data, (names[0], names[1]), benchmarks, featuriser=featuriser, say=say)
    if table.features is None or table.features.fingerprint != policy.fingerprint:
        made = table.features.fingerprint if table.features else "none"
        raise InputError(
            f"the preset was fitted on features {policy.fingerprint}, those made here are {made}: "
            "fit it again (`ockham policy tune`)"
        )
    rows, score = neighbours(table)
    place = {(table.benchmarks[row], table.query_id[row]): i for i, row in enumerate(rows)}
    missing = [key for key in policy.queries if key not in place]
    if missing:
        raise InputError(
            f"{len(missing):,} of the preset's {len(policy.queries):,} questions are not in "
            f"{data.about.get('name', source)}, the first is {'/'.join(missing[0])}"
        )
    order = np.array([place[key] for key in policy.queries])
    own = rows[order]
    vectors = project(table.features.blocks["embedding"][own], policy.directions)
    try:
        return write_neighbours(policy, table.row_key[own], vectors, score[order])
    except PolicyError as error:
        raise InputError(f"the outcomes have changed since the preset was made: {error}") from None
