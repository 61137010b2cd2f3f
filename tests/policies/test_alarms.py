"""Alarms: silent while all is well (at the stated rate), raised when it is not."""

import json
import math

import numpy as np
import pytest
from pydantic import ValidationError

from policies import PolicyError
from policies.alarms import RegretAlarm, ScoreAlarm, ShareAlarm


def test_the_evidence_by_hand():
    alarm = ShareAlarm(share=0.4, shift=0.2).update([True, False])
    expected = [(1 + q / 0.4) * (1 - q) / 0.6 for q in (0.2, 0.6, 0.01, 0.99)]
    assert alarm.alternatives == pytest.approx((0.2, 0.6, 0.01, 0.99))
    assert alarm.evidence == pytest.approx(expected)
    assert alarm.seen == 2


def test_batches_are_their_rows():
    strong = (np.random.default_rng(0).random(50) < 0.5).tolist()
    one = ShareAlarm(share=0.3)
    for s in strong:
        one = one.update([s])
    assert one == ShareAlarm(share=0.3).update(strong)


def test_a_false_share_alarm_is_as_rare_as_stated():
    """Mean time to a false alarm at least N: so within N / 5 in at most 1 of 5 streams
    (the mean of R_t is at most t, and Markov); 400 streams, three standard errors."""
    rng = np.random.default_rng(1)
    raised = sum(
        ShareAlarm(share=0.3, every=1000).update((rng.random(200) < 0.3).tolist()).raised
        for _ in range(400)
    )
    assert raised / 400 <= 0.2 + 3 * math.sqrt(0.2 * 0.8 / 400)


def test_the_mean_time_to_a_false_share_alarm():
    rng = np.random.default_rng(2)
    times = []
    for _ in range(60):
        alarm = ShareAlarm(share=0.3, every=200)
        while not alarm.raised and alarm.seen < 4000:
            alarm = alarm.update((rng.random(100) < 0.3).tolist())
        times.append(alarm.raised_at or alarm.seen)
    assert np.mean(times) >= 200


@pytest.mark.parametrize(("after", "within"), [(1.0, 25), (0.0, 60), (0.45, 600), (0.15, 600)])
def test_collapse_and_drift_are_seen_whenever_they_come(after, within):
    rng = np.random.default_rng(3)
    late = 0
    for _ in range(20):
        strong = np.r_[rng.random(1500) < 0.3, rng.random(within) < after]
        alarm = ShareAlarm(share=0.3, shift=0.15, every=100_000).update(strong.tolist())
        late += alarm.raised_at is None or alarm.raised_at <= 1500
    assert late <= 1


def test_a_raised_alarm_stays_and_keeps_its_moment():
    alarm = ShareAlarm(share=0.3).update([True] * 200)
    again = alarm.update([False] * 500)
    assert alarm.raised and again.raised_at == alarm.raised_at < 50
    endless = alarm.update([True] * 3000)
    assert np.isfinite(endless.evidence).all()


def test_regret_to_the_best_single():
    rng = np.random.default_rng(4)

    def labels(p, n=2000):
        return (rng.random(n) < p).astype(float)

    false = sum(
        RegretAlarm(every=20_000).update(labels(0.8), labels(0.8)).raised for _ in range(100)
    )
    assert false / 100 <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 100)
    assert not RegretAlarm().update(labels(0.7), labels(0.9)).raised
    assert RegretAlarm().update(labels(0.8), labels(0.6)).raised
    assert not RegretAlarm(allowed=0.3).update(labels(0.8), labels(0.6)).raised


def test_scores_that_drift():
    rng = np.random.default_rng(5)
    reference = tuple(np.sort(rng.normal(size=2000)).tolist())
    false = 0
    for _ in range(100):
        fresh = tuple(np.sort(rng.normal(size=500)).tolist())
        alarm = ScoreAlarm(reference=fresh, window=100, alpha=0.05)
        false += alarm.update(rng.normal(size=1000).tolist()).raised
    assert false / 100 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)
    alarm = ScoreAlarm(reference=reference).update(rng.normal(size=1500).tolist())
    assert (alarm.raised, alarm.windows, alarm.pending) == (False, 3, ())
    moved = alarm.update(rng.normal(0.6, 1, 700).tolist())
    assert moved.raised_at == 2000
    assert len(moved.pending) == 200


def test_the_distance_and_its_limit_by_hand():
    alarm = ScoreAlarm(reference=(0.0, 1.0, 2.0, 3.0), window=2, alpha=0.05).update([10.0, 1.5])
    assert alarm.distance == 0.5
    spent = 6 * 0.05 / math.pi**2
    limit = math.sqrt(math.log(80) / 8) + math.sqrt(math.log(4 / spent) / 4)
    assert alarm.limit(1) == pytest.approx(limit)


@pytest.mark.parametrize(
    "alarm",
    [
        ShareAlarm(share=0.3).update([True, False] * 40),
        RegretAlarm().update([1.0], [0.0]),
        ScoreAlarm(reference=(0.0, 1.0)).update([0.5]),
    ],
)
def test_an_alarm_survives_json(alarm):
    text = json.dumps(alarm.model_dump(mode="json"))
    assert type(alarm).model_validate(json.loads(text)) == alarm


def test_bad_input_is_named():
    for share in (0.0, 1.0, float("nan")):
        with pytest.raises(ValidationError, match="share"):
            ShareAlarm(share=share)
    with pytest.raises(ValidationError, match="reference"):
        ScoreAlarm(reference=(1.0, 0.0))
    with pytest.raises(PolicyError, match="scores"):
        ScoreAlarm(reference=(0.0, 1.0)).update([float("nan")])
    with pytest.raises(PolicyError, match="served"):
        RegretAlarm().update([1.0], [2.0])
    with pytest.raises(PolicyError, match="2 labels, served 1"):
        RegretAlarm().update([1.0, 1.0], [1.0])
