"""The rules of many arms: numbers by hand, one row alone and in a batch, state as plain data."""

import json
from dataclasses import replace

import numpy as np
import pytest

from policies import Arm, Policy, PolicyError
from policies.carrot import TEMPERATURE, Carrot
from policies.irt import Irt
from policies.knn import Knn, neighbour_mean, unit_rows
from policies.matrix_factorisation import MatrixFactorisation
from policies.packed import Packed
from policies.representation import BLOCKS, Representation
from policies.utility import FittedArm

ARMS = (Arm("s", "small"), Arm("m", "large"), Arm("l", "large"))
FITTED = tuple(FittedArm(name=a.name, tier=a.tier) for a in ARMS)
DENSE = {"lengths": 1, "cues": 0, "axes": 0, "domains": 0, "needs": 5}
COMMON = {"arms": FITTED, "fingerprint": "test", "price": 0.0}
# x = [two embedding columns; length - 1, doubled, and five needs, dropped; TF-IDF of terms 3, 5]
FORM = Representation(
    mean=Packed.of([1.0, 0, 0, 0, 0, 0]),
    scale=Packed.of([2.0, 0, 0, 0, 0, 0]),
    buckets=(3, 5),
    idf=(1.0, 1.0),
)
WIDTH = 10


def cases(make_case, embedding, terms=None, lengths=None, arms=ARMS):
    n = len(embedding)
    blocks = {name: np.zeros((n, width), np.float32) for name, width in DENSE.items()}
    blocks["embedding"] = np.asarray(embedding, np.float32)
    blocks["terms"] = np.asarray(terms if terms is not None else [[-1]] * n, np.int32)
    if lengths is not None:
        blocks["lengths"] = np.asarray(lengths, np.float32)[:, None]
    return replace(make_case(axes=[(0.5, 0.5)] * n, arms=arms), features=blocks)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


TABLE = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]]
SCORES = [[1.0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]]


def knn(k=2, **more):
    return Knn(**COMMON, k=k, table=Packed.of(TABLE), table_score=Packed.of(SCORES), **more)


def test_the_representation_by_hand(make_case):
    batch = cases(make_case, [[0.5, -0.5]], terms=[[3, 9]], lengths=[4.0])
    got = FORM.of(batch.features)
    assert got.tolist() == [[0.5, -0.5, 6.0, 0, 0, 0, 0, 0, 1.0, 0.0]]
    assert set(BLOCKS) | {"embedding", "terms"} == set(FORM.features)


def test_the_nearest_two_are_averaged(make_case):
    # (3, 4) / 5: cosines .6, .96, .8, -.6: the second and the third row.
    got = knn().predict(cases(make_case, [[3.0, 4.0]]))
    assert got.tolist() == [[0.0, 1.0, 0.5]]


def test_ties_with_the_kth_count_too_and_k_may_exceed_the_table(make_case):
    # (0, 1) is as near to the first row as to the last (0): with k = 3 all four are in.
    got = knn(k=3).predict(cases(make_case, [[0.0, 1.0]]))
    assert got.tolist() == [np.mean(SCORES, axis=0).tolist()]
    assert knn(k=99).predict(cases(make_case, [[0.3, 1.0]])).tolist() == got.tolist()


def test_a_query_of_zeros_is_as_near_to_all(make_case):
    got = knn(k=1).predict(cases(make_case, [[0.0, 0.0]]))
    assert got.tolist() == [np.mean(SCORES, axis=0).tolist()]


def test_nearer_neighbours_weigh_more_at_a_temperature():
    got = neighbour_mean(np.array([[1.0, 0.0]]), np.array(TABLE), np.array(SCORES), 2, 0.5)
    w = np.exp(-0.2 / 0.5)
    assert np.allclose(got, [[1 / (1 + w), w / (1 + w), 0.0]])


def test_the_best_arm_answers_until_its_price_is_too_high(make_case):
    batch = cases(make_case, [[3.0, 4.0]])
    batch = replace(batch, predicted_cost=np.array([[1.0, 2.0, 4.0]]))
    # 0, 1, .5: worth 1 for a USD more, until a USD is worth more than that.
    for price, arm in ((0.0, 1), (0.9, 1), (1.1, 0), (np.inf, 0)):
        assert knn().model_copy(update={"price": price}).choose(batch).arm[0] == arm


def test_seconds_have_a_price_too(make_case):
    batch = replace(
        cases(make_case, [[3.0, 4.0]]),
        predicted_cost=np.zeros((1, 3)),
        predicted_seconds=np.array([[1.0, 30.0, 2.0]]),
    )
    own = knn().model_copy(update={"price": 1.0})
    assert own.choose(batch).arm[0] == 1
    assert own.model_copy(update={"usd_per_second": 0.1}).choose(batch).arm[0] == 2


def carrot(**more):
    weights, lengths = np.zeros((WIDTH, 3)), np.zeros((WIDTH, 3))
    weights[0] = [0.2, 0.0, 1.0]
    lengths[0, 1] = np.log(2.0)
    values = {
        "representation": FORM,
        "centre": Packed.of([0.5] + [0.0] * (WIDTH - 1)),
        "weights": Packed.of(weights),
        "bias": Packed.of([0.5, 0.25, 0.75]),
        "length_weights": Packed.of(lengths),
        "length_scale": Packed.of([1.0, 0.5, 1.0]),
        "k": 1,
        "neighbour_share": 0.25,
        "table": Packed.of(TABLE),
        "table_score": Packed.of(SCORES),
        **more,
    }
    return Carrot(**COMMON, **values)


def test_carrot_averages_a_clipped_line_and_its_neighbours(make_case):
    # z0 = .5: .6, .25 and 1.25, clipped to 1; the only neighbour is the first row.
    got = carrot().predict(cases(make_case, [[1.0, 0.0]], lengths=[1.0]))
    assert np.allclose(got, [[0.75 * 0.6 + 0.25, 0.75 * 0.25, 0.75]], atol=1e-7)
    assert 0 < TEMPERATURE < 1


def test_carrot_predicts_what_a_long_answer_costs(make_case):
    batch = cases(make_case, [[1.5, 0.0], [0.5, 0.0], [99.5, 0.0]], lengths=[1.0] * 3)
    batch = replace(batch, predicted_cost=np.full((3, 3), 2.0))
    # The middle arm: 2 ** z0 * .5 of its mean; 2 ** 99 is not believed beyond 5 times.
    assert np.allclose(carrot().usd(batch)[:, 1], [2.0, 1.0, 5.0], atol=1e-5)
    assert (carrot().usd(batch)[:, [0, 2]] == 2.0).all()


def test_an_arm_that_carrot_does_not_know_costs_what_the_case_says(make_case):
    arms = (Arm("m", "small"), Arm("new", "large"))
    batch = cases(make_case, [[1.5, 0.0]], lengths=[1.0], arms=arms)
    got = carrot().usd(replace(batch, predicted_cost=np.array([[2.0, 7.0]])))
    assert np.allclose(got, [[2.0, 7.0]])


def irt(**more):
    heads = np.zeros((WIDTH, 2))
    heads[0, 0], heads[1, 1] = 1.0, 2.0
    hard = np.zeros(WIDTH)
    hard[2] = 0.5
    values = {
        "representation": FORM,
        "centre": Packed.of([0.0] * WIDTH),
        "discrimination": Packed.of(heads),
        "discrimination_bias": Packed.of([0.5, 0.0]),
        "difficulty": Packed.of(hard),
        "difficulty_bias": 0.25,
        "ability": Packed.of([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]),
        **more,
    }
    return Irt(**COMMON, **values)


def test_item_response_by_hand(make_case):
    # a = (1 + .5, 2 * .25), b = .5 * 2 (length 2) + .25
    got = irt().predict(cases(make_case, [[1.0, 0.25]], lengths=[2.0]))
    assert np.allclose(got, sigmoid([[-1.25, 0.25, 0.75]]), atol=1e-7)


def factorisation(**more):
    values = {
        "centre": Packed.of([1.0, 0.0]),
        "projection": Packed.of([[1.0], [3.0]]),
        "factors": Packed.of([[1.0], [-1.0], [0.5]]),
        "bias": Packed.of([0.0, 0.5, 1.0]),
        **more,
    }
    return MatrixFactorisation(**COMMON, **values)


def test_matrix_factorisation_by_hand(make_case):
    # (2 - 1) + 3 * .5 = 2.5
    got = factorisation().predict(cases(make_case, [[2.0, 0.5]]))
    assert np.allclose(got, sigmoid([[2.5, -2.0, 2.25]]), atol=1e-7)


ALL = pytest.mark.parametrize("policy", [knn(), carrot(), irt(), factorisation()])


@ALL
def test_a_row_is_the_same_alone_and_in_a_batch(make_case, policy):
    rng = np.random.default_rng(3)
    own = policy.model_copy(update={"price": 0.05})
    x, terms = rng.normal(size=(40, 2)), rng.integers(-1, 7, (40, 4))
    batch = cases(make_case, x, terms, rng.random(40))
    batch = replace(batch, predicted_cost=np.tile([1.0, 2.0, 4.0], (40, 1)))
    whole = own.choose(batch)
    assert len(set(whole.arm.tolist())) > 1
    for i in range(40):
        one = replace(
            cases(make_case, x[i : i + 1]),
            features={k: v[i : i + 1] for k, v in batch.features.items()},
            predicted_cost=np.array([[1.0, 2.0, 4.0]]),
        )
        alone = own.choose(one)
        assert alone.arm[0] == whole.arm[i]
        assert np.allclose(alone.quality[0], whole.quality[i], atol=1e-12)


@ALL
def test_the_state_is_plain_data(make_case, policy):
    again = Policy.from_state(json.loads(json.dumps(policy.to_state())))
    batch = cases(make_case, [[0.3, 0.4]], [[3]], [2.0])
    assert again == policy
    assert again.predict(batch).tolist() == policy.predict(batch).tolist()


@ALL
def test_it_reads_what_it_says_and_refuses_other_features(make_case, policy):
    batch = cases(make_case, [[0.3, 0.4]], [[3]], [2.0])
    own = {k: v for k, v in batch.features.items() if k in policy.needs.features}
    assert np.isfinite(policy.predict(replace(batch, features=own))).all()
    for name in own:
        with pytest.raises((PolicyError, KeyError), match=name):
            policy.predict(replace(batch, features={k: own[k] for k in own if k != name}))
    with pytest.raises(PolicyError, match="was set on features test"):
        policy.choose(replace(batch, fingerprint="other"))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: knn(k=0), "k"),
        (lambda: Knn(**COMMON, k=1, table=Packed.of(TABLE), table_score=Packed.of([[1.0]])),
         "table_score"),
        (lambda: carrot(bias=Packed.of([1.0])), "bias"),
        (lambda: carrot(weights=Packed.of([[1.0]])), "weights"),
        (lambda: irt(ability=Packed.of([[1.0, 0.0]])), "ability"),
        (lambda: factorisation(factors=Packed.of([[1.0]])), "factors"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_named(make, field):
    with pytest.raises(ValueError, match=field):
        make()


def test_unit_rows_keep_zeros():
    assert unit_rows(np.array([[3.0, 4.0], [0, 0]])).tolist() == [[0.6, 0.8], [0, 0]]
