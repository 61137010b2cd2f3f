"""The bench of checks: it measures what it names."""

import asyncio

import pytest

from eval.bench.verify import bench_gold, bench_sandbox, gold_pairs
from router.errors import SetupError
from router.verify.sandbox import Sandbox

STATE = asyncio.run(Sandbox().available())


@pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")
def test_the_sandbox_beside_a_bare_python() -> None:
    rows = bench_sandbox(1)
    assert [row.name for row in rows] == ["python", "sandbox", "judge"]
    assert all(0 < row.low_ms <= row.median_ms <= row.high_ms for row in rows)


def test_all_golds_are_equal_to_themselves() -> None:
    pairs = [("48", "\\boxed{48}"), ("1/2", "\\boxed{0.5}"), ("1", "\\boxed{2}")]
    assert [(r.name, r.equal, r.of) for r in bench_gold(pairs, 1)] == [
        ("gsm8k", 2, 3),
        ("math-verify, gsm8k", 2, 3),
    ]


def test_the_pairs_are_gsm8k() -> None:
    try:
        pairs = gold_pairs(5)
    except SetupError as error:
        pytest.skip(str(error))
    assert len(pairs) == 5
    assert all(answer == f"\\boxed{{{gold}}}" for gold, answer in pairs)
