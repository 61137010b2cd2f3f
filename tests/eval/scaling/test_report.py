"""What is said of a comparison, and the picture."""

import json
import math

import numpy as np
import pytest

from eval.scaling.comparison import Plan, compare
from eval.scaling.lineup import LINEUP, chosen, kinds_of
from eval.scaling.plot import LOOKS, picture, spread
from eval.scaling.pool import pools_of
from eval.scaling.report import as_json, can_be_won, stamp
from router.errors import InputError

from .synthetic import of_rows, realistic, rows, samples

PLAN = Plan(chosen((), ["plain"]), orders=8, resamples=100)
PNG = b"\x89PNG"


def compared(data, plan=PLAN, **more):
    pools = {"plain": pools_of(data, "plain", "here")[0]}
    pools |= {kind: pools_of(other, kind, "there")[0] for kind, other in more.items()}
    return compare(pools, plan)


def test_all_wrong_nothing_can_be_won():
    found = compared(samples([[1, 2, 1]] * 10))
    assert can_be_won(found) == (
        "sums: no sample of 10 questions is right: oracle@3 equals majority@3, nothing can be won "
        "by selecting."
    )
    assert found.gap[:3] == (0, 0, 0)


def test_all_alike_nothing_can_be_won():
    found = compared(samples([[0, 0, 0]] * 5 + [[1, 1, 1]] * 5))
    assert "oracle@3 equals majority@3 within its interval" in can_be_won(found)
    assert "nothing can be won" in can_be_won(found)


def test_where_there_is_a_gap_it_is_the_most():
    found = compared(samples([[0, 1, 1]] * 10 + [[0, 0, 0]] * 10))
    assert found.gap.value == 0.5
    assert can_be_won(found).startswith("sums: +50.0 [")
    assert "majority@3 (50.0) and oracle@3 (100.0): that is what a selector" in can_be_won(found)


def test_one_cluster_says_nothing():
    found = compared(samples([[0, 1, 1]] * 4, cluster_id="same"))
    assert "nothing can be said" in can_be_won(found) and math.isnan(found.gap.low)


def test_early_stop_saves_and_never_differs():
    found = compared(realistic(20))
    assert found.saved.differences == 0 and found.saved.walks == 20 * 8 * 8
    assert 0 < found.saved.share.low < found.saved.share.value < found.saved.share.high < 1
    assert found.methods["early-stop"][-1].accuracy == found.methods["majority"][-1].accuracy


def test_what_a_pool_does_not_hold_is_not_replayed():
    found = compared(samples([[0, 1]] * 4))
    assert set(found.methods) == {"majority", "early-stop", "adaptive"}
    assert any(n.startswith("weighted-certainty: not replayable") for n in found.notes)
    assert any(n.startswith("long2short: not replayable") for n in found.notes)


def test_other_pools_stand_beside_plain_majority():
    plan = Plan(chosen((), ["plain", "clr", "forced"]), orders=4, resamples=50)
    data = samples([[0, 1]] * 6)
    clr = samples([[0, 1]] * 6, reliability=lambda q, s: 0.9 - s / 2, completion_tokens=500)
    found = compared(data, plan, clr=clr, forced=samples([[0, 0]] * 6, completion_tokens=5))
    assert found.methods["clr"][-1].mix.where == "beyond"
    assert found.methods["forced"][-1].majority == pytest.approx(0.5)
    assert found.methods["forced"][-1].over_majority.value == pytest.approx(0.5)
    assert found.methods["forced"][0].mix.where == "below"
    assert set(found.oracles) == {"plain", "clr", "forced"}


def test_majority_is_never_left_out():
    assert chosen(["adaptive"], ["plain"]) == ("majority", "adaptive")
    with pytest.raises(InputError, match="no method is reported without majority vote"):
        compare({"clr": pools_of(samples([[0, 1]]), "clr", "x")[0]}, PLAN)
    with pytest.raises(InputError, match="compare methods of one model"):
        compared(samples([[0, 1]]), clr=samples([[0, 1]], model="other"))


def test_methods_by_name():
    assert kinds_of([])[1] == ("plain",)
    names, kinds = kinds_of(["clr", "spectrum"])
    assert names == ("majority", "clr", "clr-shuffled", "spectrum") and kinds == (
        "plain",
        "clr",
        "spectrum",
    )
    with pytest.raises(InputError, match="no method 'x'; there are: majority, "):
        chosen(["x"], ["plain"])
    with pytest.raises(InputError, match="forced needs a pool of its own: --pool forced=FOLDER"):
        chosen(["forced"], ["plain"])
    assert set(LOOKS) == set(LINEUP)


def test_usd_needs_costs():
    plan = Plan(chosen((), ["plain"]), orders=2, resamples=20, axis="usd")
    with pytest.raises(InputError, match="--axis usd"):
        compared(samples([[0, 1]], cost_usd=None, cost_basis=None), plan)
    assert compared(samples([[0, 1]] * 3), plan).majority.usd == pytest.approx(0.002)


def test_json_has_every_k_and_no_nan():
    found = compared(samples([[0, 1, 1]] * 4, cluster_id="same"))
    body = as_json([found], stamp(PLAN, ["bench", "scaling"]))
    text = json.dumps(body, allow_nan=False)
    (one,) = json.loads(text)["benchmarks"]
    assert [p["k"] for p in one["methods"]["majority"]] == [1, 2, 3]
    assert one["gap"]["low"] is None and one["single"]["value"] == pytest.approx(1 / 3)
    assert one["checksums"] == {"plain": found.checksums["plain"]}
    assert body["command"] == "ockham bench scaling" and body["plan"]["seed"] == 0


@pytest.mark.parametrize("axis", ["tokens", "usd"])
def test_the_picture_is_made(axis):
    plan = Plan(PLAN.methods, orders=2, resamples=20, axis=axis)
    found = [compared(realistic(12, 4), plan), compared(samples([[1, 2]] * 3), plan)]
    made = picture(found)
    assert made.startswith(PNG) and made == picture(found)


def test_names_are_spread_in_order_and_inside():
    assert spread([10, 50, 90], 10, 100) == [10, 50, 90]
    assert spread([50, 50], 10, 100) == [45, 55]
    assert spread([100, 100, 0], 10, 100) == [90, 100, 0]
    assert spread([0, 0], 10, 100) == [0, 10]
    rng = np.random.default_rng(0)
    wanted = rng.uniform(0, 200, 12).tolist()
    got = spread(wanted, 11, 200)
    ranked = sorted(range(12), key=lambda i: wanted[i])
    steps = np.diff([got[i] for i in ranked])
    assert (steps > 11 - 1e-9).all() and min(got) >= 0 and max(got) <= 200


def test_a_pool_partly_cut_off_still_compares():
    own = rows([[0, 1, 0]] * 6)
    for row in own[:6]:
        row |= {"status": "truncated", "answer_cluster": None}
    found = compared(of_rows(own))
    assert found.questions == 6 and any("cut off" in note for note in found.notes)
