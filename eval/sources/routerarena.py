"""RouterArena's cached results: one JSONL file a model, with real token counts and costs.

A record (shortened):

    {"global_index": "AIME_112", "question": "...", "generated_answer": "...", "success": true,
     "token_usage": {"input_tokens": 349, "output_tokens": 120}, "error": null,
     "evaluation_result": {"ground_truth": "610", "score": 0.0, "inference_cost": 0.00023725}}

`global_index` is benchmark[_subject]_number. The cost is RouterArena's own arithmetic over its
price list: basis `priced`. A call that failed there keeps its cost and has no score.
"""

from pathlib import Path
from typing import Any

import polars as pl

from eval.sources.assemble import assemble
from eval.sources.files import present, read_jsonl, take
from eval.sources.source import Source, register, remote_files
from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["SOURCE", "domain_of", "parse"]

_DOMAINS = {
    **dict.fromkeys(("AIME", "AsDiv", "FinQA", "GSM8K", "MATH", "MathQA"), "math"),
    "LiveCodeBench": "code",
    **dict.fromkeys(("ArcMMLU", "GeoBench", "GeoGraphyData", "MedMCQA"), "knowledge"),
    **dict.fromkeys(("MusicTheoryBench", "OpenTDB", "PubMedQA", "QANTA"), "knowledge"),
    **dict.fromkeys(("ChessInstruct", "Ethics", "SocialiQA"), "reasoning"),
    "SuperGLUE-CausalReasoning": "reasoning",
}
_MMLU = {
    **dict.fromkeys(("MMLU formal_logic", "MMLUPro chemistry", "MMLUPro physics"), "reasoning"),
    **dict.fromkeys(("MMLUPro computer science", "MMLUPro engineering"), "reasoning"),
    "MMLUPro math": "math",
}


def domain_of(benchmark: str, subject: str) -> str:
    """The table's own domain; what is not listed (translation, reading) is `other`."""
    if benchmark in ("MMLU", "MMLUPro"):
        return _MMLU.get(f"{benchmark} {subject}", "knowledge")
    return _DOMAINS.get(benchmark, "other")


def parse(folder: Path) -> OutcomeSet:
    """Every model's file of the folder; `InputError` names the file and the line."""
    queries: dict[str, dict[str, Any]] = {}
    outcomes = []
    for path in present(folder, "*.jsonl"):
        for line, record in read_jsonl(path):
            where = f"{path}:{line}"
            query = _query(record, where)
            known = queries.setdefault(query["query_id"], query)
            if known["query"] != query["query"]:
                raise InputError(f"{where}: this id has another question in another file")
            outcomes.append(_outcome(query, record, path.stem, where))
    return assemble(
        pl.DataFrame(outcomes, infer_schema_length=None),
        pl.DataFrame(list(queries.values()), infer_schema_length=None),
        SOURCE.about(),
    )


def _query(record: dict[str, Any], where: str) -> dict[str, Any]:
    index = take(record, "global_index", where)
    name = index.rsplit("_", 1)[0]
    benchmark, _, subject = name.partition("_")
    subject = subject or benchmark
    return {
        "source": "RouteWorks/RouterArena",
        "benchmark": benchmark,
        "domain": domain_of(benchmark, subject),
        "subject": subject,
        "query_id": f"routerarena:{index}",
        "query": take(record, "question", where),
        "gold": take(take(record, "evaluation_result", where), "ground_truth", where),
    }


def _outcome(
    query: dict[str, Any], record: dict[str, Any], model: str, where: str
) -> dict[str, Any]:
    result, usage = record["evaluation_result"], take(record, "token_usage", where)
    done = bool(take(record, "success", where))
    text = take(record, "generated_answer", where)
    return {
        **{k: v for k, v in query.items() if k not in ("query", "gold")},
        "arm": model,
        "status": "ok" if done else "failed",
        "score": float(take(result, "score", where)) if done else None,
        "answer": text,
        "error": record.get("error"),
        "prompt_tokens": take(usage, "input_tokens", where),
        "completion_tokens": take(usage, "output_tokens", where),
        "tokens_basis": "reported",
        "cost_usd": float(take(result, "inference_cost", where)),
        "cost_basis": "priced",
        "price_snapshot": "RouterArena at 4714a9a",
        "response_chars": None if text is None else len(text),
        "label_source": "gold",
    }


SOURCE = register(
    Source(
        name="routerarena",
        home="https://github.com/RouteWorks/RouterArena",
        commit="4714a9a",
        licence="Apache-2.0",
        files=remote_files("routerarena"),
        parser=parse,
        pairs=(("gemini-2.0-flash-001", "claude-3-haiku-20240307"),),
        notes=(
            "The dearer model is also the worse one: a cost-quality curve runs downwards.",
            "809 queries of 36 benchmarks, two models: most benchmarks have a few dozen rows.",
            "One METEOR score is below zero (NarrativeQA_4102, Claude: -0.033): counted as 0.",
            "The only table here with reported token counts and costs.",
        ),
    )
)
