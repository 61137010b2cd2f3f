"""The pair curve: worked cases, invariances, ties, and pairs where PGR has no meaning."""

import numpy as np
import pytest

from eval.metrics import PairCurve, apgr, apgr_routellm, cost_apgr, cpt, oracle_score, pgr_curve

WEAK = np.array([0.0, 1.0, 1.0, 0.0])
STRONG = np.array([1.0, 1.0, 0.0, 1.0])  # gains +1, 0, -1, +1: 1 in total, 2 / 4 -> 3 / 4


def pair(rng: np.random.Generator, n: int = 60, levels: int = 12):
    """Scores with ties, 0/1 qualities, a strong arm that is better in total."""
    score = rng.integers(0, levels, n).astype(float)
    weak = (rng.random(n) < 0.5).astype(float)
    strong = (rng.random(n) < 0.8).astype(float)
    strong[:3], weak[:3] = 1.0, 0.0
    return score, weak, strong


def slow_apgr(score, weak, strong, weight=None) -> float:
    """From the definition: every threshold in turn, then the trapezoid rule."""
    weight = np.ones(len(score)) if weight is None else weight
    low, high = np.average(weak, weights=weight), np.average(strong, weights=weight)
    x, y = [0.0], [0.0]
    for threshold in sorted(set(score), reverse=True):
        sent = score >= threshold
        got = np.average(np.where(sent, strong, weak), weights=weight)
        x.append(np.average(sent, weights=weight))
        y.append((got - low) / (high - low))
    return sum((x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2 for i in range(1, len(x)))


def test_a_curve_worked_by_hand() -> None:
    # Order 0, 1, 2, 3: PGR after each call 1, 1, 0, 1 (gain so far / total gain of 1).
    curve = pgr_curve([4, 3, 2, 1], WEAK, STRONG)
    assert curve.share == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert curve.pgr == pytest.approx([0, 1, 1, 0, 1])
    assert curve.quality == pytest.approx([0.5, 0.75, 0.75, 0.5, 0.75])
    assert curve.cost is None
    assert curve.undefined == ""
    # Trapezoids: .25 * (0 + 1) / 2 + .25 * 1 + .25 * (1 + 0) / 2 + .25 * (0 + 1) / 2 = 0.625
    assert apgr([4, 3, 2, 1], WEAK, STRONG) == pytest.approx(0.625, abs=1e-15)


def test_ties_move_as_one_block() -> None:
    # Blocks {0, 1} and {2, 3}: (0, 0), (0.5, 1), (1, 1): .5 * .5 + .5 * 1 = 0.75
    curve = pgr_curve([1, 1, 0, 0], WEAK, STRONG)
    assert curve.pgr == pytest.approx([0, 1, 1])
    assert apgr([1, 1, 0, 0], WEAK, STRONG) == pytest.approx(0.75, abs=1e-15)
    # One block: the straight line from (0, 0) to (1, 1).
    assert apgr([7, 7, 7, 7], WEAK, STRONG) == pytest.approx(0.5, abs=1e-15)
    assert cpt([7, 7, 7, 7], WEAK, STRONG, 0.8) == pytest.approx(0.8, abs=1e-15)
    assert apgr([np.inf, np.inf, -np.inf, -np.inf], WEAK, STRONG) == pytest.approx(0.75)


def test_cpt_is_the_first_crossing_and_straight_within_a_block() -> None:
    assert cpt([4, 3, 2, 1], WEAK, STRONG, 0.5) == pytest.approx(0.125)  # half of one call
    assert cpt([4, 3, 2, 1], WEAK, STRONG, 1.0) == pytest.approx(0.25)  # not the end, 1.0
    assert cpt([4, 3, 2, 1], WEAK, STRONG, 0.0) == 0.0
    assert np.isnan(cpt([4, 3, 2, 1], WEAK, STRONG, 1.5))
    # The oracle has 2 of 1 units of gain after half the calls: 1.5 at 1.5 calls of 4.
    assert cpt(oracle_score(WEAK, STRONG), WEAK, STRONG, 1.5) == pytest.approx(0.375)


def test_the_oracle_worked_by_hand() -> None:
    # Gains first (block of 2), the tie, the loss: (0,0) (.5,2) (.75,2) (1,1).
    # .5 * 2 / 2 + .25 * 2 + .25 * (2 + 1) / 2 = 0.5 + 0.5 + 0.375
    assert apgr(oracle_score(WEAK, STRONG), WEAK, STRONG) == pytest.approx(1.375)


def test_cost_apgr_worked_by_hand() -> None:
    # Two queries, both gained; weak 1 USD each; strong 2 and 4: extra 1 and 3, all-weak 2,
    # all-strong 6. Cheap one first: PGR (0, .5, 1) at cost shares (2, 3, 6) / 6.
    # Area from 1/3 to 1: 1/6 * .25 + 1/2 * .75 = 5/12; over the range 2/3: 0.625
    got = cost_apgr([2, 1], [0, 0], [1, 1], [1, 1], [2, 4])
    assert got == pytest.approx(0.625, abs=1e-15)
    # The dear one first: 1/2 * .25 + 1/6 * .75 = 1/4; over 2/3: 0.375
    assert cost_apgr([1, 2], [0, 0], [1, 1], [1, 1], [2, 4]) == pytest.approx(0.375)
    curve = PairCurve([2, 1], [0, 0], [1, 1], [1, 1], [2, 4]).curve()
    assert curve.cost == pytest.approx([1, 1.5, 3])  # mean USD a query


def test_equal_prices_make_cost_apgr_apgr() -> None:
    score, weak, strong = pair(np.random.default_rng(1))
    ones = np.ones(len(score))
    got = cost_apgr(score, weak, strong, ones, 30 * ones)
    assert got == pytest.approx(apgr(score, weak, strong), abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_trapezoid_over_all_thresholds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, weak, strong = pair(rng)
    weight = rng.integers(0, 4, len(score)).astype(float)
    weight[:3] = 5
    curve = PairCurve(score, weak, strong)
    for given in (None, weight):
        assert curve.apgr(given) == pytest.approx(slow_apgr(score, weak, strong, given), abs=1e-12)
        share, pgr, *_ = curve.curve(given)
        assert curve.apgr(given) == pytest.approx(np.trapezoid(pgr, share), abs=1e-12)
        assert (share[0], pgr[0], share[-1], pgr[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize("seed", range(5))
def test_invariances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, weak, strong = pair(rng)
    costs = rng.uniform(0.1, 1, len(score)), rng.uniform(0.5, 9, len(score))
    curve = PairCurve(score, weak, strong, *costs)
    want = [curve.apgr(), curve.cost_apgr(), curve.cpt(0.5), curve.cpt(0.8)]

    def figures(rows, weight=None, change=lambda s: s):
        columns = (change(score), weak, strong, *costs)
        made = PairCurve(*(c[rows] for c in columns))
        got = [made.apgr(weight), made.cost_apgr(weight)]
        return [*got, made.cpt(0.5, weight), made.cpt(0.8, weight)]

    rows = np.arange(len(score))
    assert figures(rows, change=np.exp) == pytest.approx(want, abs=1e-12)
    assert figures(rows, change=lambda s: s**3 - 7) == pytest.approx(want, abs=1e-12)
    assert figures(rng.permutation(rows)) == pytest.approx(want, abs=1e-12)
    assert figures(np.tile(rows, 2)) == pytest.approx(want, abs=1e-12)
    # Weight 2 is the row twice, weight 0 no row, and the scale of weights means nothing.
    weight = rng.integers(0, 3, len(score))
    weight[:3] = 2
    twice = figures(np.repeat(rows, weight))
    assert figures(rows, weight) == pytest.approx(twice, abs=1e-12)
    assert figures(rows, 0.3 * weight) == pytest.approx(twice, abs=1e-12)


def test_a_random_order_scores_a_half_on_average_over_calls_and_over_cost() -> None:
    rng = np.random.default_rng(3)
    n = 80
    weak, strong = rng.random(n) * 0.5, 0.3 + rng.random(n) * 0.7
    cheap, dear = rng.uniform(0, 1, n), rng.uniform(0, 20, n)  # dearer only in total
    runs = [PairCurve(rng.random(n), weak, strong, cheap, dear) for _ in range(3000)]
    for values in ([r.apgr() for r in runs], [r.cost_apgr() for r in runs]):
        error = np.std(values) / np.sqrt(len(runs))
        assert np.mean(values) == pytest.approx(0.5, abs=4 * error)


def test_no_order_beats_the_oracle() -> None:
    rng = np.random.default_rng(4)
    for _ in range(30):
        score, weak, strong = pair(rng)
        cheap, dear = rng.uniform(0, 2, len(score)), rng.uniform(0, 9, len(score))
        arms = (weak, strong, cheap, dear)
        best = PairCurve(oracle_score(*arms), *arms).cost_apgr()
        by_calls = apgr(oracle_score(weak, strong), weak, strong)
        for other in (score, rng.random(len(score)), strong - weak, -dear):
            assert PairCurve(other, *arms).cost_apgr() <= best + 1e-12
            assert apgr(other, weak, strong) <= by_calls + 1e-12


def test_the_cost_oracle_takes_gains_by_dollar_then_ties_then_losses() -> None:
    weak = np.array([0, 0, 0.5, 1, 1, 0.2])
    strong = np.array([1, 1, 0.5, 0, 0, 0.7])
    cheap = np.ones(6)
    dear = np.array([2, 5, 2, 2, 9, 0.5])  # the last: better and cheaper
    order = np.argsort(-oracle_score(weak, strong, cheap, dear))
    assert order.tolist() == [5, 0, 1, 2, 4, 3]


@pytest.mark.parametrize(
    ("strong", "reason"), [([0, 1, 0, 0], "not better"), ([0, 1, 1, 0], "not better")]
)
def test_a_strong_arm_that_is_not_better_gives_nan_and_a_reason(strong, reason) -> None:
    curve = PairCurve([4, 3, 2, 1], WEAK, strong, WEAK, WEAK + 1)
    assert reason in curve.undefined()
    assert reason in curve.curve().undefined
    assert np.isnan(curve.curve().pgr).all()
    assert np.isfinite(curve.curve().quality).all()  # that is still a curve to draw
    assert np.isnan([curve.apgr(), curve.cost_apgr(), curve.cpt(0.5)]).all()


def test_no_weight_at_all_gives_nan_and_a_reason() -> None:
    curve = PairCurve([4, 3, 2, 1], WEAK, STRONG)
    nothing = np.zeros(4)
    assert "weight" in curve.undefined(nothing)
    assert np.isnan([curve.apgr(nothing), curve.cpt(0.5, nothing)]).all()


def test_a_strong_arm_that_is_cheaper_in_total_has_no_cost_apgr() -> None:
    curve = PairCurve([4, 3, 2, 1], WEAK, STRONG, np.full(4, 3.0), np.ones(4))
    assert np.isnan(curve.cost_apgr())
    assert "not dearer" in curve.undefined(cost=True)
    assert curve.apgr() == pytest.approx(0.625)
    assert curve.undefined() == ""


def test_a_gain_that_is_only_rounding_is_none() -> None:
    # Epoch means: 0.1 + 0.2 - 0.3 is 5.6e-17, and would make an area of any size.
    weak, strong = [0.0, 0.0, 0.3], [0.1, 0.2, 0.0]
    assert sum(strong) - sum(weak) > 0
    curve = PairCurve([1, 2, 3], weak, strong)
    assert np.isnan(curve.apgr()) and np.isnan(curve.cpt(0.5)) and curve.undefined()
    assert np.isnan(apgr_routellm([1, 2, 3], weak, strong))


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="score"):
        apgr([np.nan, 1, 2, 3], WEAK, STRONG)
    with pytest.raises(ValueError, match="strong has 3 rows"):
        apgr([4, 3, 2, 1], WEAK, STRONG[:3])
    with pytest.raises(ValueError, match="negative"):
        apgr([4, 3, 2, 1], WEAK, STRONG, [-1, 1, 1, 1])
    with pytest.raises(ValueError, match="non-empty"):
        apgr([], [], [])
    with pytest.raises(ValueError, match="both arms"):
        PairCurve([4, 3, 2, 1], WEAK, STRONG, WEAK)
    with pytest.raises(ValueError, match="without costs"):
        PairCurve([4, 3, 2, 1], WEAK, STRONG).cost_apgr()
