"""Surface cues: named columns in [0, 1], bounded time on hostile text."""

import time

import numpy as np
import pytest

from router.signals.cues import CUES, cues


def on(text: str) -> set[str]:
    """The columns that a text switches on."""
    row = cues([text])[0]
    return {name for name, value in zip(CUES, row, strict=True) if value == 1.0}


def test_columns_are_named_once_and_match_the_rows() -> None:
    assert len(set(CUES)) == len(CUES)
    assert cues(["a", "b"]).shape == (2, len(CUES))
    assert cues([]).shape == (0, len(CUES))


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("Who painted it?", "who"),
        ("Write a small Python function that adds", "write_code"),
        ("Use pandas to read a file", "library"),
        ("Solve $x^2 = 2$", "latex"),
        ("7 * 8", "arithmetic"),
        ("Q\n(A) one\n(B) two\n", "options"),
        ("def f(x):\n    return x", "def_or_doctest"),
        ("Thanks a lot!", "chat"),
        ("Rewrite this politely", "rewrite"),
    ],
)
def test_a_cue_sees_what_it_is_named_for(text: str, column: str) -> None:
    assert column in on(text)


def test_twins_differ_in_their_cues() -> None:
    assert "with_library" in on("Sum a column with pandas")
    assert "library" not in on("Sum a list of numbers in a loop")


@pytest.mark.parametrize(
    "text",
    ["1" * 30_000, "a" + " " * 30_000, "\n" * 30_000, "?" * 30_000, "A) x " * 6_000,
     "aGVs" * 8_000, "return " * 5_000, "$" * 30_000, "if " * 9_000, "    a\n" * 5_000,
     "    " + "a;" * 9_000 + "b", "\\" * 30_000, "using the " * 3_000],
    ids=lambda t: repr(t[:6]),
)  # fmt: skip
def test_hostile_text_takes_bounded_time(text: str) -> None:
    started = time.perf_counter()
    row = cues([text * 5])
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
    assert np.isfinite(row).all() and row.min() >= 0 and row.max() <= 1
