from dataclasses import replace

import numpy as np
import pytest

from eval.hypothesis.registration import read_registration
from eval.hypothesis.routing_value import PairData, judge_routing, route

P4 = read_registration().prediction("P4_routing_value")


def pair(effect: float, n: int = 3000, small: str = "opt-1b", others: bool = True) -> PairData:
    """Queries on which small matches large more often (effect > 0) where they are verifiable."""
    rng = np.random.default_rng(7)
    label = rng.integers(0, 2, n).astype(float)
    hard = rng.normal(size=n)
    match = rng.random(n) < 1 / (1 + np.exp(-(effect * (label - 0.5) - hard)))
    return PairData(
        small, "large", np.arange(n), tuple(f"q{k}" for k in range(n)),
        tuple(f"question number {k} of {'sums' if h > 0 else 'rows'}" for k, h in enumerate(hard)),
        match.astype(float),
        1 / (1 + np.exp(hard)) if others else np.full(n, np.nan),
        match.astype(float), rng.normal(4, 1, n), label,
    )  # fmt: skip


@pytest.mark.parametrize(("effect", "word"), [(1.5, "supported"), (0.0, "refuted")])
def test_the_gain_decides(effect, word):
    found = judge_routing(P4, [route(pair(effect), 200, 1)], 1)
    assert found[0] == word, found


def test_a_gain_in_the_wrong_direction_refutes():
    word, reason, gain, sign = judge_routing(P4, [route(pair(-1.5), 200, 1)], 1)
    assert gain.low > 0
    assert sign.high < 0
    assert word == "refuted"
    assert "direction" in reason


def test_a_negative_coefficient_without_a_gain_is_no_refutation():
    one = route(pair(-1.5), 200, 1)
    either = one.draws + np.linspace(-0.3, 0.3, len(one.draws))[:, None] * [1.0, 0.0]
    word, reason, gain, sign = judge_routing(P4, [replace(one, draws=either)], 1)
    assert gain.low < 0 < gain.high
    assert sign.high < 0
    assert word == "undecided", reason


def test_too_few_on_one_side_is_undecided():
    word, reason, *_ = judge_routing(P4, [route(pair(1.5, n=300), 60, 1)], 1)
    assert word == "undecided"
    assert "200 needed" in reason


def test_no_pair_and_constant_outcomes_are_undecided():
    word, reason, *_ = judge_routing(P4, [], 1, "no texts")
    assert word == "undecided"
    assert reason == "guard failed: no pair of models can be scored: no texts"
    same = pair(1.0, n=500)
    same.matches[:] = 1.0
    assert route(same, 20, 1) == "small matches large on every query, or on none"


def test_with_two_models_a_text_model_stands_in_for_difficulty():
    found = route(pair(0.0, others=False), 60, 1)
    assert found.base > 0.5  # the text tells which questions are hard


def test_families_of_pairs_are_drawn_too():
    same = [route(pair(0.3, small="opt-1b"), 300, 1)] * 2
    apart = [route(pair(0.3, small="opt-1b"), 300, 1), route(pair(-0.6, small="yi-6b"), 300, 1)]
    one, two = (judge_routing(P4, rows, 1)[2] for rows in (same, apart))
    assert two.high - two.low > one.high - one.low
