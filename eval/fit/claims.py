"""`ockham verify claims`: does the passage support the statement? Words, meaning, both.

    fit      countries of the part "fit": logistic regression of each set of features
    tune     of the part "tune": the two thresholds, from unsupported rows that may pass
             (`FALSE_PASS`) and supported ones that may fail (`FALSE_FAIL`)
    score    of the part "score": everything that is printed

Compared: the rule that stood alone before (`router.verify.grounding`), words, meaning, and both,
each with its own thresholds. Intervals are over whole countries. No small entailment model with
weights ships in a package, so there is none to measure against.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap
from eval.fit.claim_pairs import KINDS, ClaimPair, claim_pairs
from eval.fit.linear import fit_linear
from eval.fit.measures import ratio
from eval.knowledge.split import Part
from eval.metrics.calibration import auroc_statistic
from router.samples import AttemptStatus
from router.state import Attempt, Citation, Passage, Price
from router.verify.grounding import check_grounding
from router.verify.support import (
    LEXICAL,
    MEANING,
    SUPPORT,
    Encode,
    Support,
    meaning,
    word_features,
)

__all__ = ["Report", "Row", "claims_report", "save"]

Floats = NDArray[np.float64]
STRENGTH = 1.0
"""Inverse of the L2 penalty, on columns of unit spread; not searched."""
FALSE_PASS, FALSE_FAIL = 0.10, 0.05
SETS = {"words": LEXICAL, "meaning": MEANING, "both": (*LEXICAL, *MEANING)}
PARTS: tuple[Part, ...] = ("fit", "tune", "score")
QUESTIONS = {"fit": 500, "tune": 350, "score": 900}
BATCH = 512


class Row(NamedTuple):
    """One method on some of the scored rows; `part` is "all" or a kind."""

    method: str
    part: str
    n: int
    auroc: Interval | None
    false_pass: Interval | None
    false_fail: Interval | None
    """None where the part has no such rows."""


class Report(NamedTuple):
    """The map that would ship, and how every method did."""

    support: Support
    rows: tuple[Row, ...]
    counts: dict[str, int]
    checksum: str
    """Of all statements."""


class _Part(NamedTuple):
    pairs: tuple[ClaimPair, ...]
    x: dict[str, Floats]
    y: NDArray[np.int64]
    rule: Floats


def claims_report(encode: Encode, seed: int = 0, questions: dict[str, int] | None = None) -> Report:
    """Fit, choose the thresholds, score."""
    counts = questions or QUESTIONS
    fit, tune, score = (_featured(claim_pairs(part, counts[part], seed), encode) for part in PARTS)
    maps = {name: _map(names, fit, tune) for name, names in SETS.items()}
    rows = _rows("rule", score, score.rule, (0.75, 0.25))
    for name, made in maps.items():
        p = np.array([made.probability(_values(score, i)) for i in range(len(score.y))])
        rows += _rows(name, score, p, (made.passes, made.fails))
    told = {"fit": len(fit.y), "tune": len(tune.y), "score": len(score.y)}
    return Report(
        maps["both"], tuple(rows), told, _checksum(*(p.pairs for p in (fit, tune, score)))
    )


def save(report: Report, path: Path = SUPPORT) -> None:
    """The packaged map, with what it was made on."""
    made, rounded = report.support, [round(w, 6) for w in report.support.weights]
    data = {
        "features": list(made.features), "weights": rounded, "bias": round(made.bias, 6),
        "passes": round(made.passes, 4), "fails": round(made.fails, 4),
        "stamp": {
            "data": "World Factbook statements (eval.fit.claim_pairs)", "rows": report.counts,
            "checksum": report.checksum, "false_pass": FALSE_PASS, "false_fail": FALSE_FAIL,
            "split": "countries: fit fits, tune chooses thresholds, score is reported",
        },
    }  # fmt: skip
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _featured(pairs: Sequence[ClaimPair], encode: Encode) -> _Part:
    told: list[dict[str, float]] = []
    for start in range(0, len(pairs), BATCH):
        told += meaning([p.statement for p in pairs[start : start + BATCH]], encode)
    for pair, one in zip(pairs, told, strict=True):
        one |= word_features(pair.statement)
    columns = {name: np.array([one[name] for one in told]) for name in SETS["both"]}
    truth = np.array([p.supported for p in pairs], dtype=np.int64)
    return _Part(tuple(pairs), columns, truth, np.array([_by_rule(p) for p in pairs]))


def _map(names: tuple[str, ...], fit: _Part, tune: _Part) -> Support:
    x = np.column_stack([fit.x[name] for name in names])
    spread = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    made = fit_linear(x / spread, fit.y.tolist(), np.ones(len(x)), STRENGTH)
    weights = tuple((made.weights[0] / spread).tolist())
    bare = Support(names, weights, float(made.bias[0]), 1.0, 0.0)
    p = np.array([bare.probability(_values(tune, i)) for i in range(len(tune.y))])
    passes = float(np.quantile(p[tune.y == 0], 1 - FALSE_PASS, method="higher"))
    fails = float(np.quantile(p[tune.y == 1], FALSE_FAIL, method="lower"))
    # What may not pass need not fail; what fails may not pass.
    return bare._replace(passes=max(passes, fails), fails=min(passes, fails))


def _values(part: _Part, row: int) -> dict[str, float]:
    return {name: float(column[row]) for name, column in part.x.items()}


def _rows(method: str, part: _Part, p: Floats, cuts: tuple[float, float]) -> list[Row]:
    kind = np.array([pair.kind for pair in part.pairs])
    form = np.array([pair.form for pair in part.pairs])
    country = np.array([pair.code for pair in part.pairs])
    shown = {"all": np.ones(len(kind), dtype=bool)}
    shown |= {f: form == f for f in ("statement", "bare")}
    shown |= {k: kind == k for k in KINDS}
    return [_row(method, name, part.y[m], p[m], country[m], cuts) for name, m in shown.items()]


def _row(
    method: str, name: str, y: NDArray[np.int64], p: Floats, country: NDArray[Any],
    cuts: tuple[float, float],
) -> Row:  # fmt: skip
    passed, failed = (p >= cuts[0]).astype(float), (p < cuts[1]).astype(float)
    both = bool(y.any() and not y.all())
    return Row(
        method,
        name,
        len(y),
        bootstrap(auroc_statistic(p, y), country) if both else None,
        _rate(passed, y == 0, country),
        _rate(failed, y == 1, country),
    )


def _rate(flag: Floats, of: NDArray[np.bool_], country: NDArray[Any]) -> Interval | None:
    if not of.any():
        return None
    return bootstrap(ratio(flag[of]), country[of])


def _by_rule(pair: ClaimPair) -> float:
    """1 passed, 1/2 unchecked, 0 failed: what `check_grounding` says of the same claim."""
    one = pair.statement
    passage = Passage(source="s", title=one.title, text=one.text, score=0.0)
    cited = Citation(number=1, source="s", title=one.title, quote="")
    attempt = Attempt(
        arm="a", model="m", text=one.claim, status=AttemptStatus.OK, passages=(passage,),
        citations=(cited,), price=Price(input_usd=0, output_usd=0, basis="none"),
    )  # fmt: skip
    passed = check_grounding(one.question, attempt).passed
    return 0.5 if passed is None else float(passed)


def _checksum(*parts: Sequence[ClaimPair]) -> str:
    digest = hashlib.sha256()
    for pair in (p for part in parts for p in part):
        digest.update("\0".join((*pair.statement, pair.kind)).encode() + b"\n")
    return digest.hexdigest()[:12]
