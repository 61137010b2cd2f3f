"""Do the decisions hold when the same question comes in another dress?

A seeded sample over all families and written topics, each text in every dress that fits it
(`eval/fit/rewordings.py`), scored by fits that saw neither its family nor its topic. A
decision is p >= 1/2, calibrated on the folds that the row is not in. Told per dress and axis:

    flips          share of decisions that the dress turned over
    mean-move      mean |p' - p|
    auroc          on the dressed texts; `auroc-before`: on the same texts as they were

Intervals resample whole families and topics. What this does not do: say which of two
decisions was right (the AUROCs do), or dress anything but the last thing the user said.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.fit.contenders import Contender
from eval.fit.examples import Example
from eval.fit.linear import Reals, platt
from eval.fit.measures import Figure, Statistics, binary_statistics, figures, ratio, sigmoid
from eval.fit.rewordings import DRESSES, dress
from eval.fit.signals import FOLDS
from eval.fit.table import Table, featurise, fold_of_rows
from eval.metrics.calibration import auroc_statistic
from router.signals.inputs import Inputs
from router.state import Message, Query

__all__ = [
    "SAMPLE",
    "Dressed",
    "FoldScores",
    "dress_rows",
    "fold_figures",
    "fold_scores",
    "perturbed_figures",
    "reader_of",
    "reworded",
    "sample_rows",
]

SAMPLE = 500

Say = Callable[[str], None]
Reader = Callable[[Sequence[Example]], Table]


@dataclass(frozen=True)
class Dressed:
    """Dressed texts as a table, and for each the row it came from and its dress."""

    table: Table
    origin: NDArray[np.int64]
    kinds: NDArray[np.str_]


@dataclass(frozen=True)
class FoldScores:
    """Calibrated probabilities from fits that had not seen the group; NaN without a label.

    Raw scores where the contender's are no log odds.
    """

    held: Reals
    """(n,) of the table's rows."""
    after: Reals
    """(m,) of the dressed texts."""


def sample_rows(table: Table, count: int, seed: int) -> NDArray[np.int64]:
    """(count,) rows: half written, half of benchmarks, dealt round the groups in seeded order."""
    written = table.written
    half = _dealt(table, np.flatnonzero(written), count // 2, seed)
    rest = _dealt(table, np.flatnonzero(~written), count - len(half), seed)
    return np.sort(np.array([*half, *rest], dtype=np.int64))


def dress_rows(
    table: Table, rows: Sequence[int] | NDArray[np.int64], read: Reader, seed: int
) -> Dressed:
    """Those rows in every dress that fits; `read` makes the table (`reader_of`)."""
    made: list[Example] = []
    origin: list[int] = []
    kinds: list[str] = []
    for row in rows:
        example = table.examples[row]
        for kind in DRESSES:
            other = reworded(example, kind, seed)
            if other is not None:
                made.append(other)
                origin.append(int(row))
                kinds.append(kind)
    return Dressed(read(made), np.array(origin, dtype=np.int64), np.array(kinds))


def reader_of(inputs: Inputs, say: Say = lambda _: None) -> Reader:
    """Reads examples as the training table was read."""
    return lambda examples: featurise(examples, inputs, say)


def reworded(example: Example, kind: str, seed: int) -> Example | None:
    """The example with its last user turn in that dress; None where the dress does not fit.

    Options are shuffled only where the answer is a choice: numbered rules are no options.
    """
    if kind == "options" and example.form != "choice":
        return None
    text = dress(example.text, kind, seed)
    if text is None:
        return None
    messages = list(example.query.messages)
    users = [i for i, m in enumerate(messages) if m.role == "user"]
    at = users[-1] if users else len(messages) - 1
    messages[at] = Message(role=messages[at].role, content=text)
    return replace(example, query=Query(id=example.query.id, messages=tuple(messages)))


def fold_scores(
    contender: Contender, table: Table, dressed: Dressed, axis: str, seed: int
) -> FoldScores:
    """Scores of all rows, and of the dressed texts, each from the fold that left its group out."""
    has = table.has(axis)
    rows = table.take(has)
    labels = np.array(rows.labels(axis))
    folds = np.full(len(has), -1)
    folds[has] = fold_of_rows(rows.groups, FOLDS, seed)
    held, after = np.full(len(has), np.nan), np.full(len(dressed.origin), np.nan)
    for fold in range(FOLDS):
        own, dressed_own = folds == fold, folds[dressed.origin] == fold
        score = contender.fit(table.take(has & ~own), axis)
        held[own] = score(table.take(own))
        if dressed_own.any():
            after[dressed_own] = score(dressed.table.take(dressed_own))
    if not contender.log_odds:
        return FoldScores(held, after)
    raw = held.copy()
    for fold in range(FOLDS):
        own, rest = folds == fold, (folds != fold)[has]
        scale, shift = platt(raw[has][rest], labels[rest].tolist(), rows.weights[rest])
        dressed_own = folds[dressed.origin] == fold
        held[own] = sigmoid(scale * raw[own] + shift)
        after[dressed_own] = sigmoid(scale * after[dressed_own] + shift)
    return FoldScores(held, after)


def perturbed_figures(
    contender: Contender,
    table: Table,
    dressed: Dressed,
    scores: FoldScores,
    axis: str,
    seed: int,
) -> list[Figure]:
    """Figures of parts `flips/<dress>`, and of `flips/all`; n = dressed texts with a label."""
    before = scores.held[dressed.origin]
    groups = table.groups[dressed.origin]
    labels = np.array([table.examples[i].axis(axis) for i in dressed.origin], dtype=float)
    known = ~np.isnan(labels)
    made: list[Figure] = []
    for kind in ("all", *dict.fromkeys(dressed.kinds.tolist())):
        own = known & ((dressed.kinds == kind) | (kind == "all"))
        statistics = _statistics(before[own], scores.after[own], labels[own], contender.log_odds)
        made += figures(contender.name, f"flips/{kind}", axis, statistics, groups[own], seed)
    return made


def fold_figures(
    contender: Contender, table: Table, scores: FoldScores, axis: str, seed: int
) -> list[Figure]:
    """The written prompts (part `written`), each scored by a fit that saw not its topic."""
    own = table.written & table.has(axis)
    labels = np.array(table.take(own).labels(axis), dtype=float)
    if not len(labels):
        return []
    statistics = dict(binary_statistics(scores.held[own], labels)) if contender.log_odds else {}
    statistics = statistics or {"auroc": auroc_statistic(scores.held[own], labels)}
    return figures(contender.name, "written", axis, statistics, table.groups[own], seed)


def _statistics(before: Reals, after: Reals, labels: Reals, decisions: bool) -> Statistics:
    if not len(labels):
        return {}
    ranked = {
        "auroc": auroc_statistic(after, labels),
        "auroc-before": auroc_statistic(before, labels),
    }
    if not decisions:
        return ranked
    return {
        "flips": ratio((before >= 0.5) != (after >= 0.5)),
        "mean-move": ratio(np.abs(before - after)),
        "accuracy": binary_statistics(after, labels)["accuracy"],
        "accuracy-before": binary_statistics(before, labels)["accuracy"],
        **ranked,
    }


def _dealt(table: Table, rows: NDArray[np.int64], count: int, seed: int) -> list[int]:
    """One row a group and round, until there are enough."""
    rng = random.Random(seed)  # noqa: S311
    hands: dict[str, list[int]] = {}
    groups = table.groups
    for row in rows:
        hands.setdefault(str(groups[row]), []).append(int(row))
    piles = [hands[name] for name in sorted(hands)]
    rng.shuffle(piles)
    for pile in piles:
        rng.shuffle(pile)
    longest = max((len(p) for p in piles), default=0)
    dealt = [p[turn] for turn in range(longest) for p in piles if turn < len(p)]
    return dealt[:count]
