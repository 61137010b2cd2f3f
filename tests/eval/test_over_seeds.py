"""Many seeds as one number: the mean by hand, pairing, and a spread that seeds add to."""

import numpy as np
import pytest

from eval.over_seeds import over_seeds


class Card:
    """Stands for a scorecard: one metric, the weighted mean of given values."""

    def __init__(self, values):
        self.values = np.asarray(values, dtype=float)

    def compared(self):
        return {"apgr": lambda w: float(w @ self.values / w.sum())}


def made(seeds, resamples=400):
    cards = [{"ours": Card(a), "rival": Card(b)} for a, b in seeds]
    got = over_seeds(cards, ("rival",), np.arange(len(seeds[0][0])), resamples, 0)
    return {(s.policy, s.metric): s.made for s in got}


BASE = np.random.default_rng(0).random(60)


def test_the_mean_over_seeds_by_hand():
    got = made([(BASE, BASE), (BASE + 0.3, BASE)])
    assert got["ours", "apgr"].value == pytest.approx(BASE.mean() + 0.15)
    assert got["ours", "apgr-minus-rival"].value == pytest.approx(0.15)
    assert ("rival", "apgr-minus-rival") not in got


def test_a_difference_is_paired_question_by_question():
    got = made([(BASE + 0.1, BASE), (BASE + 0.1, BASE)])
    one = got["ours", "apgr-minus-rival"]
    assert (one.low, one.high) == pytest.approx((0.1, 0.1))
    assert got["ours", "apgr"].high - got["ours", "apgr"].low > 0.05


def test_seeds_that_disagree_widen_the_interval():
    one = made([(BASE + 0.2, BASE), (BASE, BASE)])["ours", "apgr-minus-rival"]
    assert (one.low, one.high) == pytest.approx((0.0, 0.2))


def test_a_policy_that_a_seed_lacks_is_left_out():
    cards = [{"ours": Card(BASE), "rival": Card(BASE)}, {"rival": Card(BASE)}]
    got = over_seeds(cards, ("rival",), np.arange(60), 10, 0)
    assert {s.policy for s in got} == {"rival"}
