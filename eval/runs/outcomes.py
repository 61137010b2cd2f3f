"""From a run folder's journal to an outcome set: finished samples only, one row an attempt.

A sample that was not finished has no row: the set's `about` says how many are there of how
many planned, and what interrupted tries may have cost beside the rows.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.benchmarks.benchmark import Benchmark, Question
from eval.runs.manifest import Manifest
from eval.runs.tries import Try
from policies.outcome import Status, query_hash
from router.verify.verifiers import answer_is_closed

if TYPE_CHECKING:
    from policies.outcome import OutcomeSet

__all__ = ["OUTCOMES_FOLDER", "SOURCE", "outcome_set", "write_live_outcomes"]

OUTCOMES_FOLDER = "outcomes"
SOURCE = "ockham"
"""`source` of every live row."""
_BESIDE = {"text", "passages"}
"""Of a journal's rows, but no columns of an outcome set."""
_PRIVATE: Any = {"notes": True, "protocol": True, "command": True}
_PRIVATE["arguments"] = {"path": True, "config": True}
"""Said above, or a place on somebody's machine."""


def write_live_outcomes(
    folder: Path,
    manifest: Manifest,
    questions: Sequence[Question],
    tries: Sequence[Try],
    benchmark: Benchmark,
) -> Path:
    """Write the set into the run folder. Not from a running event loop: clustering needs one.

    Raises:
        SetupError: it cannot be written, or a scorer's tool is missing.
    """
    from router.outcomes import write_outcomes

    data = outcome_set(manifest, questions, tries, benchmark)
    return write_outcomes(data, folder.absolute() / OUTCOMES_FOLDER)


def outcome_set(
    manifest: Manifest, questions: Sequence[Question], tries: Sequence[Try], benchmark: Benchmark
) -> "OutcomeSet":
    """The set of a journal, validated."""
    import polars as pl

    from policies.outcome import OUTCOMES, QUERIES, OutcomeSet

    benchmark_id = benchmark.benchmark_id
    domain = _domain(benchmark_id)
    asked = {q.id: _query_columns(q, benchmark_id, domain) for q in questions}
    rows = [
        {**asked[t.question], **row, "sample": t.sample}
        for t in _in_order(tries, questions)
        if t.result is not None
        for row in t.result["rows"]
    ]
    asyncio.run(_cluster_answers(rows, {q.id: q for q in questions}, benchmark))
    rows = [_row(row) for row in rows]
    outcomes = pl.DataFrame(rows, schema=dict(OUTCOMES), orient="row")
    queries = pl.DataFrame(
        [{**asked[q.id], **_texts(q)} for q in questions], schema=dict(QUERIES), orient="row"
    )
    return OutcomeSet(outcomes, queries, _about(manifest, tries))


def _in_order(tries: Sequence[Try], questions: Sequence[Question]) -> list[Try]:
    place = {q.id: i for i, q in enumerate(questions)}
    finished = [t for t in tries if t.finished]
    return sorted(finished, key=lambda t: (place[t.question], t.sample))


def _query_columns(question: Question, benchmark_id: str, domain: str | None) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "benchmark": benchmark_id,
        "domain": domain,
        "subject": question.subject,
        "query_id": question.id,
        "cluster_id": question.cluster_id or question.id,
    }


def _texts(question: Question) -> dict[str, Any]:
    kept = question.keep_text
    return {
        "query": _clean(question.prompt) if kept else None,
        "query_hash": query_hash(question.prompt),
        "gold": _clean(question.gold) if kept else None,
    }


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _clean(v) if isinstance(v, str) else v for k, v in row.items() if k not in _BESIDE}


def _clean(text: str) -> str:
    """Without lone surrogates, which no UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


async def _cluster_answers(
    rows: Sequence[dict[str, Any]], questions: Mapping[str, Question], benchmark: Benchmark
) -> None:
    """Number the different answers to each query, in order of appearance.

    As in a running arm (`router.arms.sampler`), only an answer that was closed counts: one that
    the token cap cut off may have gone on. Texts that may not be kept are compared by nobody.
    """
    by_question: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("answer") is not None and _is_closed(row):
            by_question.setdefault(row["query_id"], []).append(row)
    for id_, answered in by_question.items():
        if questions[id_].keep_text:
            found = await benchmark.cluster(questions[id_], [row["answer"] for row in answered])
            for row, number in zip(answered, found, strict=True):
                row["answer_cluster"] = number


def _is_closed(row: Mapping[str, Any]) -> bool:
    if row["status"] == Status.TRUNCATED:
        return answer_is_closed(
            row.get("text") or "", "code" if row["domain"] == "code" else "math"
        )
    return bool(row["status"] == Status.OK)


def _domain(benchmark_id: str) -> str | None:
    from eval.sources.labels import UnknownBenchmark, label_of

    try:
        return label_of(benchmark_id).domain
    except UnknownBenchmark:
        return None


def _about(manifest: Manifest, tries: Sequence[Try]) -> dict[str, Any]:
    lost = [t for t in tries if t.state == "interrupted"]
    repeated = [t for t in tries if t.state == "superseded"]
    finished = sum(t.finished for t in tries)
    return {
        "name": f"{manifest.arguments.benchmark}-{manifest.arguments.subject.name}",
        "kind": "live run",
        "protocol": manifest.protocol,
        "samples": {"finished": finished, "planned": manifest.planned},
        "partial": finished < manifest.planned,
        "interrupted": {"tries": len(lost), "worst_case_usd": sum(t.charged_usd for t in lost)},
        "superseded": {"tries": len(repeated), "usd": sum(t.charged_usd for t in repeated)},
        "notes": manifest.notes,
        "manifest": manifest.model_dump(mode="json", exclude=_PRIVATE),
    }
