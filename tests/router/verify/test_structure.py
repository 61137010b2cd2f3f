"""Answers taken apart, and compared part by part."""

import pytest

from router.verify.structure import alike, shape_of


def same(gold: str, answer: str) -> bool:
    return gold.replace(" ", "") == answer.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "kind", "parts", "mark"),
    [
        ("5", "value", 0, ""), ("1, 2, 3", "list", 3, ""), ("1 or 2", "list", 2, ""),
        (r"\{1, 2\}", "list", 2, ""),
        ("(1, 2]", "ordered", 2, "(]"), ("((1,2),3)", "ordered", 2, "()"), ("(5)", "value", 0, ""),
        ("(x+1)(x-1)", "value", 0, ""), (r"(0,9) \cup (9,36)", "union", 2, ""),
        (r"1 \pm \sqrt{2}", "list", 2, ""), (r"\{1 \pm 2, 5\}", "list", 3, ""),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "matrix", 4, "2,2"),
        (r"\begin{vmatrix} 1 & 2 \\ 3 & 4 \end{vmatrix}", "value", 0, ""),
        ("52_8", "based", 0, "8"), ("52_{eight}", "based", 0, "8"),
        ("52 (base 8)", "based", 0, "8"),
        ("x_1", "value", 0, ""), ("x > 2", "ordered", 2, "()"), (r"x \le 2", "ordered", 2, "(]"),
        (r"-2 \le x < 7", "ordered", 2, "[)"), ("1200, 3", "list", 2, ""),
    ],
)  # fmt: skip
def test_shapes(text: str, kind: str, parts: int, mark: str) -> None:
    shape = shape_of(text)
    assert (shape.kind, len(shape.parts), shape.mark) == (kind, parts, mark)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("1, 2", "2, 1"), ("1, 2", r"\{2, 1\}"), ("1, 2", "x = 1 or x = 2"), ("x = 5", "5"),
        ("5", "(5)"),
        (r"x \in [1,2]", "[1, 2]"), ("[1,2]", r"1 \le x \le 2"), (r"(2, \infty)", "x > 2"),
        (r"(-\infty, 2]", r"x \le 2"), (r"(1,2) \cup (3,4)", r"(3,4) \cup (1,2)"),
        ("(x,y) = (1,2)", "(1,2)"),
        (r"1 \pm a", "1 - a, 1 + a"), ("052_8", "52_{8}"), ("f(x) = 2x", "2x"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}"),
    ],
)  # fmt: skip
def test_alike(gold: str, answer: str) -> None:
    assert alike(shape_of(gold), shape_of(answer), same)
    assert alike(shape_of(answer), shape_of(gold), same)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("1, 2", "1"), ("1, 2", "1, 2, 3"), ("1, 1", "1, 2"), ("1, 2", "(1, 2)"),
        ("(1, 2)", "(2, 1)"),
        ("(1, 2)", "[1, 2]"), ("(1, 2]", "(1, 2)"), ("x = 5", "y = 5"), ("52_8", "52_9"),
        ("52_8", "52"),
        (r"(2, \infty)", r"x \ge 2"), (r"(2, \infty)", "x < 2"), (r"(0,9) \cup (9,36)", "(0,36)"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1&2\end{pmatrix}"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
        (r"1 \pm a", "1 + a"), ("(1,234)", "1234"),
    ],
)  # fmt: skip
def test_not_alike(gold: str, answer: str) -> None:
    assert not alike(shape_of(gold), shape_of(answer), same)
    assert not alike(shape_of(answer), shape_of(gold), same)


@pytest.mark.parametrize(
    "text", ["", ",", "()", "(,)", r"\{\}", "((((", "))))", r"\cup", r"\pm", "x =", "1,,2"]
)
def test_broken_text_is_one_value(text: str) -> None:
    assert shape_of(text).kind in ("value", "list")
