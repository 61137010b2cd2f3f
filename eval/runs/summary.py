"""What a run folder says about itself: counts, accuracy, cost by arm, latency.

Accuracy averages the repeats of a question first; its interval is Wilson's, over questions
(clusters are not kept here: that is the replay's work). An interrupted try counts at its
worst case: it may have been charged.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.compare import share
from eval.runs.manifest import Manifest, read_manifest
from eval.runs.tally import returned_score
from eval.runs.tries import Try, read_tries

__all__ = ["accuracy_of", "summarise", "summary_text"]


def summarise(folder: Path) -> dict[str, Any]:
    """The object that `show --json` prints. Reads only; a running run may be looked at."""
    return _summary(folder, read_manifest(folder), read_tries(folder))


def _summary(folder: Path, manifest: Manifest, tries: Sequence[Try]) -> dict[str, Any]:
    finished = [t for t in tries if t.finished and t.result is not None]
    interrupted = [t for t in tries if t.state == "interrupted"]
    return {
        "folder": str(folder),
        "benchmark": manifest.arguments.benchmark,
        "subject": manifest.arguments.subject.name,
        "protocol": manifest.protocol,
        "planned": manifest.planned,
        "done": sum(t.state == "done" for t in tries),
        "failed": sum(t.state == "failed" for t in tries),
        "open": sum(t.state == "started" for t in tries),
        "interrupted": len(interrupted),
        "superseded": sum(t.state == "superseded" for t in tries),
        "complete": len(finished) == manifest.planned,
        "accuracy": accuracy_of(finished),
        "returned_status": _statuses(finished),
        "cost_usd": sum(t.charged_usd for t in tries if t.state != "started"),
        "cost_by_arm_usd": _by_arm(finished),
        "open_worst_case_usd": sum(t.reserved_usd for t in tries if t.state == "started"),
        "interrupted_worst_case_usd": sum(t.charged_usd for t in interrupted),
        "latency_s": _latency(finished),
        "notes": manifest.notes,
    }


def accuracy_of(finished: Sequence[Try]) -> dict[str, float | int | None]:
    """Mean over questions of the mean over repeats, with its interval."""
    scores: dict[str, list[float]] = {}
    for t in finished:
        scores.setdefault(t.question, []).append(returned_score(_rows(t)))
    n = len(scores)
    if n == 0:
        return {"value": None, "low": None, "high": None, "questions": 0}
    mean = sum(sum(s) / len(s) for s in scores.values()) / n
    made = share(mean, n)
    return {"value": mean, "low": made.low, "high": made.high, "questions": n}


def _statuses(finished: Sequence[Try]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for t in finished:
        status = next(str(r["status"]) for r in _rows(t) if r["returned"])
        counts[status] = counts.get(status, 0) + 1
    return counts


def _by_arm(finished: Sequence[Try]) -> dict[str, dict[str, float]]:
    arms: dict[str, dict[str, float]] = {}
    for t in finished:
        for row in _rows(t):
            arm = arms.setdefault(str(row["arm"]), {"attempts": 0, "returned": 0, "usd": 0.0})
            arm["attempts"] += 1
            arm["returned"] += bool(row["returned"])
            arm["usd"] += float(row["cost_usd"])
    return arms


def _latency(finished: Sequence[Try]) -> dict[str, float | None]:
    """Wall clock of whole samples, routing and checks included."""
    seconds = sorted(float(t.result["seconds"]) for t in finished if t.result is not None)
    return {"p50": _quantile(seconds, 0.5), "p95": _quantile(seconds, 0.95)}


def _quantile(ordered: Sequence[float], q: float) -> float | None:
    """Nearest rank."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else None


def _rows(t: Try) -> list[Mapping[str, Any]]:
    return list(t.result["rows"]) if t.result is not None else []


def summary_text(data: Mapping[str, Any]) -> str:
    """The same for people."""
    accuracy, latency = data["accuracy"], data["latency_s"]
    lines = [
        f"{data['benchmark']} with {data['subject']}: "
        f"{data['done'] + data['failed']} of {data['planned']} samples"
        f" ({data['failed']} failed, {data['interrupted']} interrupted tries)",
        f"protocol: {data['protocol']}",
    ]
    if accuracy["questions"]:
        lines.append(
            f"accuracy {accuracy['value']:.3f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}] "
            f"over {accuracy['questions']} questions (95 % Wilson)"
        )
        lines.append(f"latency p50 {latency['p50']:.2f} s, p95 {latency['p95']:.2f} s a sample")
    lines += [
        f"  {arm}: {c['attempts']} attempts, {c['returned']} returned, USD {c['usd']:.6f}"
        for arm, c in data["cost_by_arm_usd"].items()
    ]
    lines.append(f"cost USD {data['cost_usd']:.6f}")
    if data["interrupted"]:
        lines.append(
            f"  of it USD {data['interrupted_worst_case_usd']:.6f} are worst cases of "
            "interrupted tries, which may have been charged"
        )
    if data["open"]:
        lines.append(
            f"{data['open']} samples are in flight, or were when the run was killed: their worst "
            f"cases, USD {data['open_worst_case_usd']:.6f}, are not counted yet"
        )
    lines += [f"note: {note}" for note in data["notes"]]
    lines.append(f"folder: {data['folder']}")
    return "\n".join(lines)
