"""Long texts in pieces: the ends are read, the weights sum to one."""

import pytest

from router.signals.segments import MAX_UNITS, segments


@pytest.mark.parametrize("text", ["", "short", "x" * MAX_UNITS, " short \n"])
def test_a_short_text_is_one_segment(text: str) -> None:
    assert [(s.text, s.weight) for s in segments(text)] == [(text.strip(), 1.0)]


def test_a_longer_text_is_its_two_ends() -> None:
    text = "first " + "x" * MAX_UNITS + " last"
    head, tail = segments(text)
    assert head.text.startswith("first") and tail.text.endswith("last")
    assert len(head.text) + len(tail.text) >= len(text)  # nothing is lost between them


def test_a_long_text_is_its_ends_and_its_middle() -> None:
    text = "first " + "x" * 50_000 + " middle " + "y" * 50_000 + " last"
    head, tail, middle = segments(text)
    assert head.text.startswith("first") and tail.text.endswith("last")
    assert "middle" in middle.text and middle.weight < head.weight == tail.weight


def test_other_scripts_make_shorter_segments() -> None:
    assert len(segments("字" * 900)) > 1 and len(segments("x" * 900)) == 1
    assert len(segments("字" * 5_000)[0].text) < len(segments("x" * 5_000)[0].text) / 2


@pytest.mark.parametrize("n", [10, 1_001, 1_500, 1_601, 3_000, 100_000])
@pytest.mark.parametrize("char", ["x", "字", "🙂", "\ud800"])
def test_weights_sum_to_one_and_pieces_are_bounded(n: int, char: str) -> None:
    found = segments(char * n)
    assert sum(s.weight for s in found) == pytest.approx(1)
    assert all(0 < len(s.text) <= MAX_UNITS for s in found)
