"""Pools made from pools: the questions that several share, variants in turn, a shuffled one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from eval.scaling.pool import Asked, Pool, Sample
from router.errors import InputError

__all__ = ["interleaved", "shared", "shuffled"]


Same = Callable[[str, Sequence[str]], Sequence[int | None]]
"""Numbers for the answers to the question of an id: equal ones are the same answer."""


def interleaved(variants: Sequence[Pool], same: Same | None = None) -> Pool:
    """One spectrum pool: its sample j is of variant j mod V, so K is V times the least k.

    Each set numbers a question's answers by itself. `same` numbers them anew over all variants;
    without it those that share a text are one.

    Raises:
        InputError: the variants share no question.
    """
    variants, note = shared(variants)
    each = min(pool.k for pool in variants)
    questions = [*zip(*(pool.asked for pool in variants), strict=True)]
    return replace(
        variants[0],
        kind="spectrum",
        asked=tuple(_in_turn(asked, each, same) for asked in questions),
        k=each * len(variants),
        turns=len(variants),
        arm="+".join(pool.arm for pool in variants),
        notes=tuple(dict.fromkeys(n for pool in variants for n in (*pool.notes, *note))),
    )


def _in_turn(variants: Sequence[Asked], each: int, same: Same | None) -> Asked:
    """One question, as all variants asked it."""
    held = [one.samples[:each] for one in variants]
    rows = _renumbered(held) if same is None else _numbered(variants[0].id, held, same)
    samples = tuple(row[j] for j in range(each) for row in rows)
    return variants[0]._replace(samples=samples)


def _numbered(id_: str, variants: Sequence[Sequence[Sample]], same: Same) -> list[list[Sample]]:
    """Only those that vote and whose answer was kept can be compared."""
    voters = [
        (i, j)
        for i, samples in enumerate(variants)
        for j, one in enumerate(samples)
        if one.candidate.cluster is not None and one.answer is not None
    ]
    found = dict(
        zip(voters, same(id_, [variants[i][j].answer or "" for i, j in voters]), strict=True)
    )
    return [
        [
            one._replace(candidate=one.candidate._replace(cluster=found.get((i, j))))
            for j, one in enumerate(samples)
        ]
        for i, samples in enumerate(variants)
    ]


def _renumbered(variants: Sequence[Sequence[Sample]]) -> list[list[Sample]]:
    """One numbering of the answers to one question, over several sets."""
    by_text: dict[str, int] = {}
    by_cluster: dict[tuple[int, int], int] = {}

    def number(place: int, cluster: int, text: str | None) -> int:
        known = by_cluster.get((place, cluster), by_text.get(text or ""))
        number = len(by_cluster) if known is None else known
        by_cluster[place, cluster] = number
        if text:
            by_text.setdefault(text, number)
        return number

    return [
        [
            one
            if (own := one.candidate.cluster) is None
            else one._replace(
                candidate=one.candidate._replace(cluster=number(place, own, one.answer))
            )
            for one in samples
        ]
        for place, samples in enumerate(variants)
    ]


def shared(pools: Sequence[Pool]) -> tuple[list[Pool], tuple[str, ...]]:
    """The pools with only the questions that all have, and a note where some left.

    Raises:
        InputError: they share no question.
    """
    ids = [{one.id for one in pool.asked} for pool in pools]
    common = set.intersection(*ids)
    if not common:
        raise InputError(
            f"--pool: the pools of {pools[0].benchmark} share no question: a comparison is paired"
        )
    left = len(set.union(*ids)) - len(common)
    note = (f"{left} questions that not every pool has left out",) if left else ()
    return [
        replace(pool, asked=tuple(one for one in pool.asked if one.id in common)) for pool in pools
    ], note


def shuffled(pool: Pool, seed: int) -> Pool:
    """The reliabilities of each question's voting samples dealt out anew among them.

    The null of claim-level reliability: on hard questions random weights beat a majority that
    is wrong together, so a gain over the majority alone does not show that the checks know
    anything (`eval/scaling/claims_world.py`).
    """
    rng = np.random.default_rng(seed)
    return replace(pool, asked=tuple(_dealt(one, rng) for one in pool.asked))


def _dealt(one: Asked, rng: np.random.Generator) -> Asked:
    voters = [i for i, s in enumerate(one.samples) if s.candidate.cluster is not None]
    samples = list(one.samples)
    for place, source in zip(voters, rng.permutation(voters).tolist(), strict=True):
        own = samples[place]
        given = one.samples[source].candidate.reliability
        samples[place] = own._replace(candidate=own.candidate._replace(reliability=given))
    return one._replace(samples=tuple(samples))
