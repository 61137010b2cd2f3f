"""Majority and claim-level reliability over a grid of simulated worlds: exact, and sampled.

Four checkers by three distractors. `silent` validates everything, so CLR is the majority;
`coin` validates true and false claims alike, so its reliabilities are noise; `inverted`
prefers false claims.
"""

from typing import Literal, NamedTuple

from eval.scaling.claims_world import Simulated, World, limit, p_right, scattered, simulate

__all__ = ["CHECKERS", "DISTRACTORS", "Row", "bench_claims", "grid"]

CHECKERS = {"good": (0.95, 0.3), "silent": (1.0, 1.0), "coin": (0.7, 0.7), "inverted": (0.6, 0.9)}
"""Name -> P(validated | true claim), P(validated | false claim)."""

DISTRACTORS = {"weaker": (0.45, 0.30), "stronger": (0.30, 0.50), "overwhelming": (0.08, 0.80)}
"""Name -> P(the right answer), P(the strongest wrong one) of a sample."""

OTHERS = 4
"""Scattered wrong answers that share the rest."""

EQUAL = 1e-12
"""Differences of exact probabilities below it are rounding."""


class Row(NamedTuple):
    """One world: P(right) of both votes by theory, their limits, and what was simulated."""

    checker: str
    distractor: str
    majority: float
    clr: float
    majority_limit: Literal["right", "wrong", "tie"]
    clr_limit: Literal["right", "wrong", "tie"]
    simulated: Simulated

    @property
    def winner(self) -> Literal["clr", "majority", "equal"]:
        """By the exact probabilities at this K."""
        if abs(self.clr - self.majority) < EQUAL:
            return "equal"
        return "clr" if self.clr > self.majority else "majority"


def grid() -> dict[tuple[str, str], World]:
    """(checker, distractor) -> world, with M = 5 and two false claims in a wrong trajectory."""
    return {
        (checker, distractor): World(
            right=p, wrong=scattered(p, q, OTHERS), keeps_true=true, keeps_false=false
        )
        for checker, (true, false) in CHECKERS.items()
        for distractor, (p, q) in DISTRACTORS.items()
    }


def bench_claims(k: int, questions: int, seed: int) -> list[Row]:
    """The grid at `k` samples a question; each cell's samples have a seed of their own."""
    return [
        Row(
            *name,
            p_right(world, k, "majority"),
            p_right(world, k, "clr"),
            limit(world, "majority"),
            limit(world, "clr"),
            simulate(world, k, questions, (seed, cell)),
        )
        for cell, (name, world) in enumerate(grid().items())
    ]
