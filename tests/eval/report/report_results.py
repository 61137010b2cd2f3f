"""Result files made by hand: a few records, curves and a stamp, as `ockham replay` writes them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PAIR = "tiny -> huge"
SMALL, LARGE = (0.0001, 0.6), (0.004, 0.8)


def record(policy: str, metric: str, value: float | None, **more: Any) -> dict[str, Any]:
    """One record; the interval is 0.02 to each side unless given."""
    near = value is not None
    facts: dict[str, Any] = {
        "kind": "record",
        "source": "hand",
        "benchmark": "b",
        "policy": policy,
        "metric": metric,
        "value": value,
        "low": value - 0.02 if near and value is not None else None,
        "high": value + 0.02 if near and value is not None else None,
        "n": 500,
        "seed": 0,
        "protocol": "untrained",
        "labels": 0,
        "pair": PAIR,
        "note": "",
    }
    return {**facts, **more}


def curve(policy: str, bend: float = 0.0, **more: Any) -> dict[str, Any]:
    """From all-small to all-large; `bend` lifts the middle."""
    share = [0.0, 0.25, 0.5, 0.75, 1.0]
    gain = LARGE[1] - SMALL[1]
    facts = {
        "kind": "curve",
        "source": "hand",
        "benchmark": "b",
        "policy": policy,
        "seed": 0,
        "protocol": "untrained",
        "labels": 0,
        "pair": PAIR,
        "share": share,
        "usd": [SMALL[0] + s * (LARGE[0] - SMALL[0]) for s in share],
        "accuracy": [SMALL[1] + gain * (s + bend * s * (1 - s)) for s in share],
    }
    return {**facts, **more}


def routed(policy: str, apgr: float, **more: Any) -> list[dict[str, Any]]:
    """Curve and records of a policy with that area; prompt length's is 0.58."""
    out = [
        record(policy, "apgr", apgr, **more),
        record(policy, "accuracy", 0.6 + 0.2 * apgr, **more),
        record(policy, "usd-per-1000", 2.05, **more),
        record(policy, "large-share", 0.5, **more),
        curve(policy, 6 * (apgr - 0.5), **{k: v for k, v in more.items() if k != "note"}),
    ]
    for suffix, ratio in (("", 1), ("@0.5", 0.5), ("@2", 2)):
        out += [
            record(policy, f"cost-apgr{suffix}", apgr - 0.03, **more),
            record(policy, f"utility{suffix}", 0.5 + 0.1 * apgr, **more),
            record(policy, f"cost-at-accuracy{suffix}", 3.4 * ratio, **more),
        ]
    for rival, theirs in (("random", 0.5), ("prompt-length", 0.58)):
        if policy != rival:
            out.append(record(policy, f"apgr-minus-{rival}", apgr - theirs, **more))
    gap = (apgr - 0.5) / 2
    out.append(record(policy, "utility-minus-best-single", gap, **more))
    plain = {**more, "low": None, "high": None, "note": "two-sided, Holm over 3 tests"}
    out.append(record(policy, "p-utility-vs-best-single", 0.0123, **plain))
    return out


def single(policy: str, usd: float, accuracy: float, **more: Any) -> list[dict[str, Any]]:
    """A policy without a curve."""
    return [
        record(policy, "accuracy", accuracy, **more),
        record(policy, "usd-per-1000", usd, **more),
        record(policy, "utility", 0.55, **more),
    ]


def stamp(**more: Any) -> dict[str, Any]:
    """What was run."""
    table = {
        "benchmark": "b",
        "arms": PAIR.split(" -> "),
        "questions": 500,
        "incomplete": 7,
        "accuracy": [0.6, 0.8],
        "usd_per_1000": [0.1, 4.0],
        "checksum": "0123456789abcdef",
        "features": None,
    }
    facts = {
        "kind": "stamp",
        "command": "ockham replay --source hand --out r.jsonl",
        "source": "hand",
        "licence": "CC0-1.0",
        "files": {"hand.csv": "ab" * 32},
        "plan": {"seeds": [0], "resamples": 1000, "folds": 5, "labels": None, "share": 0.5},
        "tables": [table],
        "versions": {"numpy": "2.4.6"},
        "seconds": 1.5,
    }
    return {**facts, **more}


def usual() -> list[dict[str, Any]]:
    """Baselines, a fitted policy and the bound."""
    fitted = {"protocol": "in-distribution", "labels": 400}
    return [
        stamp(),
        *single("all-small", 0.1, 0.6),
        *single("all-large", 4.0, 0.8),
        *single("best-single", 4.0, 0.8, **fitted),
        *routed("random", 0.5),
        *routed("prompt-length", 0.58),
        *routed("text-logistic", 0.66, **fitted),
        *routed("oracle", 1.2, protocol="sees the scores"),
        record("needs-verdicts", "not-replayable", None, note="needs-verdicts: it has no checks"),
    ]


def write(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    """As JSON lines."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
