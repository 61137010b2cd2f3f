"""How often does the search find the passage? Recall and rank on generated questions.

A question is found at rank r where the r-th passage is the first to hold its answer, by
content (`questions.holds`): country, value and fact, whichever passage says them.

    recall@k   share of questions found at rank <= k
    MRR@10     mean of 1 / rank, 0 beyond the tenth

Intervals are bootstraps over whole countries; modes are compared on the same questions. What
this does not do: read an answer out of a passage, or tune anything.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap, paired_difference
from eval.fit.measures import ratio
from eval.knowledge.questions import FactQuestion, holds
from router.knowledge.index import KnowledgeIndex, Mode

__all__ = ["CUTS", "DEPTH", "MODES", "Group", "Retrieval", "measure", "ranks"]

MODES: tuple[Mode, ...] = ("hybrid", "dense", "lexical")
CUTS = (1, 3, 5, 10)
DEPTH = 10
BAR = 5
"""The k of the differences between modes."""

Ranks = NDArray[np.int64]
"""(n,) the rank of the first passage that holds the answer, from 1; 0: none of DEPTH."""


class Group(NamedTuple):
    """One slice of the questions under one mode."""

    name: str
    mode: Mode
    n: int
    recall: dict[int, Interval]
    mrr: Interval
    over: dict[str, Interval]
    """Recall@5 of hybrid less that of each other mode, paired; of hybrid's groups only."""


class Retrieval(NamedTuple):
    """All slices, and the ranks they are made of."""

    groups: tuple[Group, ...]
    ranks: dict[Mode, Ranks]


def measure(
    index: KnowledgeIndex,
    questions: Sequence[FactQuestion],
    modes: Sequence[Mode] = MODES,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Retrieval:
    """Ask every question in every mode; overall, easy, hard, and by field."""
    found = ranks(index, questions, modes, progress)
    hard = np.array([q.hard for q in questions])
    field = np.array([q.field for q in questions])
    slices = {"all": np.ones(len(questions), dtype=bool), "easy": ~hard, "hard": hard}
    slices |= {name: field == name for name in sorted(set(field.tolist()))}
    country = np.array([q.code for q in questions])
    groups = tuple(
        _group(name, mode, {m: r[rows] for m, r in found.items()}, country[rows], seed)
        for name, rows in slices.items()
        if rows.any()
        for mode in modes
    )
    return Retrieval(groups, found)


def ranks(
    index: KnowledgeIndex,
    questions: Sequence[FactQuestion],
    modes: Sequence[Mode] = MODES,
    progress: Callable[[int], None] | None = None,
) -> dict[Mode, Ranks]:
    """Mode to the rank of each question's first passage that holds its answer."""
    found: dict[Mode, list[int]] = {mode: [] for mode in modes}
    for done, question in enumerate(questions, start=1):
        for mode in modes:
            passages = index.search(question.prompt, DEPTH, mode=mode)
            held = (holds(question, p.source, p.title, p.text) for p in passages)
            found[mode].append(next((rank for rank, yes in enumerate(held, start=1) if yes), 0))
        if progress:
            progress(done)
    return {mode: np.array(row, dtype=np.int64) for mode, row in found.items()}


def _group(
    name: str, mode: Mode, found: dict[Mode, Ranks], country: NDArray[np.str_], seed: int
) -> Group:
    mine = found[mode]
    hits = np.stack([_recalled(mine, cut) for cut in CUTS] + [_reciprocal(mine)])
    *recall, mrr = bootstrap(lambda w: hits @ w / w.sum(), country, seed=seed)
    over = {}
    for other in found if mode == "hybrid" else ():
        if other != mode:
            a, b = _recalled(mine, BAR), _recalled(found[other], BAR)
            over[str(other)] = paired_difference(ratio(a), ratio(b), country, seed=seed)
    return Group(name, mode, len(mine), dict(zip(CUTS, recall, strict=True)), mrr, over)


def _recalled(found: Ranks, cut: int) -> NDArray[np.float64]:
    return ((found > 0) & (found <= cut)).astype(np.float64)


def _reciprocal(found: Ranks) -> NDArray[np.float64]:
    return np.where(found > 0, 1 / np.maximum(found, 1), 0.0)
