"""Pools: what of an outcome set is kept, what votes, what is said about the rest."""

import pytest

from eval.scaling.inputs import by_benchmark, read_pools
from eval.scaling.joining import interleaved, shared
from eval.scaling.pool import pools_of
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import write_outcomes

from .synthetic import of_rows, rows, samples


def pool(data, kind="plain"):
    (made,) = pools_of(data, kind, "here")
    return made


def test_a_row_becomes_what_a_method_may_look_at():
    made = pool(
        samples(
            [[0, 1]],
            logprob_mean=-0.5,
            logprob_answer=-0.2,
            certainty=3.0,
            reliability=0.3,
            verdict=lambda q, s: ("passed", "unknown")[s],
            verdict_confidence=0.9,
        )
    )
    first, second = (one.candidate for one in made.asked[0].samples)
    assert first._asdict() == {
        "cluster": 0, "completion_tokens": 10, "logprob": -0.5, "answer_logprob": -0.2,
        "certainty": 3.0, "passed": True, "confidence": 0.9, "reliability": 0.3,
    }  # fmt: skip
    assert second.passed is None and second.cluster == 1
    assert made.score.tolist() == [[1.0, 0.0]] and made.tokens.tolist() == [[110.0, 110.0]]
    assert made.usd.tolist() == [[0.001, 0.001]]
    assert (made.k, made.model, made.benchmark, made.arm) == (2, "tiny-1m", "sums", "small")
    assert made.notes == ()


def test_a_failed_sample_stays_without_a_vote_and_its_tokens_are_paid():
    made = pool(samples([[None, 0]]))
    failed = made.asked[0].samples[0]
    assert failed.candidate.cluster is None and failed.score == 0 and failed.tokens == 110
    assert made.notes == ("plain: 1 of 2 samples failed: score 0, no vote, tokens paid",)


def test_a_failed_sample_may_have_no_counts_another_one_may_not():
    gone = {"prompt_tokens": None, "completion_tokens": None}
    own = rows([[None, 0]])
    own[0] |= gone
    assert pool(of_rows(own)).tokens.tolist() == [[0.0, 110.0]]
    own[1] |= gone
    with pytest.raises(InputError, match="q000, sample 1 has no token counts"):
        pool(of_rows(own))


def test_what_was_cut_off_has_its_score_and_no_vote():
    own = rows([[0, 1]])
    own[0] |= {"status": "truncated", "answer_cluster": None}
    made = pool(of_rows(own))
    assert made.asked[0].samples[0].candidate.cluster is None
    assert made.score.tolist() == [[1.0, 0.0]]
    assert "1 of 2 samples were cut off" in made.notes[0] and "(1 of them" in made.notes[0]


def test_unequal_numbers_of_samples_are_cut_left_out_and_counted():
    made = pool(samples([[0, 1, 0], [0, 1, 0], [0], [0, 0, 0, 1]]))
    assert made.k == 3 and [one.id for one in made.asked] == ["q000", "q001", "q003"]
    assert made.notes == (
        "plain: 1 questions with fewer than 3 samples left out",
        "plain: 1 questions have more than 3 samples: the first 3 are used",
    )


def test_a_question_with_a_missing_row_leaves():
    own = rows([[0, 1], [0, 1]])
    own[3] |= {"status": "missing", "score": None}
    made = pool(of_rows(own))
    assert len(made.asked) == 1
    assert made.notes == ("plain: 1 questions with a missing sample left out",)


def test_what_makes_no_pool_is_refused():
    with pytest.raises(InputError, match="--pool here: most questions of sums have 1 samples"):
        pool(samples([[0], [1]]))
    two = of_rows(rows([[0, 1]]) + rows([[0, 1]], arm="large"))
    with pytest.raises(InputError, match=r"this set has 2 \(small, large\)"):
        pool(two)
    with pytest.raises(InputError, match="policy's attempts"):
        pool(samples([[0, 1]], attempt=1))


def test_costs_that_are_not_recorded_are_none():
    assert pool(samples([[0, 1]], cost_usd=None, cost_basis=None)).usd is None


def test_the_checksum_sees_what_numbers_are_made_of():
    base = pool(samples([[0, 1]])).checksum
    assert base == pool(samples([[0, 1]])).checksum and len(base) == 16
    assert base != pool(samples([[0, 1]], completion_tokens=11)).checksum


def test_what_the_runner_noted_is_passed_on():
    data = samples([[0, 1]])
    noted = OutcomeSet(data.outcomes, data.queries, {"notes": ["greedy arms repeat themselves"]})
    assert pool(noted).notes == ("plain: greedy arms repeat themselves",)


def test_variants_are_interleaved_and_equal_answers_are_one():
    warm = pool(samples([[0, 1]], answer=lambda q, s: "ab"[s]), "spectrum")
    check = pool(samples([[0, 1]], answer=lambda q, s: "cb"[s]), "spectrum")
    made = interleaved([warm, check])
    assert (made.k, made.turns, made.kind) == (4, 2, "spectrum")
    told = [(s.answer, s.candidate.cluster) for s in made.asked[0].samples]
    assert [text for text, _ in told] == ["a", "c", "b", "b"]
    numbers = [number for _, number in told]
    assert numbers[2] == numbers[3] and len(set(numbers)) == 3


def test_a_comparison_keeps_the_questions_that_all_have():
    one, other = pool(samples([[0, 1]] * 3)), pool(samples([[0, 1]] * 2))
    kept, note = shared([one, other])
    assert [len(p.asked) for p in kept] == [2, 2]
    assert note == ("1 questions that not every pool has left out",)
    with pytest.raises(InputError, match="share no question"):
        shared([one, pool(samples([[0, 1]], query_id="else"))])


def test_pools_are_read_by_kind_and_place(tmp_path):
    write_outcomes(samples([[0, 1]]), tmp_path / "a")
    write_outcomes(samples([[0, 1]], reliability=0.5), tmp_path / "b")
    places = [str(tmp_path / "a"), f"clr={tmp_path / 'b'}"]
    places += [f"spectrum={tmp_path / 'a'}", f"spectrum={tmp_path / 'b'}"]
    found = by_benchmark(read_pools(places))
    assert {kind: p.k for kind, p in found["sums"].items()} == {"plain": 2, "clr": 2, "spectrum": 4}
    with pytest.raises(InputError, match=r"no kind 'x'; there are: plain, clr, forced, spectrum"):
        read_pools([f"x={tmp_path / 'a'}"])
    with pytest.raises(InputError, match="two plain pools of sums"):
        by_benchmark(read_pools([str(tmp_path / "a")] * 2))


def test_variants_in_turn_with_an_equivalence_of_the_benchmarks_own():
    """Answers that are written differently and behave alike share a vote over the variants."""
    a, b = pool(samples([[1, 3]]), "spectrum"), pool(samples([[2, 2]]), "spectrum")
    made = interleaved([a, b], lambda id_, answers: [int(x) % 2 for x in answers])
    assert [s.candidate.cluster for s in made.asked[0].samples] == [1, 0, 1, 0]
    plain = interleaved([a, b])
    assert [s.candidate.cluster for s in plain.asked[0].samples] == [0, 2, 1, 2]
