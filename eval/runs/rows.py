"""From one run of one question to its outcome rows: one an attempt, each of them graded.

    AttemptStatus   outcome status, score
    ok              the scorer's (ok or unparsed)
    truncated       truncated, the scorer's score; ok where the benchmark knows that the answer
                    stood before the cut
    provisional     truncated, the scorer's score of the box in the unclosed thinking
    abstained       abstained, the scorer's score
    no_answer       unparsed, 0; the scorer is not asked
    failed          failed with its error, no score

Exactly one row of a run is `returned`: where the caller got no answer, it is the last
attempt, and where there was no attempt at all, a failed row of the arm, or of `NO_ARM`.

Of a question whose text may not be kept, the answer is written as a hash and an error
without what the server said.
"""

from typing import Any

from eval.benchmarks.benchmark import Benchmark, Graded, Question
from eval.runs.subject import Answered, SubjectSpec, Tried
from policies.outcome import Status, query_hash
from policies.policy import Policy
from router.samples import AttemptStatus
from router.state import Attempt, Price, Verdict

__all__ = ["NO_ARM", "cost_basis", "rows_of"]

NO_ARM = "none"
"""Arm of the one row of a policy's run that could not try anything."""


async def rows_of(
    benchmark: Benchmark, question: Question, answered: Answered, spec: SubjectSpec, policy: Policy
) -> list[dict[str, Any]]:
    """The rows, without the columns that belong to the question. Each holds `text`
    and `passages` beside."""
    returned = len(answered.tried) - 1 if answered.returned is None else answered.returned
    rows = [
        {
            **_attempt_row(tried, await _grade(benchmark, question, tried.attempt), question),
            "attempt": place,
            "returned": place == returned,
        }
        for place, tried in enumerate(answered.tried)
    ] or [_nothing_row(answered, spec, question)]
    shared = {
        "policy": None if spec.arm else policy.name,
        "policy_version": None if spec.arm else policy.version,
        "fingerprint": answered.fingerprint,
        "created": answered.created,
        "label_source": "gold",
    }
    return [{**row, **shared} for row in rows]


async def _grade(benchmark: Benchmark, question: Question, attempt: Attempt) -> Graded | None:
    if attempt.status is AttemptStatus.FAILED:
        return None
    if attempt.status is AttemptStatus.NO_ANSWER:
        return Graded(score=0.0, answer=None, status=Status.UNPARSED)
    graded = await benchmark.score(question, attempt.text)
    cut = attempt.status is AttemptStatus.TRUNCATED and not benchmark.is_complete(attempt.text)
    cut = cut or attempt.status is AttemptStatus.PROVISIONAL
    return graded.model_copy(update={"status": Status.TRUNCATED}) if cut else graded


def _attempt_row(tried: Tried, graded: Graded | None, question: Question) -> dict[str, Any]:
    attempt = tried.attempt
    abstained = attempt.status is AttemptStatus.ABSTAINED
    status = Status.FAILED if graded is None else graded.status
    status = Status.ABSTAINED if abstained else status
    return {
        "arm": attempt.arm,
        "model": attempt.model,
        "status": status.value,
        "score": graded.score if graded else None,
        "answer": _kept(graded.answer if graded else None, question),
        "error": _kept_error(attempt.error, question),
        **_verdict(tried.verdict),
        **_logprobs(attempt),
        "agreement": attempt.selection.share if attempt.selection else None,
        "reliability": attempt.samples[0].reliability if len(attempt.samples) == 1 else None,
        "prompt_tokens": attempt.prompt_tokens,
        "completion_tokens": attempt.completion_tokens,
        "tokens_basis": attempt.tokens_basis,
        "cost_usd": attempt.cost_usd,
        "cost_basis": cost_basis(attempt.price),
        "price_snapshot": attempt.price.basis,
        "latency_s": attempt.seconds,
        "response_chars": len(attempt.text),
        "arm_probability": [
            {"arm": arm, "probability": p} for arm, p in tried.probability.items()
        ],
        "text": _kept(attempt.text, question),
        "passages": _passages(attempt, question),
    }  # fmt: skip


def _nothing_row(answered: Answered, spec: SubjectSpec, question: Question) -> dict[str, Any]:
    return {
        "arm": spec.arm or NO_ARM,
        "status": Status.FAILED.value,
        "error": _kept_error(answered.error, question),
        "cost_usd": 0.0,
        "cost_basis": "priced",
        "latency_s": answered.seconds,
        "attempt": 0,
        "returned": True,
        "text": None,
    }


def _passages(attempt: Attempt, question: Question) -> list[dict[str, Any]] | None:
    """What was read, for the journal alone; null where nothing was, or nothing may be kept."""
    if not attempt.passages or not question.keep_text:
        return None
    return [
        p.model_dump(mode="json", include={"source", "title", "text"}) for p in attempt.passages
    ]


def _verdict(verdict: Verdict | None) -> dict[str, Any]:
    """Null where no check was run."""
    if verdict is None or verdict.kind == "none":
        return {}
    said = {True: "passed", False: "failed", None: "unknown"}[verdict.passed]
    return {
        "verdict": said,
        "verdict_kind": verdict.kind,
        "verdict_confidence": verdict.confidence,
        "verdict_measured": [{"name": n, "value": v} for n, v in verdict.measured.items()] or None,
    }


def _logprobs(attempt: Attempt) -> dict[str, Any]:
    """Null where the arm asks for none."""
    stats = attempt.logprobs
    if stats is None:
        return {}
    return {
        "logprob_mean": stats.mean,
        "logprob_min": stats.minimum,
        "logprob_answer": stats.answer,
        "certainty": stats.certainty,
    }


def cost_basis(price: Price) -> str:
    """`local` for a machine by the hour (`router.models.prices.local_price`), else `priced`."""
    return "local" if price.basis.startswith("USD ") else "priced"


def _kept(text: str | None, question: Question) -> str | None:
    if text is None or question.keep_text:
        return text
    return f"sha256:{query_hash(text)}"


def _kept_error(error: str | None, question: Question) -> str | None:
    """A server may quote the prompt: then only our own words, which come first, are kept."""
    if error is None or question.keep_text:
        return error
    return ": ".join(error.splitlines()[0].split(": ")[:2])
