"""Stored answers checked as they would be live: verdicts where a table has only texts.

Every answer of the named arms goes through the product's own run-time check, which sees the
question and the answer and no gold, and the row gets its verdict, what was measured and, where
that may be told, its confidence. The map behind the math check's confidence was fitted on some
published file (`ockham verify calibrate`; its stamp names it): in a set that was made from that
file the confidence would carry the labels of the rows that it is scored on, so it stays null.

`corrected`: scores are made again by our own reading of gold (`eval.fit.rescore`), as the source's
marks are partly its reader's. What not: code (it has tests to run, not texts to read) and
answers whose text is not kept.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from eval.fit.rescore import rescore
from eval.sources.making import part_of
from policies.outcome import OUTCOMES, OutcomeSet, Status
from router.errors import InputError
from router.state import Verdict
from router.verify.confidence import MATH_CONFIDENCE, load_confidence
from router.verify.evidence import EVIDENCE
from router.verify.math import check_math

__all__ = ["checked", "corrected"]

Progress = Callable[[int, int], None]
KEY = ("benchmark", "query_id", "arm", "sample")


def checked(
    data: OutcomeSet, benchmark: str, arms: Sequence[str] | None, progress: Progress
) -> OutcomeSet:
    """The benchmark's rows with the verdicts on the arms' answers (default: all arms').

    Raises:
        InputError: the benchmark is not of math, or an answer or a question has no text.
    """
    part = part_of(data, benchmark)
    names = list(part.arms if arms is None else arms)
    unknown = [name for name in names if name not in part.arms]
    if unknown:
        raise InputError(f"--arm {unknown[0]}: there are: {', '.join(part.arms)}")
    asked = dict(part.queries.select("query_id", "query").iter_rows())
    rows = part.outcomes.filter(
        pl.col("arm").is_in(names) & (pl.col("status") != str(Status.MISSING))
    )
    _refuse(rows, benchmark)
    told = _labels_of_the_map(data.about)
    made = []
    for place, row in enumerate(rows.iter_rows(named=True), 1):
        question = asked[row["query_id"]]
        if question is None or row["answer"] is None:
            where = f"{row['query_id']}, {row['arm']}"
            raise InputError(f"{benchmark}: {where} has no stored question or answer to check")
        verdict = check_math(question, row["answer"])
        made.append({name: row[name] for name in KEY} | _columns(verdict, bool(told)))
        progress(place, len(rows))
    note = f"Verdicts of the run-time math check on the stored answers of {', '.join(names)}."
    why = f"Its confidence is left out: its map was fitted on {told}, which this set is made of."
    return _with(
        part, pl.DataFrame(made, infer_schema_length=None), [note, why] if told else [note]
    )


def corrected(data: OutcomeSet, golds: Path | None, progress: Progress) -> OutcomeSet:
    """The same rows of GSM8K with scores by gold and our reader, where the source's differ.

    Raises:
        InputError: another benchmark, or an answer without a text or a gold.
    """
    others = set(data.outcomes["benchmark"].unique()) - {"gsm8k"}
    if others:
        raise InputError(f"--corrected: golds are known for gsm8k, not for {', '.join(others)}")
    marks, _ = asyncio.run(rescore(data, golds, progress))
    score = [
        {"benchmark": "gsm8k", "query_id": m.id, "arm": m.model, "sample": 0,
         "score": float(m.correct)} for m in marks
    ]  # fmt: skip
    changed = sum(m.correct != m.theirs for m in marks)
    note = f"Scores by gold and our own reader: {changed} of {len(marks)} marks changed."
    return _with(data, pl.DataFrame(score), [note])


def _refuse(rows: pl.DataFrame, benchmark: str) -> None:
    domains = set(rows["domain"].unique()) - {"math"}
    if domains or not len(rows):
        told = (
            f"holds {', '.join(map(str, domains))}" if domains else "has no answers of these arms"
        )
        raise InputError(f"--benchmark {benchmark} {told}: stored answers of math are checked")


def _labels_of_the_map(about: Mapping[str, Any]) -> str:
    """The file of this set that the shipped confidence was fitted on; empty where none."""
    stamp = load_confidence(MATH_CONFIDENCE, EVIDENCE).stamp.get("data", {})
    own = _checksums(about)
    shared = [
        name for name, digits in own.items() if any(digits.startswith(d) for d in stamp.values())
    ]
    return ", ".join(shared)


def _checksums(about: Mapping[str, Any]) -> dict[str, str]:
    """File -> digits, also of the sets that this one was derived from or joined of."""
    found = dict(about.get("checksums", {}))
    for part in ("first", "other"):
        if part in about:
            found |= _checksums(about[part])
    return found


def _columns(verdict: Verdict, silent: bool) -> dict[str, Any]:
    return {
        "verdict": {True: "passed", False: "failed", None: "unknown"}[verdict.passed],
        "verdict_kind": verdict.kind,
        "verdict_confidence": None if silent else verdict.confidence,
        "verdict_measured": [{"name": n, "value": v} for n, v in verdict.measured.items()] or None,
    }


def _with(data: OutcomeSet, made: pl.DataFrame, notes: Sequence[str]) -> OutcomeSet:
    """The set with these columns replaced on the rows that are in `made`."""
    columns = [name for name in made.columns if name not in KEY]
    new = made.with_columns(pl.col(name).cast(OUTCOMES[name]) for name in made.columns)
    new = new.with_columns(_made=pl.lit(True))
    wide = data.outcomes.join(new, on=list(KEY), how="left", suffix="_new", maintain_order="left")
    filled = wide.with_columns(
        pl.when(pl.col("_made")).then(pl.col(f"{name}_new")).otherwise(pl.col(name)).alias(name)
        for name in columns
    )
    about = dict(data.about) | {"notes": [*data.about.get("notes", ()), *notes]}
    return OutcomeSet(filled.select(list(OUTCOMES)), data.queries, about)
