from eval.hypothesis.registration import read_registration
from eval.hypothesis.worlds import more_families, needed, noise_of, simulate, world
from tests.eval.hypothesis.tables import table

P1 = read_registration().prediction("P1_slopes")


def test_worlds_are_judged_right_where_noise_is_small():
    report = simulate(table(noise=0.02), P1, 1, worlds=12, draws=60)
    assert report.power["split"] == 1.0
    assert report.power["no split"] >= 0.75
    assert report.wrong == {"split": 0.0, "no split": 0.0, "reversed": 0.0}


def test_wrong_verdicts_stay_rare_where_noise_is_large():
    report = simulate(table(noise=0.35, seed=4), P1, 1, worlds=25, draws=100)
    assert max(report.wrong.values()) <= 0.08  # 2 of 25; the page counts 200
    assert report.underpowered
    assert sum(report.counts["split"].values()) == 25


def test_the_same_seed_gives_the_same_worlds():
    one, two = (simulate(table(noise=0.2), P1, 3, worlds=5, draws=40).plain() for _ in range(2))
    assert one == two


def test_noise_is_estimated_from_the_table():
    quiet, loud = noise_of(table(noise=0.01)), noise_of(table(noise=0.4))
    assert loud.of_model + loud.of_axis > 4 * (quiet.of_model + quiet.of_axis)
    assert 0.8 < quiet.slope < 1.2


def test_a_world_keeps_what_the_table_lacks():
    import numpy as np

    grid = table()
    grid.mean[0, 3] = np.nan
    made = world(grid, noise_of(grid), 2.0, np.random.default_rng(0))
    assert np.isnan(made.mean[0, 3])
    assert made.held.sum() == grid.held.sum()


def test_no_slope_or_no_sizes_is_no_world():
    assert simulate(table(sizes=(4.0,)), P1, 1, worlds=2) is None


def test_more_families_are_families_of_their_own():
    grid = more_families(table(families=4), 3)
    assert len(grid.two_sizes()) == 12
    found = needed(table(families=4, noise=0.3), P1, 1, most=2)
    assert list(found) == [8]
