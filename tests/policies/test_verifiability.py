"""The threshold policy: where each region of the plane starts, and when it escalates."""

from dataclasses import replace

import numpy as np
import pytest

from policies import NEEDS, STOP, Arm, Outcome, Verifiability

NAN = float("nan")
NO_LARGE = ("large", "large+index")


def walk(make_case, axes, script, unavailable=(), policy=None, **kwargs):
    """Arms in the order tried, when each arm answers as `script` says; ends at STOP."""
    policy = policy or Verifiability()
    history = []
    while True:
        batch = make_case(axes=[axes], history=[history], unavailable=unavailable, **kwargs)
        choice = policy.choose(batch)
        choice.check(batch)
        column = int(choice.arm[0])
        if column == STOP:
            return [h[0] for h in history], int(choice.attempt[0]), choice.explain(0)
        name = batch.arms[column].name
        history.append((name, *script.get(name, (Outcome.ANSWERED, 0.0))))


@pytest.mark.parametrize(
    ("axes", "first"),
    [
        ((0.9, 0.1), "small"),
        ((0.1, 0.1), "small"),
        ((0.1, 0.9), "small+index"),
        ((0.9, 0.9), "small+index"),
    ],
)
def test_where_each_region_starts(make_case, axes, first):
    batch = make_case(axes=[axes])
    assert batch.arms[Verifiability().choose(batch).arm[0]].name == first


def test_a_passed_check_ends_the_run(make_case):
    tried, best, why = walk(make_case, (0.9, 0.1), {"small": (Outcome.ANSWERED, 1.0)})
    assert (tried, best, why) == (["small"], 0, ("the answer passed its check",))


def test_a_failed_check_escalates_to_large(make_case):
    tried, best, _ = walk(make_case, (0.9, 0.1), {"large": (Outcome.ANSWERED, 1.0)})
    assert (tried, best) == (["small", "large"], 1)


def test_an_unchecked_answer_is_kept_unless_told_otherwise(make_case):
    script = {"small": (Outcome.ANSWERED, NAN), "large": (Outcome.ANSWERED, NAN)}
    assert walk(make_case, (0.1, 0.1), script)[0] == ["small"]
    strict = Verifiability(escalate_unchecked=True)
    assert walk(make_case, (0.1, 0.1), script, policy=strict)[0] == ["small", "large"]


def test_an_unsupported_small_answer_to_a_knowledge_question_escalates(make_case):
    script = {"small+index": (Outcome.ANSWERED, NAN), "large": (Outcome.ANSWERED, NAN)}
    tried, best, why = walk(make_case, (0.1, 0.9), script)
    assert (tried, best) == (["small+index", "large"], 1)
    assert why == ("nothing could check the answer, so it is kept as it is",)
    tried, best, _ = walk(make_case, (0.1, 0.9), script, NO_LARGE)
    assert (tried, best) == (["small+index"], 0)


@pytest.mark.parametrize("outcome", [Outcome.INCOMPLETE, Outcome.ABSTAINED, Outcome.FAILED])
def test_no_answer_escalates(make_case, outcome):
    script = {"small+index": (outcome, 0.0), "large": (Outcome.ANSWERED, NAN)}
    tried, best, _ = walk(make_case, (0.1, 0.9), script)
    assert (tried, best) == (["small+index", "large"], 1)


def test_knowledge_never_goes_to_the_small_model_alone_while_anything_else_runs(make_case):
    for unavailable in [(), NO_LARGE, ("small+index", "large+index")]:
        tried, _, _ = walk(make_case, (0.1, 0.9), {}, unavailable)
        assert "small" not in tried


def test_an_abstention_is_not_replaced_by_a_closed_book_guess(make_case):
    script = {"small+index": (Outcome.ABSTAINED, 0.0)}
    tried, best, why = walk(make_case, (0.1, 0.9), script, NO_LARGE)
    assert (tried, best) == (["small+index"], 0)
    assert why == ("no further arm can be run, so the best attempt so far is returned",)


def test_with_neither_index_nor_large_the_small_model_is_the_last_resort(make_case):
    gone = (*NO_LARGE, "small+index")
    batch = make_case(axes=[(0.1, 0.9)], unavailable=gone)
    choice = Verifiability().choose(batch)
    assert batch.arms[choice.arm[0]].name == "small"
    assert "nothing better can be run, so the small model answers alone" in choice.explain(0)


def test_a_language_the_small_model_was_not_made_for(make_case):
    small = ("small", "small+index")
    tried, _, _ = walk(make_case, (0.9, 0.1), {"large": (Outcome.ANSWERED, NAN)}, not_capable=small)
    assert tried == ["large"]
    batch = make_case(axes=[(0.9, 0.1)], unavailable=NO_LARGE, not_capable=small)
    assert batch.arms[Verifiability().choose(batch).arm[0]].name == "small"


def test_nothing_available_stops_with_nothing(make_case):
    tried, best, _ = walk(make_case, (0.9, 0.1), {}, ("small", "small+index", *NO_LARGE))
    assert (tried, best) == ([], -1)


def test_rows_of_a_batch_are_independent(make_case):
    rng = np.random.default_rng(3)
    axes = rng.random((200, 2))
    together = Verifiability().choose(make_case(axes=axes.tolist()))
    for i in range(0, 200, 7):
        alone = Verifiability().choose(make_case(axes=[axes[i].tolist()]))
        assert alone.arm[0] == together.arm[i]
        assert alone.explain(0) == together.explain(i)


def test_two_arms_only(make_case):
    arms = (Arm("mixtral", "small"), Arm("gpt-4", "large"))
    batch = make_case(axes=[(0.9, 0.1), (0.1, 0.9)], arms=arms)
    assert Verifiability().choose(batch).arm.tolist() == [0, 1]


REPOSITORY = [float(need == "repository") for need in NEEDS]


@pytest.mark.parametrize("axes", [(0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.1, 0.1)])
def test_repository_work_goes_to_a_large_model_wherever_it_stands(make_case, axes):
    batch = make_case(axes=[axes], needs=[REPOSITORY])
    choice = Verifiability().choose(batch)
    assert batch.arms[choice.arm[0]].name == "large"
    assert choice.explain(0) == ("many files, a build or tools are at stake, so ask a large model",)


def test_repository_work_never_meets_the_small_arm_while_a_large_one_is_left(make_case):
    script = {"large": (Outcome.FAILED, NAN), "large+index": (Outcome.ANSWERED, NAN)}
    tried, best, _ = walk(make_case, (0.9, 0.1), script, needs=[REPOSITORY])
    assert (tried, best) == (["large", "large+index"], 1)


def test_repository_work_with_no_large_model_is_a_last_resort(make_case):
    script = {"small+index": (Outcome.ANSWERED, NAN)}
    tried, _, why = walk(make_case, (0.9, 0.1), script, needs=[REPOSITORY], unavailable=NO_LARGE)
    assert tried[0] == "small+index"
    assert why


def test_other_needs_change_nothing(make_case):
    others = [[float(need != "repository") for need in NEEDS]]
    batch = make_case(axes=[(0.9, 0.1)], needs=others)
    assert batch.arms[Verifiability().choose(batch).arm[0]].name == "small"


def looked(make_case, p, **kwargs):
    """A facts question whose passages were judged; NaN: nobody looked."""
    batch = make_case(axes=[(0.1, 0.9)], **kwargs)
    return replace(batch, features={**batch.features, "answerability": np.array([[p]])})


@pytest.mark.parametrize(
    ("p", "first"),
    [(0.9, "small+index"), (0.5, "small+index"), (0.49, "large"), (NAN, "small+index")],
)
def test_what_the_passages_hold_decides_between_index_and_large(make_case, p, first):
    batch = looked(make_case, p)
    choice = Verifiability().choose(batch)
    assert batch.arms[choice.arm[0]].name == first
    told = " ".join(choice.explain(0))
    assert ("hardly hold" in told) == (first == "large")
    assert ("probably hold" in told) == (p >= 0.5)


def test_passages_that_lack_the_answer_are_the_fallback_and_small_alone_the_last(make_case):
    order = []
    for gone in ((), ("large",), ("large", "small+index"), ("large", "small+index", "large+index")):
        batch = looked(make_case, 0.1, unavailable=gone)
        order.append(batch.arms[Verifiability().choose(batch).arm[0]].name)
    assert order == ["large", "small+index", "large+index", "small"]


def test_facts_in_a_language_of_no_arm_still_avoid_the_small_model_alone(make_case):
    everyone = ("small", "small+index", "large", "large+index")
    for gone, first in [(("large", "large+index"), "small+index"), (("small+index",), "large")]:
        batch = make_case(axes=[(0.1, 0.9)], unavailable=gone, not_capable=everyone)
        choice = Verifiability().choose(batch)
        assert batch.arms[choice.arm[0]].name == first
        assert "the small model answers alone" not in " ".join(choice.explain(0))


def test_other_questions_do_not_look_at_passages(make_case):
    batch = make_case(axes=[(0.9, 0.1)])
    seen = replace(batch, features={**batch.features, "answerability": np.array([[0.01]])})
    assert Verifiability().choose(seen).arm[0] == Verifiability().choose(batch).arm[0]
