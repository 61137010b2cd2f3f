"""A run's Inspect log: the same samples, for `inspect view` and everything that reads logs.

Written through Inspect's own API. One Inspect sample is one question and repeat (an epoch):
what was returned is its output; every attempt, with cost, check and tokens, is its metadata.
Of questions whose text may not be kept, the log holds hashes only.

Needs the package inspect-ai (the eval extra).
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.benchmarks.benchmark import Benchmark, Question
from eval.runs.manifest import Manifest
from eval.runs.summary import accuracy_of
from eval.runs.tally import returned_score
from eval.runs.tries import Try
from policies.outcome import Status, query_hash
from router.errors import SetupError

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalResults, EvalSample, EvalSpec
    from inspect_ai.model import ModelOutput, ModelUsage

__all__ = ["inspect_log", "write_inspect_log"]


def write_inspect_log(
    folder: Path,
    manifest: Manifest,
    benchmark: Benchmark,
    questions: Sequence[Question],
    tries: Sequence[Try],
) -> Path:
    """Write the log into the run folder, whole or not at all.

    Raises:
        SetupError: inspect-ai is not installed, or the folder cannot be written.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError:
        raise SetupError("the package inspect-ai is missing: run `make setup`") from None
    name = f"{benchmark.name}-{manifest.arguments.subject.name}.eval".replace("/", "_")
    partial = folder / f".{os.getpid()}-{name}"
    try:
        write_eval_log(
            inspect_log(manifest, benchmark, questions, tries), str(partial), format="eval"
        )
        return partial.replace(folder / name)
    except OSError as error:
        raise SetupError(f"cannot write the Inspect log into {folder}: {error}") from None
    finally:
        with suppress(OSError):
            partial.unlink()


def inspect_log(
    manifest: Manifest, benchmark: Benchmark, questions: Sequence[Question], tries: Sequence[Try]
) -> "EvalLog":
    """The log of what is finished; `cancelled` where that is not all of it."""
    from inspect_ai.log import EvalLog, EvalPlan, EvalStats

    finished = {(t.question, t.sample): t for t in tries if t.finished}
    ordered = [
        (q, finished[q.id, s])
        for q in questions
        for s in range(manifest.arguments.samples)
        if (q.id, s) in finished
    ]
    whole = len(ordered) == manifest.planned
    ended = max((t.ended or "" for t in finished.values()), default=manifest.created)
    return EvalLog(
        status="success" if whole else "cancelled",
        eval=_spec(manifest, benchmark, questions),
        plan=EvalPlan(name=manifest.arguments.subject.name),
        results=_results(manifest, [t for _, t in ordered]),
        stats=EvalStats(
            started_at=manifest.created,
            completed_at=ended,
            model_usage=_usage(row for _, t in ordered for row in _rows(t)),
        ),
        samples=[_sample(q, t) for q, t in ordered],
    )


def _spec(manifest: Manifest, benchmark: Benchmark, questions: Sequence[Question]) -> "EvalSpec":
    from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec

    arguments = manifest.arguments
    return EvalSpec(
        created=manifest.created,
        task=benchmark.name,
        task_version=benchmark.version,
        task_args=arguments.model_dump(mode="json", exclude={"path", "config"}),
        dataset=EvalDataset(
            name=benchmark.benchmark_id,
            samples=len(questions),
            sample_ids=[q.id for q in questions],
            shuffled=False,
        ),
        model=f"ockham/{arguments.subject.name}",
        config=EvalConfig(epochs=arguments.samples),
        packages=dict(manifest.versions),
        metadata={"protocol": manifest.protocol, "notes": manifest.notes, "same": manifest.same},
    )


def _results(manifest: Manifest, finished: Sequence[Try]) -> "EvalResults":
    from inspect_ai.log import EvalMetric, EvalResults, EvalScore

    accuracy = accuracy_of(finished)
    metrics = {
        name: EvalMetric(name=name, value=value)
        for name, value in (
            ("accuracy", accuracy["value"]),
            ("low", accuracy["low"]),
            ("high", accuracy["high"]),
        )
        if value is not None
    }
    score = EvalScore(
        name="score",
        scorer=manifest.arguments.benchmark,
        scored_samples=len(finished),
        unscored_samples=0,
        metrics=metrics,
        metadata={"interval": "95 % Wilson, over questions"},
    )
    return EvalResults(
        total_samples=manifest.planned, completed_samples=len(finished), scores=[score]
    )


def _sample(question: Question, t: Try) -> "EvalSample":
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser
    from inspect_ai.scorer import Score

    rows = _rows(t)
    returned = next(r for r in rows if r["returned"])
    asked = _kept(question.prompt, question)
    said = returned["text"] or ""
    failed = returned["status"] == Status.FAILED
    return EvalSample(
        id=question.id,
        epoch=t.sample + 1,
        input=asked,
        target=_kept(question.gold, question),
        messages=[ChatMessageUser(content=asked), ChatMessageAssistant(content=said)],
        output=_output(returned, said),
        scores={"score": Score(value=returned_score(rows), answer=returned.get("answer"))},
        metadata={
            "status": returned["status"],
            "failed": failed,
            "cluster_id": question.cluster_id or question.id,
            "route": [r["arm"] for r in rows],
            "cost_usd": t.cost_usd,
            "attempts": [{k: v for k, v in r.items() if k != "text"} for r in rows],
            "texts": [r["text"] for r in rows],
        },
        model_usage=_usage(rows),
        started_at=t.started,
        completed_at=t.ended,
        total_time=float(t.result["seconds"]) if t.result else None,
    )


def _output(returned: Mapping[str, Any], said: str) -> "ModelOutput":
    """The returned attempt; what it took stands in the sample's usage."""
    from inspect_ai.model import ModelOutput

    cut = returned["status"] == Status.TRUNCATED
    return ModelOutput.from_content(
        model=str(returned.get("model") or returned["arm"]),
        content=said,
        stop_reason="max_tokens" if cut else "stop",
        error=returned.get("error"),
    )


def _usage(rows: Any) -> "dict[str, ModelUsage]":
    """Tokens by the model that wrote them, all attempts together."""
    from inspect_ai.model import ModelUsage

    total: dict[str, ModelUsage] = {}
    for row in rows:
        read, wrote = row.get("prompt_tokens") or 0, row.get("completion_tokens") or 0
        usage = ModelUsage(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)
        model = str(row.get("model") or row["arm"])
        total[model] = total[model] + usage if model in total else usage
    return total


def _kept(text: str, question: Question) -> str:
    return text if question.keep_text else f"sha256:{query_hash(text)}"


def _rows(t: Try) -> list[dict[str, Any]]:
    return list(t.result["rows"]) if t.result is not None else []
