"""One spelling for each value, and nothing lost that changes it."""

import time

import pytest

from router.verify.spelling import closed_value, is_words, spelled, thousands, words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"so \boxed{5} and \boxed{5}", "5"),
        (r"\boxed{4} or \boxed{5}", None),
        (r"\boxed{ 1 2} or \boxed{12}", "12"),
        (r"<think>\boxed{4}</think>\boxed{5}", "5"),
        ("<think>5", ""),
        ("The answer is $5$.", "$5$"),
        ("#### 5", "5"),
        ("5 apples", "5 apples"),
    ],
)
def test_the_value_to_compare(text: str, value: str | None) -> None:
    assert closed_value(text) == value


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("$5$", "5"), ("$$5$$.", "5"), (r"\(5\)", "5"), (r"\[ 5 \]", "5"), ("**5**", "5"),
        ("`5`", "5"),
        (r"\$20.00", "20.00"), ("£3", "3"), ("20 dollars", "20"), ("USD 20", "20"),
        ("1,200", "1200"), (r"10,\!080", "10080"), ("1{,}200.50", "1200.50"),
        ("(1,234)", "(1,234)"),
        ("1,20", "1,20"), (r"\dfrac{1}{2}", r"\frac{1}{2}"), (r"\tfrac12", r"\frac{1}{2}"),
        (r"\frac9{19}", r"\frac{9}{19}"), (r"\frac 59", r"\frac{5}{9}"), (r"90^\circ", "90"),
        ("90°", "90"), (r"90^{\circ}", "90"), (r"25\%", "25%"), ("25 percent", "25%"),
        (r"864 \mbox{ inches}^2", "864"), ("15 cm^2", "15"), (r"12\pi\text{ cm}", r"12\pi"),
        ("2k", "2k"), ("5m", "5m"), (r"5\text{ m}", "5"), ("60 miles per hour", "60"),
        ("60 km/h", "60 km/h"), (r"\left(1, 2\right)", "(1, 2)"), (r"2\cdot x", r"2\cdot x"),
        (r"1\frac{4}{5}", r"(1+\frac{4}{5})"), ("1 4/5", r"(1+\frac{4}{5})"), ("14/5", "14/5"),
        (r"x\frac{4}{5}", r"x\frac{4}{5}"), ("5 million", r"5 \times 10^{6}"), ("2π", r"2\pi"),
        ("2 pi", r"2 \pi"), ("√13", r"\sqrt{13}"), ("sqrt(13)", r"\sqrt{13}"), ("2**3", "2^3"),
        ("−3", "-3"), ("(-inf, 0]", r"(-\infty , 0]"), ("x ≤ 2", r"x \le 2"), (".5", ".5"),
        ("5.", "5"),
        (r"\text{east}", r"\text{east}"), (r"\text{(C)}", r"\text{(C)}"),
        (r"1\text{ or }2", "1 or 2"), (r"\frac{1}{2}\\ 3", r"\frac{1}{2}\\ 3"),
        ("ten dollars", "ten dollars"),
        ("", ""),
    ],
)  # fmt: skip
def test_spellings(text: str, canonical: str) -> None:
    assert spelled(text) == canonical


@pytest.mark.parametrize(
    ("text", "so"),
    [
        (r"\text{A}", True), ("Evelyn", True), ("yes", True), (r"\text{(C)}", True), ("ab", False),
        ("5 apples", False), ("sin x", False), (r"x\text{ or }y", False), ("p - q", False),
        ("", False),
    ],
)  # fmt: skip
def test_words_and_formulas(text: str, so: bool) -> None:
    assert is_words(text) is so


def test_words_have_no_case_and_no_dress() -> None:
    assert words(r"\text{(C)}") == words("c") == "c"
    assert words("not even") != words("even")


def test_thousands_only_where_that_is_all() -> None:
    assert thousands("1,200,000.5") == "1200000.5"
    assert thousands("1,200, 3") == "1,200, 3"


@pytest.mark.parametrize(
    "piece", ["\\text{", "$", " ", "\\frac", "1,", "1 ", "^\\circ", "-", "a ", "\\ "]
)
def test_long_hostile_text_is_read_in_linear_time(piece: str) -> None:
    started = time.perf_counter()
    spelled(piece * (500 // len(piece)))
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
