"""How likely another policy would have done what the log shows, and where it would have left it.

A request's log is a sequence: arm a_0, then what came of it, arm a_1, ..., then STOP with the
attempt that was returned. Both policies meet the same facts along it, so

    w = prod_t pi(a_t | x, h_t) / mu(a_t | x, h_t)              whole sequence, STOP included
    w = pi(a_0 | x) / mu(a_0 | x)                               first arm

`sequence` judges the target as it is. `first` judges another question: the target picks the
first arm, and the logging policy goes on from there; take it where the log explored first calls
alone and the target would go on differently. What mu gave no chance and pi would do is
`lacking`, and then nothing follows for the target: no weight can make up for it.

What the log does not hold is taken like this: every arm could be run; a predicted cost is the
arm's mean over the log, as in replay; a STOP whose chance was not logged was certain, as it is for
every policy that explores first calls only. A stop that a limit forced stops the target as well.
A target that stops with another attempt than the caller got is lacking: nobody labelled that one.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eval.offpolicy.attempts import until
from eval.offpolicy.log import Log
from policies.case import STOP, CaseBatch, PolicyError
from policies.policy import Policy, best_attempt

__all__ = ["Match", "Steps", "match", "own"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Steps = Literal["sequence", "first"]
NONE = 1e-12
"""Below this a probability is none at all."""
ROUNDING = 1e-9
"""What is left of 1 after sums of probabilities."""


@dataclass(frozen=True)
class Match:
    """One target policy on a log of n requests."""

    weight: Floats
    """(n,) w."""
    later: Floats
    """(n,) w without the first step."""
    first: Floats
    """(n, A) pi(a | x) of the first arm."""
    lacking: Floats
    """(n,) estimated chance, of this request, that the target does what mu never would."""
    where: dict[str, float]
    """Arm (or `stop`) -> share of requests at which it is lacking."""


def match(policy: Policy, log: Log, steps: Steps = "sequence") -> Match:
    """Ask the target along every logged sequence.

    Raises:
        PolicyError: the log lacks what the policy needs, or the policy answered nonsense.
    """
    lacks = _lacks(policy, log)
    if lacks:
        raise PolicyError(f"{policy.name} cannot be judged on this log: {lacks}")
    n, most = log.tried.shape
    costs = _mean_cost(log)
    weight, later, lacking = np.ones(n), np.ones(n), np.zeros(n)
    first = np.zeros((n, len(log.arms)))
    where: dict[str, float] = {}
    length = (log.tried >= 0).sum(axis=1)
    for step in range(most + 1 if steps == "sequence" else 1):
        rows = np.flatnonzero((length >= step) & (weight > 0))
        if not len(rows):
            break
        ours, theirs, same = _chances(policy, log, rows, step, costs)
        if step == 0:
            first[rows] = ours[:, :-1]
        alone = np.where(theirs <= NONE, ours, 0.0)
        ended = length[rows] == step
        # The caller got another attempt: as often as mu stopped here, pi would have shown ours.
        alone[:, -1] += ended * (1 - same) * ours[:, -1] / np.maximum(theirs[:, -1], NONE)
        reached = weight[rows]
        lacking[rows] += reached * alone.sum(axis=1)
        for column in np.flatnonzero(alone.any(axis=0)):
            name = "stop" if column == len(log.arms) else log.arms[column].name
            where[name] = where.get(name, 0.0) + float(reached @ alone[:, column]) / n
        at = np.arange(len(rows))
        done = np.where(length[rows] > step, log.tried[rows, min(step, most - 1)], len(log.arms))
        ratio = ours[at, done] * np.where(done == len(log.arms), same, 1.0)
        ratio = ratio / np.maximum(theirs[at, done], NONE)
        weight[rows] *= ratio
        if step:
            later[rows] *= ratio
    return Match(weight, later, first, lacking, where)


def own(log: Log) -> Match:
    """The log on itself: nothing is weighed, nothing is lacking."""
    ones = np.ones(len(log))
    return Match(ones, ones, log.decided.chance[:, 0, :], np.zeros(len(log)), {})


def _chances(
    policy: Policy, log: Log, rows: Ints, step: int, costs: Floats
) -> tuple[Floats, Floats, Floats]:
    """(m, A + 1) chances of ours and theirs, STOP last; (m,) 1 where a stop of ours would
    return the attempt that theirs did."""
    case = _case(log, rows, step, costs)
    choice = policy.choose(case)
    choice.check(case)
    own = choice.probability
    ours = np.column_stack([own, np.clip(1.0 - own.sum(axis=1), 0.0, 1.0)])
    ours[ours < ROUNDING] = 0.0
    forced = log.decided.forced[rows] & ((log.tried >= 0).sum(axis=1)[rows] == step)
    ours[forced] = np.eye(len(log.arms) + 1)[-1]
    stops = (choice.arm == STOP) & ~forced
    back = np.where(stops, choice.attempt, best_attempt(case))
    same = (back == log.returned[rows]).astype(np.float64)
    return ours, _logged(log, rows, step), same


def _logged(log: Log, rows: Ints, step: int) -> Floats:
    decided = log.decided
    made = (log.tried >= 0).sum(axis=1)[rows] > step
    told = np.where(np.isnan(decided.stop[rows]), 1.0, decided.stop[rows])
    arms = decided.chance[rows, min(step, decided.chance.shape[1] - 1)]
    stop = np.where(made, np.clip(1.0 - arms.sum(axis=1), 0.0, 1.0), told)
    stop[stop < ROUNDING] = 0.0
    return np.column_stack([arms, stop])


def _case(log: Log, rows: Ints, step: int, costs: Floats) -> CaseBatch:
    m, a = len(rows), len(log.arms)
    features = log.features
    decided = log.decided
    told, most = decided.predicted[rows, step], decided.worst[rows, step]
    expected = np.where(np.isnan(told), costs, told)
    return CaseBatch(
        arms=log.arms,
        features={k: v[rows] for k, v in features.blocks.items()} if features else {},
        fingerprint=features.fingerprint if features else "none",
        predicted_cost=expected,
        worst_cost=np.where(np.isnan(most), expected, most),
        predicted_seconds=np.full((m, a), np.nan),
        available=decided.available[rows, step],
        capable=np.ones((m, a), dtype=bool),
        request_left=np.full(m, np.inf),
        tenant_left=np.full(m, np.inf),
        row_key=log.row_key[rows],
        attempts=until(log.attempts, rows, step),
    )


def _mean_cost(log: Log) -> Floats:
    """(A,) USD; of an arm that was never run, the dearest mean."""
    cost, arm = log.attempts.cost_usd, log.tried
    means = np.array(
        [cost[arm == a].mean() if (arm == a).any() else np.nan for a in range(len(log.arms))]
    )
    return np.where(np.isnan(means), np.nanmax(means) if np.isfinite(means).any() else 0.0, means)


def _lacks(policy: Policy, log: Log) -> str | None:
    features = log.features
    missing = sorted(policy.needs.features - set(features.blocks if features else ()))
    if missing:
        return f"it has no feature block {', '.join(missing)}"
    if policy.needs.features and features is not None and not features.known.all():
        return f"{int((~features.known).sum()):,} of {len(log):,} requests have no features"
    return None
