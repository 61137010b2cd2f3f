"""RouteLLM's definition against a slow second writing of it, and against pandas' own edges."""

import numpy as np
import pytest

from eval.metrics import apgr_routellm, cpt_routellm, routellm_points
from eval.metrics.routellm import _qcut_edges


def reference(score, weak, strong, num_results=10):
    """Their evaluation, step by step and row by row -> APGR, CPT50, CPT80 (percent)."""
    edges = np.quantile(score, np.linspace(0, 1, num_results + 1))
    points = []
    for i, edge in enumerate(edges):
        last = i == len(edges) - 1
        results, calls = [], 0
        for s, w, x in zip(score, weak, strong, strict=True):
            sent = s > edge if last else s >= edge
            results.append(x if sent else w)
            calls += int(sent)
        points.append((calls / len(score) * 100, sum(results) / len(results) * 100))
    points.sort(key=lambda p: p[0])
    share = np.array([p[0] for p in points])
    accuracy = np.array([p[1] for p in points])
    low, high = sum(weak) / len(weak) * 100, sum(strong) / len(strong) * 100
    area = np.trapezoid(accuracy, share / 100)
    weak_area = np.trapezoid(np.full(len(share), low), share / 100)
    strong_area = np.trapezoid(np.full(len(share), high), share / 100)
    cpts = [np.interp(x * (high - low) + low, accuracy, share) for x in (0.5, 0.8)]
    return [(area - weak_area) / (strong_area - weak_area), *cpts]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("num_results", [10, 4, 7])
def test_it_is_their_code_to_a_billionth(seed: int, num_results: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(50, 700))
    score = rng.random(n) if seed % 2 else rng.integers(0, 300, n).astype(float)
    weak = (rng.random(n) < 0.6).astype(float)
    strong = (rng.random(n) < 0.6 + 0.35 * rng.random(n)).astype(float)
    strong[:5], weak[:5] = 1, 0
    got = [
        apgr_routellm(score, weak, strong, num_results),
        cpt_routellm(score, weak, strong, 0.5, num_results),
        cpt_routellm(score, weak, strong, 0.8, num_results),
    ]
    assert got == pytest.approx(reference(score, weak, strong, num_results), rel=0, abs=1e-9)


def test_worked_by_hand() -> None:
    # Scores 0..4, two bins: edges 0, 2, 4; `>=` 0 sends 5, `>=` 2 sends 3, `>` 4 sends none.
    # Gains by score 0, 1, 0, 0, 1 over weak 1, 0, 1, 1, 0: accuracy 60, 80, 100 percent at
    # shares 0, 60, 100. Area .6 * 70 + .4 * 90 = 78; (78 - 60) / (100 - 60) = 0.45
    points = routellm_points([0, 1, 2, 3, 4], [1, 0, 1, 1, 0], [1, 1, 1, 1, 1], 2)
    assert points.strong_percent == pytest.approx([0, 60, 100])
    assert points.accuracy == pytest.approx([60, 80, 100])
    assert points.apgr() == pytest.approx(0.45, abs=1e-12)
    assert points.cpt(0.5) == pytest.approx(60)  # 80 percent of accuracy
    assert points.cpt(0.25) == pytest.approx(30)


@pytest.mark.parametrize("n", [11, 501, 1307, 14037])
def test_the_edges_are_those_of_pandas(n: int) -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(n)
    for score in (rng.random(n), rng.permutation(n) * 0.1, rng.normal(size=n) * 1e-3):
        for q in (4, 7, 10, 20):
            _, edges = pandas.qcut(pandas.Series(score), q, retbins=True, duplicates="drop")
            # Not to the bit: pandas 3 rounds the quantiles up in theirs.
            assert _qcut_edges(score, q) == pytest.approx(np.asarray(edges), rel=1e-12)


def test_equal_edges_where_pandas_raises() -> None:
    # All equal: `>=` sends all ten times, `>` none: the line from weak to strong, one half.
    weak, strong = np.array([0.0, 1, 0, 1]), np.array([1.0, 1, 1, 0])
    assert apgr_routellm(np.zeros(4), weak, strong) == pytest.approx(0.5)
    # Repeating an edge is a step of no width.
    score = np.array([0.0, 0, 0, 1])
    assert apgr_routellm(score, weak, strong, 10) == pytest.approx(
        reference(score, weak, strong, 10)[0], abs=1e-12
    )


def test_a_strong_arm_that_is_not_better_is_nan() -> None:
    assert np.isnan(apgr_routellm([1, 2, 3], [1, 1, 0], [0, 1, 0]))
    assert np.isnan(cpt_routellm([1, 2, 3], [1, 1, 0], [1, 1, 0], 0.5))
