"""Graduate science under the `verifiability` policy, through the shipped featuriser.

The hundred questions are written for this project, held out from every fit
(eval/fit/heldout/science.yaml), and come from no benchmark.
"""

import numpy as np
import pytest

from eval.fit.prompts import HELDOUT, Prompt, read_prompts
from policies import STOP, Arm, AttemptBlock, CaseBatch, Outcome, Verifiability
from router.signals import Featuriser

ARMS = (
    Arm("small", "small"),
    Arm("small+index", "small", "index"),
    Arm("large", "large"),
    Arm("large+index", "large", "index"),
)


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    return [p for p in read_prompts(HELDOUT) if p.file == "science"]


def cases(axes: np.ndarray, needs: np.ndarray, tried: list[list[int]]) -> CaseBatch:
    """All four arms can be run; those tried answered, and nothing could check them."""
    n, a = len(axes), len(ARMS)
    shape = (n, max(map(len, tried)))
    arm, outcome = np.full(shape, -1), np.zeros(shape, dtype=np.int64)
    for row, columns in enumerate(tried):
        arm[row, : len(columns)] = columns
        outcome[row, : len(columns)] = Outcome.ANSWERED
    nan = np.full(shape, np.nan)
    return CaseBatch(
        arms=ARMS,
        features={"axes": axes, "needs": needs},
        fingerprint="shipped",
        predicted_cost=np.ones((n, a)),
        worst_cost=np.ones((n, a)),
        predicted_seconds=np.full((n, a), np.nan),
        available=np.ones((n, a), dtype=bool),
        capable=np.ones((n, a), dtype=bool),
        request_left=np.full(n, np.inf),
        tenant_left=np.full(n, np.inf),
        row_key=np.arange(n, dtype=np.uint64),
        attempts=AttemptBlock(
            arm=arm,
            outcome=outcome,
            passed=nan,
            confidence=nan,
            cost_usd=np.zeros(shape),
            completion_tokens=np.zeros(shape, dtype=np.int64),
            agreement=np.full(shape, np.nan),
            logprob=np.full(shape, np.nan),
            logprob_answer=np.full(shape, np.nan),
            certainty=np.full(shape, np.nan),
        ),
    )


def test_a_hundred_science_questions_stay_off_the_small_arm(prompts: list[Prompt]) -> None:
    assert len(prompts) == 100
    blocks = Featuriser().blocks([p.query for p in prompts])
    axes, needs = (blocks[name].astype(np.float64) for name in ("axes", "needs"))
    tried: list[list[int]] = [[] for _ in prompts]
    policy, open_rows = Verifiability(), np.ones(len(prompts), dtype=bool)
    for _ in range(len(ARMS) + 1):
        chosen = policy.choose(cases(axes, needs, tried)).arm
        open_rows &= chosen != STOP
        for row in np.nonzero(open_rows)[0]:
            tried[row].append(int(chosen[row]))
    assert not open_rows.any(), "the policy ends"
    small = [p.query.text[:60] for p, arms in zip(prompts, tried, strict=True) if 0 in arms]
    assert len(small) <= 5, small
