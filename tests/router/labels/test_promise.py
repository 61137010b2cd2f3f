"""The monitored bound: looked at after every label, weighted, and not fooled by the choice."""

import math

import numpy as np
import pytest

from router.labels.promise import error_free, least_audits, promise_of

ALPHA = DELTA = 0.05


def judged(wrong, p=None, floor=None, alpha=ALPHA, delta=DELTA, limits=False):
    wrong = np.asarray(wrong, dtype=float)
    p = np.ones(len(wrong)) if p is None else np.broadcast_to(p, wrong.shape)
    floor = p.min(initial=1.0) if floor is None else floor
    return promise_of(wrong, p, np.full(len(wrong), floor), alpha, delta, limits)


def test_59_error_free_audits_are_the_least_and_looking_always_takes_a_few_more():
    assert least_audits(0.05, 0.05) == 59
    assert least_audits(0.1, 0.05) == math.ceil(math.log(0.05) / math.log(0.9))
    n = error_free(0.05, 0.05)
    assert 59 < n <= 73
    assert judged(np.zeros(n)).holds and not judged(np.zeros(n - 1)).holds


def test_without_labels_nothing_is_known():
    none = judged([], limits=True)
    assert (none.labels, none.risk, none.lower, none.upper) == (0, None, 0.0, 1.0)
    assert not none.holds and not none.broken


@pytest.mark.parametrize("risk", [0.05, 0.02])
def test_a_promise_that_is_kept_is_called_broken_at_most_as_often_as_stated(risk):
    rng = np.random.default_rng(1)
    rang = sum(judged(rng.random(600) < risk).broken for _ in range(300))
    assert rang / 300 <= DELTA + 0.03


def test_a_promise_that_is_just_broken_is_said_to_hold_at_most_as_often_as_stated():
    rng = np.random.default_rng(2)
    said = sum(judged(rng.random(600) < 0.05).holds for _ in range(300))
    assert said / 300 <= DELTA + 0.03


def test_what_is_broken_is_found_and_what_holds_is_seen_to_hold():
    rng = np.random.default_rng(3)
    bad = [judged(rng.random(300) < 0.2, limits=True) for _ in range(50)]
    assert np.mean([b.broken for b in bad]) > 0.95
    assert all(b.lower > ALPHA for b in bad if b.broken)
    good = [judged(rng.random(500) < 0.01, limits=True) for _ in range(50)]
    assert np.mean([g.holds for g in good]) > 0.9
    assert all(g.upper <= ALPHA + 1e-4 for g in good if g.holds)


def drawn(rng, n, weigh=True):
    """Unsure answers are wrong more often, and drawn six times as often. Risk .05 in all."""
    unsure = rng.random(n) < 0.25
    wrong = rng.random(n) < np.where(unsure, 0.17, 0.01)
    p = np.where(unsure, 0.6, 0.1)
    seen = rng.random(n) < p
    own = p[seen] if weigh else np.ones(seen.sum())
    return wrong[seen].astype(float), own


def test_weights_undo_the_choice_of_the_unsure():
    rng = np.random.default_rng(4)
    weighed, blind = [], []
    for _ in range(60):
        wrong, p = drawn(rng, 3000)
        weighed.append(judged(wrong, p, 0.1, limits=True))
        blind.append(judged(wrong))
    assert np.mean([w.risk for w in weighed]) == pytest.approx(0.05, abs=0.005)
    assert np.mean([w.broken for w in weighed]) <= DELTA + 0.03
    assert np.mean([b.broken for b in blind]) > 0.9
    assert all(w.effective < w.labels for w in weighed)
    assert np.mean([w.lower <= 0.05 <= w.upper for w in weighed]) >= 0.9


def test_what_could_not_be_told_proves_nothing_either_way():
    lost = judged([math.nan] * 500)
    assert (lost.labels, lost.undecided) == (0, 500)
    assert not lost.holds and not lost.broken
    mixed = judged([0.0] * 100 + [math.nan] * 30)
    assert not mixed.broken
    assert judged([math.nan] * 30 + [1.0] * 30).broken


def test_numbers_out_of_range_are_errors():
    for bad in (([2.0], 1.0, 1.0), ([0.0], 0.2, 0.5), ([0.0], 0.0, 0.0)):
        with pytest.raises(ValueError):
            judged(bad[0], bad[1], bad[2])
