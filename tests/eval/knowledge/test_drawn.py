"""What is asked: drawn evenly, written once, read back; and what readers are given."""

from collections import Counter

import pytest

from eval.knowledge.conditions import FROM_FIELD, FROM_OTHERS, library
from eval.knowledge.drawn import draw_evenly, fields_of, read_questions, write_questions
from eval.knowledge.questions import generate, holds
from eval.knowledge.split import part_of
from router.errors import InputError


def test_every_field_in_turn():
    drawn = draw_evenly(0, limit=130)
    known = fields_of(generate(0))
    counts = Counter(q.field for q in drawn)
    assert set(counts) == set(known)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert set(fields_of(drawn[: len(known)])) == set(known)  # the first round is whole


def test_a_longer_draw_starts_with_the_shorter_one():
    assert draw_evenly(0, limit=200)[:50] == draw_evenly(0, limit=50)


def test_what_may_be_restricted():
    drawn = draw_evenly(0, per_field=3, fields=("capital", "area"), leave_out=("bt", "fr"))
    assert Counter(q.field for q in drawn) == {"capital": 3, "area": 3}
    every = draw_evenly(0, fields=("capital",))
    assert "bt" in {q.code for q in every}
    assert "bt" not in {q.code for q in draw_evenly(0, fields=("capital",), leave_out=("bt",))}
    scored = draw_evenly(0, fields=("capital",), leave_out=("tune", "fit"))
    assert {part_of(q.code) for q in scored} == {"score"}


def test_an_unknown_field_and_no_question():
    with pytest.raises(InputError, match=r"--field: no field 'colour'; there are: capital"):
        draw_evenly(0, fields=("colour",))
    codes = tuple({q.code for q in generate(0)})
    with pytest.raises(InputError, match="no question is left"):
        draw_evenly(0, leave_out=codes)


def test_written_once_and_read_back(tmp_path):
    file = tmp_path / "x" / "questions.jsonl"
    drawn = draw_evenly(0, limit=5)
    write_questions(drawn, file)
    write_questions(drawn, file)
    assert read_questions(file) == drawn
    with pytest.raises(InputError, match=r"questions\.jsonl holds other questions"):
        write_questions(drawn[:4], file)
    assert read_questions(file) == drawn


@pytest.mark.parametrize(
    ("line", "said"),
    [("{}", "no question \\(id\\)"), ("x", "no JSON object"), ("", "no questions in it")],
)
def test_a_bad_file(tmp_path, line, said):
    file = tmp_path / "q.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(InputError, match=rf"q\.jsonl.*{said}"):
        read_questions(file)


def test_gold_passages_hold_the_answer_and_distractors_do_not():
    for question in draw_evenly(0, limit=70):
        gold = library().gold(question)
        assert 1 <= len(gold) <= 3
        assert all(holds(question, p.source, p.title, p.text) for p in gold)
        away = library().distractors(question, 0)
        assert len(away) == FROM_OTHERS + FROM_FIELD
        assert not any(holds(question, p.source, p.title, p.text) for p in away)
        field = question.source.partition("#")[2]
        same_field = [p for p in away if p.source.split("~")[0].endswith(f"#{field}")]
        same_country = [p for p in away if f"/{question.code}#" in p.source]
        assert len(same_field) >= FROM_OTHERS and len(same_country) <= FROM_FIELD
        assert len(same_field) + len(same_country) == len(away)
        assert not set(same_field) & set(same_country)


def test_distractors_are_drawn_by_seed():
    question = draw_evenly(0, limit=1)[0]
    assert library().distractors(question, 0) == library().distractors(question, 0)
    assert len({library().distractors(question, seed) for seed in range(5)}) > 1
