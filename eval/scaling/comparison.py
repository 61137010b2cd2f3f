"""One benchmark's comparison: its pools in, every method's points and what can be won out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.compare import Interval, bootstrap
from eval.scaling.equal_tokens import Point, compared, intervals
from eval.scaling.joining import shared, shuffled
from eval.scaling.lineup import BASELINE, LINEUP, SHUFFLED, why_not
from eval.scaling.pool import Floats, Kind, Pool
from eval.scaling.replay import Axis, Curve, Walks, curve_of, differences, oracle, orders, walk
from router.errors import InputError

__all__ = ["Comparison", "Plan", "Saved", "compare"]


@dataclass(frozen=True)
class Plan:
    """How a comparison is made."""

    methods: tuple[str, ...]
    orders: int = 50
    """At least so many random orders of a question's samples."""
    seed: int = 0
    """Of orders and resamples."""
    resamples: int = 1000
    axis: Axis = "tokens"


@dataclass(frozen=True)
class Saved:
    """What early stop saves, and whether it ever changed an answer."""

    share: Interval
    """Of majority's tokens at K, 0..1."""
    differences: int
    """Walks whose answer is not the majority's."""
    walks: int
    """Questions x orders x k."""


@dataclass(frozen=True)
class Comparison:
    """All that is said about one benchmark; accuracies in 0..1."""

    benchmark: str
    model: str
    questions: int
    k: int
    orders: int
    axis: Axis
    checksums: Mapping[Kind, str]
    methods: Mapping[str, tuple[Point, ...]]
    """Name -> k = 1 .. K; `majority` is always among them."""
    oracle: tuple[Interval, ...]
    """Of the plain pool, k = 1 .. K."""
    oracles: Mapping[Kind, Interval]
    """Of every pool, at its own K."""
    gap: Interval
    """oracle minus majority, at K."""
    saved: Saved | None
    notes: tuple[str, ...]

    @property
    def single(self) -> Interval:
        """Accuracy of one sample."""
        return self.methods[BASELINE][0].accuracy

    @property
    def majority(self) -> Point:
        """At K."""
        return self.methods[BASELINE][-1]


def compare(pools: Mapping[Kind, Pool], plan: Plan) -> Comparison:
    """Replay every method of the plan whose pool is there.

    Raises:
        InputError: no plain pool, pools of different models or without a common question,
            or no recorded costs where USD are the axis.
    """
    pools, notes = _checked(pools, plan.axis)
    plain = pools["plain"]
    order = {kind: orders(pool, plan.orders, plan.seed) for kind, pool in pools.items()}
    walks: dict[str, Walks] = {}
    curves: dict[str, Curve] = {}
    for name in plan.methods:
        kind = LINEUP[name].kind
        if kind not in pools:
            notes.append(f"{name}: no {kind} pool of {plain.benchmark}")
        elif reason := why_not(name, pools[kind]):
            notes.append(reason)
        else:
            own = shuffled(pools[kind], plan.seed) if name == SHUFFLED else pools[kind]
            walks[name] = walk(own, LINEUP[name].method, order[kind])
            curves[name] = curve_of(name, pools[kind], order[kind], walks[name])
    base, clusters = curves[BASELINE], plain.clusters
    best = oracle(plain.score)
    found = intervals(
        _columns(best, base, pools), clusters, plan.resamples, plan.seed
    )  # fmt: skip
    return Comparison(
        benchmark=plain.benchmark,
        model=plain.model,
        questions=len(plain.asked),
        k=plain.k,
        orders=order["plain"].shape[1],
        axis=plan.axis,
        checksums={kind: pool.checksum for kind, pool in pools.items()},
        methods={
            name: compared(curve, base, clusters, plan.axis, plan.resamples, plan.seed)
            for name, curve in curves.items()
        },
        oracle=found[1 : plain.k + 1],
        oracles=dict(zip(pools, found[plain.k + 1 :], strict=True)),
        gap=found[0],
        saved=_saved(curves, walks, clusters, plan),
        notes=tuple(notes),
    )


def _columns(best: Floats, base: Curve, pools: Mapping[Kind, Pool]) -> Floats:
    """(questions, m): the gap at K, the oracle at every k, the best of each whole pool."""
    gap = best[:, -1] - base.score[:, -1]
    return np.column_stack([gap, best, *(pool.score.max(axis=1) for pool in pools.values())])


def _checked(pools: Mapping[Kind, Pool], axis: Axis) -> tuple[dict[Kind, Pool], list[str]]:
    """The pools with the questions that all have, and what there is to note."""
    first = next(iter(pools.values()))
    if "plain" not in pools:
        raise InputError(
            f"--pool: {first.benchmark} has no plain pool, and no method is reported without "
            "majority vote beside it: add --pool plain=FOLDER"
        )
    models = sorted({pool.model for pool in pools.values()})
    if len(models) > 1:
        raise InputError(
            f"--pool: the pools of {first.benchmark} are of {' and '.join(models)}: "
            "compare methods of one model"
        )
    kept, left = shared(list(pools.values()))
    notes = [note for pool in kept for note in pool.notes] + list(left)
    for pool in kept:
        if axis == "usd" and pool.usd is None:
            raise InputError(
                f"--axis usd: the {pool.kind} pool has rows without a cost: use tokens"
            )
    return dict(zip(pools, kept, strict=True)), notes


def _saved(
    curves: Mapping[str, Curve], walks: Mapping[str, Walks], clusters: Sequence[str], plan: Plan
) -> Saved | None:
    if "early-stop" not in curves:
        return None
    less, full = (curves[name].tokens[:, -1] for name in ("early-stop", BASELINE))
    share = bootstrap(
        lambda w: 1 - float(w @ less) / float(w @ full), clusters, plan.resamples, plan.seed
    )
    different = differences(walks["early-stop"], walks[BASELINE])
    return Saved(share, different, walks[BASELINE].answer.size)
