"""What the conditions say together: knew it, could read it, could find it.

    gap        the reference's accuracy (1 without one) minus closed-book
    gold gain  gold passage minus closed-book, on the same questions; its share of the gap is what
               facts in the prompt close
    retrieval  retrieved minus closed-book; its share of the gold gain is what the index keeps

Every number has a percentile interval over whole countries (`eval.compare.bootstrap`), all
of them from the same resamples, so that differences and shares are paired. A share of nothing is
no number: where the gap or the gain is zero or less, the value is None, and the sentence says so;
resamples in which it is are counted, and widen the interval until it is gone.

Groups (a field, a category) are small: their intervals are Wilson's over their countries.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap, share
from eval.fit.measures import ratio
from eval.knowledge.paired import Column, Paired
from eval.knowledge.questions import FactQuestion
from eval.metrics.calibration import auroc_statistic, ece
from eval.writing import finite

__all__ = ["BAR", "Group", "as_json", "groups", "numbers", "order", "verdicts"]

BAR = 0.90
"""Part of the gold gain that retrieval has to keep."""
BINS = 5
"""Of a calibration error: some twenty answers in each of an experiment's hundred."""
_SHARES = (
    *("accuracy", "knew it", "could read it", "could find it", "abstained", "right or", "passed"),
)
"""Names of shares of all questions, or their beginnings."""
Floats = NDArray[np.float64]
Stats = dict[str, Callable[[Floats], float]]


class Group(NamedTuple):
    """Questions of one field, category, kind or difficulty."""

    name: str
    n: int
    countries: int
    accuracy: Mapping[str, Interval]


def numbers(data: Paired, resamples: int = 2000, seed: int = 0) -> dict[str, Interval]:
    """Name -> value and interval; nan where a share has nothing to be a share of."""
    stats = _statistics(data)

    def every(weight: Floats) -> Floats:
        return np.array([of(weight) for of in stats.values()])

    found = bootstrap(every, data.countries, resamples, seed)
    return {
        name: _never_or_always(got) if name.startswith(_SHARES) else got
        for name, got in zip(stats, found, strict=True)
    }


def _never_or_always(got: Interval) -> Interval:
    """Of a share of all questions that is 0 or 1 no resample differs: Wilson's, over countries."""
    if got.low != got.high or got.value not in (0.0, 1.0):
        return got
    wide = share(got.value, got.clusters)
    return got._replace(low=wide.low, high=wide.high)


def _statistics(data: Paired) -> Stats:
    columns = data.columns
    closed, gold, got = (columns[name].score for name in ("closed", "gold", "retrieved"))
    found = columns["retrieved"].found
    best = columns["reference"].score if "reference" in columns else np.ones(len(closed))
    stats: Stats = {f"accuracy {name}": _mean(c.score) for name, c in columns.items()}
    stats |= {
        "gold gain": _mean(gold - closed),
        "retrieved gain": _mean(got - closed),
        "gap": _mean(best - closed),
        "gap closed by gold": _ratio(gold - closed, best - closed),
        "gap closed by retrieval": _ratio(got - closed, best - closed),
        "gold gain kept by retrieval": _ratio(got - closed, gold - closed),
        "knew it": _mean(closed),
        "could read it": _mean(gold),
        "could read what it did not know": _mean(gold, closed < 1),
        "lost by reading": _mean(1 - gold, closed >= 1),
        "could find it": _mean(found.astype(float)),
        "right where found": _mean(got, found),
        "right where not found": _mean(got, ~found),
        "right with gold where found": _mean(gold, found),
        "abstained gold": _mean(columns["gold"].abstained.astype(float)),
        "abstained retrieved": _mean(columns["retrieved"].abstained.astype(float)),
    }
    if "distractors" in columns:
        away = columns["distractors"]
        stats["abstained distractors"] = _mean(away.abstained.astype(float))
        stats["right or abstained distractors"] = _mean(np.maximum(away.score, away.abstained))
        stats["misled by distractors"] = _mean(1 - away.score, closed >= 1)
    stats |= {f"usd a correct answer {n}": _cost(c) for n, c in columns.items()}
    return stats | _checked(columns["retrieved"])


def _checked(got: Column) -> Stats:
    """What a passed check of a retrieved answer is worth, and what is said of it."""
    right = got.score >= 1
    ranked = auroc_statistic(got.p_right, right)
    return {
        "passed retrieved": _mean(got.passed.astype(float)),
        "right of the passed": _mean(got.score, got.passed),
        "P(right) of the passed": _mean(got.p_right, got.passed),
        "AUROC of P(right)": lambda weight: ranked(weight * got.passed),
        "ECE of P(right)": lambda weight: ece(got.p_right, right, BINS, weight * got.passed),
    }


def _mean(values: Floats, where: NDArray[np.bool_] | None = None) -> Callable[[Floats], float]:
    return ratio(values) if where is None else ratio(values * where, where)


def _ratio(part: Floats, whole: Floats) -> Callable[[Floats], float]:
    """nan where the whole is not above zero: a share of nothing, or of a loss, says nothing."""

    def of(weight: Floats) -> float:
        size = float(weight @ whole)
        return float(weight @ part) / size if size > 1e-12 else math.nan

    return of


def _cost(column: Column) -> Callable[[Floats], float]:
    return _ratio(column.cost, column.score)


def groups(data: Paired, by: str) -> list[Group]:
    """Accuracy by `field`, `category`, `kind` or `difficulty`."""
    keys = np.array([_key(q, by) for q in data.questions])
    return [_group(data, str(name), keys == name) for name in dict.fromkeys(keys.tolist())]


def _group(data: Paired, name: str, own: NDArray[np.bool_]) -> Group:
    countries = len(set(data.countries[own].tolist()))
    accuracy = {n: share(float(c.score[own].mean()), countries) for n, c in data.columns.items()}
    return Group(name, int(own.sum()), countries, accuracy)


def _key(question: FactQuestion, by: str) -> str:
    if by == "difficulty":
        return "hard" if question.hard else "easy"
    if by == "kind":
        return question.gold.kind
    return str(getattr(question, by))


def verdicts(data: Paired, found: Mapping[str, Interval]) -> list[str]:
    """What the numbers say, in sentences, good or bad."""
    return [_gap(data, found), _kept(found), _decomposed(found), _promised(found)]


def _gap(data: Paired, found: Mapping[str, Interval]) -> str:
    top = data.reference or "1"
    gap, gain = found["gap"], found["gold gain"]
    if gap.value <= 1e-12:
        return f"No gap to close: closed-book already stands at or above the reference ({top})."
    if gain.value <= 1e-12:
        return (
            f"Gold facts close nothing of the gap to {top}: with the gold passage the model is "
            f"{gain.in_points} points from closed-book."
        )
    closes = _share(found["gap closed by gold"])
    points = f"{gain.in_points} of {gap.in_points} points"
    return f"Gold facts close {closes} of the gap to {top} ({points})."


def _kept(found: Mapping[str, Interval]) -> str:
    kept, gain = found["gold gain kept by retrieval"], found["gold gain"]
    if gain.value <= 1e-12:
        return "No gain of gold facts, so retrieval has no share of it."
    met = "met" if kept.low >= BAR else "missed" if kept.high < BAR else "not decided by this n"
    if math.isnan(kept.low):
        met = "not decided: in too many resamples gold facts gain nothing"
    return (
        f"Retrieval keeps {_share(kept)} of what gold facts gain "
        f"({found['retrieved gain'].in_points} of {gain.in_points} points); the bar of "
        f"{100 * BAR:.0f} % is {met}."
    )


def _decomposed(found: Mapping[str, Interval]) -> str:
    parts = ("knew it", "could read it", "could find it", "right where found")
    said = "; ".join(f"{name} {_share(found[name])}" for name in parts)
    rest = _share(found["right where not found"])
    return f"{said[0].upper()}{said[1:]}; right where not found {rest}."


def _promised(found: Mapping[str, Interval]) -> str:
    area = found["AUROC of P(right)"]
    ranked = "" if math.isnan(area.value) else f", AUROC {area.value:.2f}"
    if not math.isnan(area.low):
        ranked += f" [{area.low:.2f}, {area.high:.2f}]"
    return (
        f"Of the retrieved answers {_share(found['passed retrieved'])} pass their check; of these "
        f"{_share(found['right of the passed'])} are right, P(right) says "
        f"{_share(found['P(right) of the passed'])}{ranked}."
    )


def _share(got: Interval) -> str:
    if math.isnan(got.value):
        return "(no such question)"
    ends = "no interval" if math.isnan(got.low) else f"{100 * got.low:.0f}, {100 * got.high:.0f}"
    return f"{100 * got.value:.0f} % [{ends}]"


def as_json(found: Mapping[str, Interval]) -> dict[str, Any]:
    """Plain data; what is not a number is null."""
    return {name: finite(got._asdict()) for name, got in found.items()}


def order(data: Sequence[Group]) -> list[Group]:
    """By what gold facts gain, most first."""
    return sorted(data, key=lambda g: g.accuracy["closed"].value - g.accuracy["gold"].value)
