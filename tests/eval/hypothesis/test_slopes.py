import numpy as np
import pytest

from eval.hypothesis.grid import grid_of
from eval.hypothesis.slopes import design, draw_families, fit_slopes, step_slopes
from tests.eval.hypothesis.tables import table


def test_without_guessing_the_slopes_are_those_of_statsmodels():
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    grid = table(ratio=1.4, families=4)
    data = design(grid, floors=False)
    rows = [
        {"y": grid.mean[m, i], "n": grid.n[m, i], "item": i, "stratum": grid.strata[m],
         "one": data.x[m] * (grid.axis[i] == 0), "two": data.x[m] * (grid.axis[i] == 1)}
        for m in range(len(grid.models)) for i in range(len(grid.items))
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    model = smf.glm("y ~ C(item) + C(stratum) + one + two", frame, family=sm.families.Binomial(),
                    var_weights=frame["n"])  # fmt: skip
    theirs = model.fit().params[["one", "two"]].to_numpy()
    ours = fit_slopes(data, np.ones((1, data.families)))[0]
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_guess_floors_give_the_slope_that_was_put_in():
    data = design(table(ratio=1.5, n=200_000, noise=0.0))
    slopes = fit_slopes(data, np.ones((1, data.families)))[0]
    assert slopes == pytest.approx([1.0, 1.5], abs=0.02)
    plain = fit_slopes(design(table(ratio=1.5, n=200_000, noise=0.0), floors=False),
                       np.ones((1, 8)))[0]  # fmt: skip
    assert plain[0] < 0.97  # a floor that is not known flattens the slope


def test_one_step_is_close_to_a_refit():
    data = design(table(ratio=1.2, noise=0.2))
    times = draw_families(data.families, 60, np.random.default_rng(3))
    exact, quick = fit_slopes(data, times), step_slopes(data, times)
    assert np.abs(exact - quick).max() < 0.05
    assert np.corrcoef(exact[:, 1], quick[:, 1])[0, 1] > 0.99


def test_a_family_drawn_twice_weighs_twice_and_one_not_drawn_nothing():
    grid = table(ratio=1.2, families=3, noise=0.2)
    data = design(grid)
    alone = fit_slopes(design(grid.rows(np.array([f == "opt" for f in grid.families]))),
                       np.ones((1, 1)))[0]  # fmt: skip
    drawn = fit_slopes(data, np.array([[0.0, 3.0, 0.0]]))[0]
    assert drawn == pytest.approx(alone, abs=1e-3)


def test_no_two_sizes_drawn_is_no_slope():
    grid = table(families=2)
    big = np.array([m.endswith("16b") or m.startswith("opt") for m in grid.models])
    data = design(grid.rows(big))
    assert np.isnan(fit_slopes(data, np.array([[2.0, 0.0]]))).all()
    assert not np.isnan(fit_slopes(data, np.array([[0.0, 2.0]]))).any()


def test_cells_above_the_top_ask_no_more_than_the_top():
    rows = [
        (f"opt-{size}b", "here", float(size), None, f"i{k}", axis, 0.0, mean, 1000.0)
        for size, mean in ((1, 0.5), (10, 0.992), (100, 1.0))
        for k, axis in enumerate(("verifiable", "knowledge"))
    ]
    slopes = fit_slopes(design(grid_of(rows)), np.ones((1, 1)))[0]
    assert np.isfinite(slopes).all()
    assert (slopes < 6).all()
