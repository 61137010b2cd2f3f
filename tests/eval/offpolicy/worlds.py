"""Simulated traffic whose truth is known: every arm's outcome on every request is drawn first,
then one policy serves, and only what it did is shown."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.features import Features
from eval.offpolicy.decisions import Decided
from eval.offpolicy.log import Log
from eval.table import SIGNS
from policies import STOP, AttemptBlock, Outcome, Policy
from policies.case import Arm, CaseBatch
from policies.random import uniform

ARMS = (Arm("small", "small"), Arm("large", "large"))
USD = np.array([0.001, 0.01])


class World(NamedTuple):
    """n requests."""

    features: Features
    key: NDArray[np.uint64]
    right: NDArray[np.float64]
    """(n, 2) chance that an arm is right."""
    cost: NDArray[np.float64]
    """(n, 2) USD."""


def world(n: int, seed: int) -> World:
    """Small is right on easy requests alone, in a way that no line fits."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 2))
    small = 0.95 * (np.sin(6 * x[:, 0]) ** 2) * (x[:, 1] < 0.7)
    right = np.column_stack([small, 0.6 + 0.35 * x[:, 1]])
    cost = USD * (0.5 + x[:, [0]])
    features = Features({"axes": x.astype(np.float32)}, np.ones(n, dtype=bool), "sim")
    return World(features, rng.integers(0, 2**63, n).astype(np.uint64), right, cost)


def case_of(made: World) -> CaseBatch:
    """What a policy is asked first."""
    n = len(made.key)
    return CaseBatch(
        arms=ARMS, features=dict(made.features.blocks), fingerprint="sim",
        predicted_cost=np.tile(USD, (n, 1)), worst_cost=np.tile(USD, (n, 1)),
        predicted_seconds=np.full((n, 2), np.nan), available=np.ones((n, 2), bool),
        capable=np.ones((n, 2), bool), request_left=np.full(n, np.inf),
        tenant_left=np.full(n, np.inf), row_key=made.key.copy(), attempts=AttemptBlock.empty(n),
    )  # fmt: skip


def served(made: World, policy: Policy, seed: int, audits: float = 1.0) -> Log:
    """One call a request; small answers are labelled with a chance that rises where they are
    unlikely to be right, from `audits` up; large ones always."""
    rng = np.random.default_rng([seed, 1])
    n = len(made.key)
    chance = policy.choose(case_of(made)).probability
    # The hash stands for the draw: any uniform that does not know the outcome will do.
    arm = (uniform(made.key, 12345 + seed) >= chance[:, 0]).astype(np.int64)
    rows = np.arange(n)
    right = (rng.random(n) < made.right[rows, arm]).astype(np.float64)
    asked = np.where(arm == 0, audits + (1 - audits) * (1 - made.right[:, 0]) ** 2, 1.0)
    drawn = rng.random(n) < asked
    return log_by_hand(
        made, arm, chance, made.cost[rows, arm],
        np.where(drawn, right, np.nan), np.where(drawn, asked, 0.0),
    )  # fmt: skip


def log_by_hand(
    made: World,
    arm: NDArray[np.int64],
    chance: NDArray[np.float64],
    cost: NDArray[np.float64],
    score: NDArray[np.float64],
    probability: NDArray[np.float64],
    **more: Any,
) -> Log:
    """A log of single calls, each answered and unchecked."""
    n = len(arm)
    column = arm[:, None]
    nan = np.full((n, 1), np.nan)
    attempts = AttemptBlock(
        arm=column, outcome=np.where(column == STOP, 0, int(Outcome.ANSWERED)), passed=nan,
        confidence=nan, cost_usd=cost[:, None], completion_tokens=np.full((n, 1), 10),
        **dict.fromkeys(SIGNS, nan),
    )  # fmt: skip
    decided = Decided._empty(n, 1, 2)
    decided.chance[:, 0] = chance
    facts: dict[str, Any] = {
        "name": "simulated", "policies": ("logged",), "arms": ARMS,
        "cluster": np.arange(n), "row_key": made.key, "features": made.features,
        "tried": column, "decided": decided, "returned": np.zeros(n, dtype=np.int64),
        "attempts": attempts, "cost": cost, "score": score, "label_probability": probability,
        "undecided": np.zeros(n, bool), "feedback": 0, "unusable": 0,
    }  # fmt: skip
    return Log(**{**facts, **more})


def truth(made: World, policy: Policy) -> tuple[float, float]:
    """Accuracy and USD per 1,000 that the policy has on these very requests, in expectation."""
    chance = policy.choose(case_of(made)).probability
    return float((chance * made.right).sum(1).mean()), 1000 * float(
        (chance * made.cost).sum(1).mean()
    )
