"""Hand-made cases: four arms, any axes, any history."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from policies import NEEDS, Arm, AttemptBlock, CaseBatch, Outcome

ARMS = (
    Arm("small", "small"),
    Arm("small+index", "small", "index"),
    Arm("large", "large"),
    Arm("large+index", "large", "index"),
)
History = Sequence[tuple[str, Outcome, float]]
MakeCase = Callable[..., CaseBatch]


def case(
    axes: Sequence[tuple[float, float]] = ((0.9, 0.1),),
    history: Sequence[History] | None = None,
    unavailable: Sequence[str] = (),
    not_capable: Sequence[str] = (),
    arms: Sequence[Arm] = ARMS,
    needs: Sequence[Sequence[float]] | None = None,
) -> CaseBatch:
    """One row a pair of axes; `history` holds (arm, outcome, passed) of each row."""
    n, a = len(axes), len(arms)
    names = [arm.name for arm in arms]
    rows = history or [()] * n
    width = max(len(row) for row in rows)
    block = AttemptBlock(
        arm=np.full((n, width), -1),
        outcome=np.zeros((n, width), dtype=np.int64),
        passed=np.full((n, width), np.nan),
        confidence=np.full((n, width), np.nan),
        cost_usd=np.zeros((n, width)),
        completion_tokens=np.zeros((n, width), dtype=np.int64),
        agreement=np.full((n, width), np.nan),
        logprob=np.full((n, width), np.nan),
        logprob_answer=np.full((n, width), np.nan),
        certainty=np.full((n, width), np.nan),
    )
    for i, row in enumerate(rows):
        for j, (name, outcome, passed) in enumerate(row):
            block.arm[i, j] = names.index(name)
            block.outcome[i, j] = outcome
            block.passed[i, j] = passed
    available = np.array([[name not in unavailable for name in names]] * n)
    return CaseBatch(
        arms=tuple(arms),
        features={
            "axes": np.asarray(axes, dtype=np.float64),
            "needs": np.zeros((n, len(NEEDS))) if needs is None else np.asarray(needs, np.float64),
        },
        fingerprint="test",
        predicted_cost=np.ones((n, a)),
        worst_cost=np.ones((n, a)),
        predicted_seconds=np.full((n, a), np.nan),
        available=available,
        capable=np.array([[name not in not_capable for name in names]] * n),
        request_left=np.full(n, 1.0),
        tenant_left=np.full(n, np.inf),
        row_key=np.arange(n, dtype=np.uint64),
        attempts=block,
    )


@pytest.fixture
def make_case() -> MakeCase:
    """The `case` builder."""
    return case
