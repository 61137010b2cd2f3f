"""The methods by hand: votes, ties, when they stop, whom they choose."""

import itertools
import math
import random

import pytest
from pydantic import TypeAdapter, ValidationError

from router.arms.methods import (
    Adaptive,
    BestOfN,
    BudgetForcing,
    Clr,
    Long2Short,
    Majority,
    Method,
    Single,
    Weighted,
)
from router.arms.spectrum import SPECTRUM
from router.arms.voting import Candidate, borda, by_votes, decided, probably_decided

METHOD = TypeAdapter(Method)


def votes(*clusters: int | None) -> list[Candidate]:
    return [Candidate(c) for c in clusters]


def test_a_method_is_its_name_or_its_name_with_parameters():
    assert METHOD.validate_python("single") == Single()
    assert METHOD.validate_python("majority") == Majority()
    made = METHOD.validate_python({"name": "clr", "k": 32, "spectrum": "default"})
    assert (made.k, made.claims, made.spectrum) == (32, 5, SPECTRUM)
    assert METHOD.dump_python(Single()) == "single"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("vote", "vote"),
        ({"name": "majority", "k": 0}, "greater than or equal to 1"),
        ({"name": "majority", "least": 2}, "Extra inputs"),
        ({"name": "adaptive", "k": 2, "least": 3}, "least = 3 is above k = 2"),
        ({"name": "single", "k": 2}, "Extra inputs"),
    ],
)
def test_bad_declarations(given, said):
    with pytest.raises(ValidationError, match=said):
        METHOD.validate_python(given)


def test_the_most_frequent_answer_and_its_first_sample():
    chosen = Majority(k=5).choose(votes(1, 0, 0, None, 2))
    assert (chosen.sample, chosen.share) == (1, 0.5)
    assert chosen.weights == (1.0, 1.0, 1.0, None, 1.0)


def test_a_tie_goes_to_the_answer_seen_first():
    assert by_votes(votes(7, 3, 3, 7)).sample == 0
    assert by_votes(votes(3, 7, 7, 3)).sample == 0


def test_equal_weights_in_another_order_tie():
    """Sums of floats differ in the last bit with their order: then the larger cluster wins."""
    first = [0.2**5, 0.4**5, 0.2**5]
    second = [0.2**5, 0.2**5, 0.4**5, 0.0]
    chosen = by_votes(votes(0, 0, 0, 1, 1, 1, 1), [*first, *second])
    assert chosen.sample in (3, 4, 5, 6)


def test_nobody_votes():
    chosen = Majority().choose(votes(None, None))
    assert chosen.sample is None
    assert "no sample has a closed answer" in chosen.reasons


def test_early_stop_never_changes_the_majority():
    """Every stop, in every order of 6 votes over 3 answers, some of them without a vote."""
    method, stops = Majority(k=6, parallel=1), 0
    for clusters in itertools.product((0, 1, 2, None), repeat=6):
        seen = votes(*clusters)
        whole = method.choose(seen)
        at = next((n for n in range(1, 6) if method.done(seen[:n])), None)
        if at is not None:
            stops += 1
            part = method.choose(seen[:at])
            assert seen[part.sample].cluster == seen[whole.sample].cluster
    assert stops > 1000


def test_a_lead_that_could_be_evened_out_is_not_decided():
    assert not decided({0: 3.0, 1: 1.0}, left=2)
    assert decided({0: 3.0, 1: 1.0}, left=1)
    assert not decided({}, left=0)
    assert decided({0: 1.0}, left=0)


@pytest.mark.parametrize(("v1", "v2"), [(1, 0), (3, 0), (3, 1), (5, 2), (2, 2)])
def test_adaptive_is_the_beta_criterion(v1, v2):
    """P(p > 1/2) under Beta(v1 + 1, v2 + 1), by integrating the density in steps."""
    n = 20_000
    density = [((i + 0.5) / n) ** v1 * (1 - (i + 0.5) / n) ** v2 for i in range(n)]
    above = sum(density[n // 2 :]) / sum(density)
    assert probably_decided({0: v1, 1: v2}, above - 1e-4) is True
    assert probably_decided({0: v1, 1: v2}, above + 1e-4) is False


def test_adaptive_stops_earlier_than_majority():
    four = votes(0, 0, 0, 0)
    assert Adaptive(k=16, confidence=0.95).done(four)
    assert Majority(k=16).done(four) is None
    assert Adaptive(k=16, least=5).done(four) is None
    assert "no other answer can overtake" in Majority(k=6).done(four)


def test_weights_of_log_probability():
    seen = [Candidate(0, logprob=-2.0), Candidate(0, logprob=-2.0), Candidate(1, logprob=-0.1)]
    chosen = Weighted(by="logprob").choose(seen)
    assert chosen.sample == 2
    assert chosen.weights == pytest.approx((math.exp(-2), math.exp(-2), math.exp(-0.1)))
    assert Majority().choose(seen).sample == 0


def test_a_sample_without_log_probabilities_weighs_as_the_lightest():
    seen = [Candidate(0), Candidate(1, logprob=-1.0), Candidate(0, logprob=-3.0)]
    assert Weighted().choose(seen).weights == pytest.approx(
        (math.exp(-3), math.exp(-1), math.exp(-3))
    )
    none = Weighted(by="answer_logprob").choose(seen)
    assert none.reasons == ("the server gave no log-probabilities: plain majority",)


def test_borda_votes_by_rank():
    assert borda([0.5, 3.0, 1.0], 1.0) == [1.0, 3.0, 2.0]
    assert borda([2.0, 2.0, 1.0], 2.0) == [9.0, 9.0, 1.0]
    seen = [Candidate(0, certainty=9.0), Candidate(1, certainty=5.0), Candidate(1, certainty=4.0)]
    assert Weighted(by="certainty").choose(seen).weights == (9.0, 5.0, 4.0)
    assert Weighted(by="certainty", borda=0.5).choose(seen).sample == 1
    assert Weighted(by="certainty", borda=2.0).choose(seen).sample == 0
    # A sample without a vote takes no rank.
    assert Weighted(by="certainty", borda=1.0).choose([*seen, Candidate(None)]).weights[0] == 3.0


def test_clr_sums_reliability_over_equivalent_answers():
    """0.328 + 0.078 (4 and 3 of 5 claims) is less than 1 (5 of 5), though two against one."""
    r = {n: (n / 5) ** 5 for n in range(6)}
    seen = [Candidate(0, reliability=r[4]), Candidate(0, reliability=r[3])]
    assert Clr().choose([*seen, Candidate(1, reliability=r[5])]).sample == 2
    assert Clr().choose([*seen, *seen, *seen, Candidate(1, reliability=r[5])]).sample == 0
    assert Clr().choose([*seen, Candidate(1)]).weights == pytest.approx((r[4], r[3], 0.0))


def test_clr_without_a_validated_claim_is_the_majority():
    seen = [Candidate(0, reliability=0.0), Candidate(1, reliability=0.0), Candidate(1)]
    chosen = Clr().choose(seen)
    assert (chosen.sample, chosen.reasons) == (
        1,
        ("no sample's claims were validated: plain majority",),
    )


def test_best_of_n_trusts_the_verifier_then_the_votes():
    seen = [
        Candidate(0, passed=False, confidence=0.1),
        Candidate(0, passed=None, confidence=0.5),
        Candidate(1, passed=True, confidence=0.8),
        Candidate(2, passed=True, confidence=0.9),
    ]
    assert BestOfN().choose(seen).sample == 3
    assert BestOfN().choose(seen[:2]).sample == 1
    tied = [Candidate(0, passed=True), Candidate(1, passed=True), Candidate(1, passed=True)]
    assert BestOfN().choose(tied).sample == 1
    assert BestOfN(k=8).done(seen[:2]) is None
    assert "sample 2 passed" in BestOfN(k=8).done(seen[:3])
    assert BestOfN(k=8, stop_at_pass=False).done(seen) is None
    # What passed needs nobody to agree with it.
    alone = [Candidate(0, passed=False), Candidate(None, passed=True)]
    assert BestOfN().choose(alone).sample == Long2Short().choose(alone).sample == 1
    assert "sample 1 passed" in BestOfN(k=8).done(alone)


def test_long2short_takes_the_cheapest_verified_and_never_a_short_wrong_one():
    seen = [
        Candidate(0, 900, passed=True),
        Candidate(0, 300, passed=True),
        Candidate(0, 100, passed=None),
        Candidate(1, 10, passed=False),
    ]
    assert Long2Short().choose(seen).sample == 1
    nothing = Long2Short().choose([Candidate(0, 10, passed=False), *votes(1, 1)])
    assert (nothing.sample, nothing.reasons) == (1, ("no sample was verified: plain majority",))


def test_long2short_between_verified_answers_that_differ():
    """The majority of the verified decides, not the length."""
    seen = [
        Candidate(1, 10, passed=True),
        Candidate(0, 90, passed=True),
        Candidate(0, 80, passed=True),
    ]
    assert Long2Short().choose(seen).sample == 2


def test_what_each_method_needs():
    assert Weighted().logprobs == 1
    assert Weighted(by="certainty").logprobs == 5
    assert [m().verifies for m in (Majority, BestOfN, Long2Short, Clr)] == [
        False,
        True,
        True,
        False,
    ]
    assert BudgetForcing().k == 1


def test_choosing_is_blind_to_the_order_of_what_cannot_vote():
    rng = random.Random(0)
    for _ in range(200):
        seen = [Candidate(rng.choice((0, 1, None))) for _ in range(7)]
        voters = [one for one in seen if one.cluster is not None]
        whole, part = Majority().choose(seen), Majority().choose(voters)
        if part.sample is None:
            assert whole.sample is None
        else:
            assert seen[whole.sample].cluster == voters[part.sample].cluster
