"""The constant baselines."""

from policies import STOP, AlwaysLarge, AlwaysSmall, Outcome


def arm_of(policy, batch):
    choice = policy.choose(batch)
    choice.check(batch)
    column = int(choice.arm[0])
    return None if column == STOP else batch.arms[column].name


def test_each_takes_its_own_arm_whatever_the_axes(make_case):
    for axes in [(0.9, 0.1), (0.1, 0.9), (0.0, 0.0)]:
        assert arm_of(AlwaysSmall(), make_case(axes=[axes])) == "small"
        assert arm_of(AlwaysLarge(), make_case(axes=[axes])) == "large"


def test_one_call_and_the_verdict_is_not_looked_at(make_case):
    batch = make_case(history=[[("small", Outcome.ANSWERED, 0.0)]])
    choice = AlwaysSmall().choose(batch)
    assert choice.arm[0] == STOP
    assert choice.attempt[0] == 0
    assert choice.explain(0) == ("one call was made; this policy does not look at the verdict",)


def test_without_a_large_arm_the_small_one_answers_and_it_says_so(make_case):
    batch = make_case(unavailable=["large", "large+index"])
    assert arm_of(AlwaysLarge(), batch) == "small"
    assert "no large arm can be run" in AlwaysLarge().choose(batch).explain(0)[0]


def test_always_small_never_pays_for_a_large_one(make_case):
    assert arm_of(AlwaysSmall(), make_case(unavailable=["small"])) is None


def test_a_dead_call_is_followed_by_the_next_arm(make_case):
    batch = make_case(history=[[("large", Outcome.FAILED, 0.0)]])
    assert arm_of(AlwaysLarge(), batch) == "small"
