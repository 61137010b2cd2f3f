"""The lottery of audits: the stated share, known probabilities, a bounded weight."""

import uuid

import numpy as np
import pytest

from router.labels.draw import Lot


def ids(n):
    rng = np.random.default_rng(0)
    return [uuid.UUID(bytes=rng.bytes(16)).hex for _ in range(n)]


def test_the_share_comes_out_as_stated_and_the_unsure_are_drawn_more():
    lot = Lot(0.1, 3.0, 0)
    rng = np.random.default_rng(1)
    sure = rng.random(6000)
    draws = [lot.draw(name, float(c)) for name, c in zip(ids(6000), sure, strict=True)]
    assert np.mean([d.drawn for d in draws]) == pytest.approx(0.1, abs=0.015)
    p = np.array([d.probability for d in draws])
    assert p.min() >= draws[0].floor == pytest.approx(0.1 / 3)
    unsure = np.abs(sure - 0.5) < 0.1
    assert p[unsure].mean() > 1.5 * p[~unsure].mean()
    # The weights undo it: what is drawn stands for all.
    weight = np.array([d.drawn / d.probability for d in draws])
    assert (weight @ sure) / len(sure) == pytest.approx(sure.mean(), abs=0.06)


def test_an_answer_that_nothing_checked_counts_as_unsure_and_the_draw_repeats():
    one, two = Lot(0.2, 4.0, 7), Lot(0.2, 4.0, 7)
    names = ids(200)
    first = [one.draw(name, None) for name in names]
    assert first == [two.draw(name, 0.5) for name in names]
    other = Lot(0.2, 4.0, 8)
    assert [d.drawn for d in first] != [other.draw(name, None).drawn for name in names]


def test_all_or_nothing():
    assert not any(Lot(0.0, 3.0, 0).draw(name, None).drawn for name in ids(50))
    assert all(Lot(1.0, 1.0, 0).draw(name, 0.9).drawn for name in ids(50))
