"""Progress: what it says, on a terminal and elsewhere."""

import io

import pytest

from eval.runs.progress import describe, progress
from eval.runs.tally import Tally

HALF = Tally(planned=10, done=4, failed=1, interrupted=2, spent_usd=0.5, score=3)


def test_it_says_count_cost_expected_accuracy_and_time():
    said = describe(HALF, 3725.0)
    for part in ("5/10", "USD 0.500000", "of about 1.000000", "accuracy 0.600", "1:02:05 left"):
        assert part in said
    assert "1 failed" in said and "2 interrupted" in said
    assert describe(Tally(planned=3), None) == "0/3  USD 0.000000"


def test_elsewhere_than_on_a_terminal_it_writes_lines_the_last_one_always():
    out = io.StringIO()
    with progress(out=out) as show:
        show(Tally(planned=2))
        show(Tally(planned=2, done=1))
        show(Tally(planned=2, done=2))
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("0/2") and lines[-1].startswith("2/2") and "\x1b" not in lines[0]


def test_on_a_terminal_it_is_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    with progress(out=out) as show:
        show(Tally(planned=2, done=1, score=1))
    assert "1/2" in out.getvalue()


def test_quiet_is_quiet(capsys):
    with progress(quiet=True) as show:
        show(HALF)
    assert capsys.readouterr().err == ""


def test_worst_cases_of_interrupted_tries_are_expected_once():
    tally = Tally(planned=10, done=2, interrupted=4, spent_usd=0.5, interrupted_usd=0.4)
    assert tally.expected_usd == pytest.approx(0.1 / 2 * 10 + 0.4)
    assert "of about 0.900000" in describe(tally, None)
    assert Tally(planned=10).expected_usd is None
