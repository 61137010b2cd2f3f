"""Scores on `eval/fit/heldout`: prompts written for this project that no fit has seen.

    part          prompts and what is asked of them
    twins         near twins of one topic: is the positive of each pair scored higher?
    code          does a coding task need a library, or only the prompt?
    science       hard multiple choice: is the knowledge demand seen through the numbers?
    languages     twenty languages, pooled and one by one
    wrapped       follow-ups, tags, JSON, transcripts, agents: pooled and kind by kind
    all           all of them, with domain, form, needs and confidence

Everything goes through the live featuriser. Intervals resample groups (topics, languages,
kinds of wrapper, base prompts); one language or kind by itself resamples its prompts. What
this does not do: judge the labels, which one person wrote.
"""

from collections.abc import Sequence

import numpy as np

from eval.fit.contenders import Contender
from eval.fit.families import calibration
from eval.fit.linear import Reals
from eval.fit.measures import (
    Figure,
    Statistics,
    binary_statistics,
    figures,
    ratio,
    sigmoid,
)
from eval.fit.prompts import Prompt
from eval.fit.table import Table
from eval.metrics.calibration import auroc_statistic
from router.record import Record
from router.signals.head import AXES, LEARNED_NEEDS
from router.state import NEEDS, Need, Signals

__all__ = [
    "Judged",
    "axis_figures",
    "contender_figures",
    "judged",
    "live_figures",
]

_ONE_BY_ONE = ("languages", "wrapped")
_SHOWN = 160


class Judged(Record):
    """A held-out prompt and what the featuriser made of it; a label of None is undecided."""

    file: str
    group: str
    text: str
    domain: str | None
    form: str | None
    labels: tuple[int | None, int | None]
    """Verifiability, knowledge demand."""
    axes: tuple[float, float]
    confidence: float
    domain_found: str
    form_found: str
    language: str


def judged(prompts: Sequence[Prompt], signals: Sequence[Signals]) -> list[Judged]:
    """Prompts beside their signals."""
    return [
        Judged(
            file=p.file,
            group=p.group,
            text=p.query.text[:_SHOWN],
            domain=p.domain,
            form=p.form,
            labels=(p.verifiability, p.knowledge_demand),
            axes=(s.verifiability, s.knowledge_demand),
            confidence=s.confidence,
            domain_found=s.domain,
            form_found=s.form,
            language=s.language,
        )
        for p, s in zip(prompts, signals, strict=True)
    ]


def live_figures(
    name: str, prompts: Sequence[Prompt], signals: Sequence[Signals], seed: int
) -> list[Figure]:
    """All figures of the live featuriser."""
    made: list[Figure] = []
    for axis in AXES:
        scores = np.array([getattr(s, axis) for s in signals])
        made += axis_figures(name, prompts, scores, axis, seed)
    rows = judged(prompts, signals)
    for part in ("all", *dict.fromkeys(p.file for p in prompts)):
        made += _label_figures(name, part, [r for r in rows if part in ("all", r.file)], seed)
    needs = [_need_statistics(n, prompts, signals) for n in NEEDS if n in LEARNED_NEEDS]
    merged = {metric: f for found in needs for metric, f in found.items()}
    return made + figures(name, "all", "", merged, [p.group for p in prompts], seed)


def contender_figures(
    contender: Contender, table: Table, held: Table, prompts: Sequence[Prompt], seed: int
) -> list[Figure]:
    """Axis figures of a contender fitted on the whole table; `held` holds the prompts' rows.

    Scores that are no log odds are ranked only.
    """
    made: list[Figure] = []
    for axis in AXES:
        scores = contender.fit(table, axis)(held)
        if contender.log_odds:
            scale, shift = calibration(contender, table, axis, seed)
            scores = sigmoid(scale * scores + shift)
        made += axis_figures(contender.name, prompts, scores, axis, seed, contender.log_odds)
    return made


def axis_figures(
    name: str,
    prompts: Sequence[Prompt],
    scores: Reals,
    axis: str,
    seed: int,
    decisions: bool = True,
) -> list[Figure]:
    """One axis, from (n,) scores; without `decisions` only what needs no probability."""
    made: list[Figure] = []
    known = [i for i, p in enumerate(prompts) if _label(p, axis) is not None]
    for part in ("all", *dict.fromkeys(p.file for p in prompts)):
        rows = [i for i in known if part in ("all", prompts[i].file)]
        made += _part(name, part, axis, prompts, scores, rows, seed, decisions)
        if part in _ONE_BY_ONE and decisions:
            for group in dict.fromkeys(prompts[i].group for i in rows):
                own = [i for i in rows if prompts[i].group == group]
                made += _alone(name, group, axis, prompts, scores, own, seed)
    return made


def _part(
    name: str,
    part: str,
    axis: str,
    prompts: Sequence[Prompt],
    scores: Reals,
    rows: Sequence[int],
    seed: int,
    decisions: bool,
) -> list[Figure]:
    if not rows:
        return []
    y = np.array([_label(prompts[i], axis) for i in rows])
    own = scores[rows]
    groups = [prompts[i].group for i in rows]
    statistics = dict(
        binary_statistics(own, y) if decisions else {"auroc": auroc_statistic(own, y)}
    )
    if part == "science" and decisions:
        statistics["share-high"] = ratio(own >= 0.5)
    made = figures(name, part, axis, statistics, groups, seed)
    if part == "twins":
        right, where = _ordered(own, y, groups)
        made += figures(name, part, axis, {"ordered": ratio(right)} if right else {}, where, seed)
    return made


def _ordered(scores: Reals, labels: Reals, groups: Sequence[str]) -> tuple[list[float], list[str]]:
    """1, 1/2 (a tie) or 0 for each pair of a group that differs on the axis, and its group."""
    right: list[float] = []
    where: list[str] = []
    names = np.asarray(groups)
    for group in dict.fromkeys(groups):
        own = names == group
        for high in scores[own & (labels == 1)]:
            for low in scores[own & (labels == 0)]:
                right.append(1.0 if high > low else 0.5 if high == low else 0.0)
                where.append(group)
    return right, where


def _alone(
    name: str,
    group: str,
    axis: str,
    prompts: Sequence[Prompt],
    scores: Reals,
    rows: Sequence[int],
    seed: int,
) -> list[Figure]:
    y = np.array([_label(prompts[i], axis) for i in rows])
    kept = {k: v for k, v in binary_statistics(scores[rows], y).items() if k in _KEPT}
    return figures(name, group.replace(":", "/"), axis, kept, np.arange(len(rows)), seed)


_KEPT = ("auroc", "accuracy")


def _label_figures(name: str, part: str, rows: Sequence[Judged], seed: int) -> list[Figure]:
    """Domain, form, and whether the confidence says how often both axes are right."""
    made: list[Figure] = []
    for what in ("domain", "form"):
        own = [r for r in rows if getattr(r, what) is not None]
        right = [getattr(r, what) == getattr(r, f"{what}_found") for r in own]
        made += figures(
            name, part, "", {f"{what}-accuracy": ratio(right)}, [r.group for r in own], seed
        )
    both = [r for r in rows if None not in r.labels]
    sure = np.array([r.confidence for r in both])
    right = [tuple(p >= 0.5 for p in r.axes) == tuple(v == 1 for v in r.labels) for r in both]
    if not both:
        return made
    calibrated = binary_statistics(sure, right)
    statistics: Statistics = {
        "both-right": ratio(right),
        "confidence-mean": ratio(sure),
        "confidence-ece": calibrated["ece"],
        "confidence-auroc": calibrated["auroc"],
        "confidence-brier": calibrated["brier"],
    }
    return made + figures(name, part, "", statistics, [r.group for r in both], seed)


def _need_statistics(
    need: Need, prompts: Sequence[Prompt], signals: Sequence[Signals]
) -> Statistics:
    truth = np.array([need in p.needs for p in prompts], dtype=float)
    said = np.array([s.has_need(need) for s in signals], dtype=float)
    return {
        f"{need}-precision": ratio(truth * said, said),
        f"{need}-recall": ratio(truth * said, truth),
        f"{need}-f1": ratio(2 * truth * said, truth + said),
    }


def _label(prompt: Prompt, axis: str) -> int | None:
    value: int | None = getattr(prompt, axis)
    return value
