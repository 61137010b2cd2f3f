"""Question texts put back on a set that was recorded without them.

A recorded set keeps hashes only. Its manifest says which benchmark asked, with which seed: the
benchmark makes or reads its questions again, and a text is taken where its hash is the recorded
one. Texts that may not be kept (GPQA) are not put back.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from eval.benchmarks.benchmark import create
from policies.outcome import OutcomeSet, query_hash
from router.errors import InputError

__all__ = ["with_texts"]


def with_texts(data: OutcomeSet) -> OutcomeSet:
    """The set with the text of every question that can be made again.

    Raises:
        InputError: the set names no run, or a question's text is not the recorded one.
    """
    texts: dict[str, str] = {}
    for arguments in _runs(data.about):
        made = create(str(arguments["benchmark"])).questions(None, int(arguments["seed"]))
        texts.update({q.id: q.prompt for q in made if q.keep_text})
    if not texts:
        raise InputError("--texts: the set does not say which benchmarks asked its questions")
    queries, other = [], []
    for row in data.queries.iter_rows(named=True):
        text = texts.get(row["query_id"])
        if row["query"] is None and text is not None:
            if row["query_hash"] not in (None, query_hash(text)):
                other.append(row["query_id"])
            row["query"] = text
        queries.append(row)
    if other:
        raise InputError(
            f"--texts: {len(other)} questions are not those that were recorded, the first is "
            f"{other[0]}: the benchmark's file or version is another"
        )
    return OutcomeSet(data.outcomes, pl.DataFrame(queries, schema=data.queries.schema), data.about)


def _runs(about: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Arguments of the runs that a recorded set was joined from, or of the one that it is."""
    for run in about.get("runs") or [about]:
        arguments = run.get("manifest", {}).get("arguments")
        if arguments is not None:
            yield arguments
