"""Which asserts of a prompt are run."""

import pytest

from router.verify.asserts import read_asserts


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("assert set(f((3, 4))) == set((4, 5))", True),
        ("- `assert abs(f(2) - 4) < 1e-9`", True),
        ("1. assert f(2)", True),
        ("assert not f(3)", True),
        ("    assert f(1) == f(2), 'the same'", True),
        ("assert f([1,\n          2]) == g(\n    3)", True),
        ("assert f('a')==('b')", True),
        ("assert all(f(n) == n for n in range(3))", True),
        ("assert math.isclose(f(2), 4)", True),
        ("assert f(2) == 4", False),  # an example
        ("assert f(x) == 4 or True", False),  # nobody defines x
        ("assert h(2) or 1", False),
        ("assert 1 == 1", False),
        ("You may assert f(2) or not", False),
        ("assert f(2", False),
        ("assert that f holds", False),
    ],
)
def test_lines(line: str, found: bool) -> None:
    question = f"Write f. Your code should satisfy these tests:\n{line}\nThank you."
    assert bool(read_asserts(question, {"f", "g"})) is found


def test_each_is_read_once_and_hostile_text_ends() -> None:
    assert read_asserts("assert f(2)\n" * 50, {"f"}) == ["assert f(2)"]
    assert read_asserts("assert f(" * 4000, {"f"}) == []
    assert read_asserts("assert f([\n" * 3000, {"f"}) == []
    assert len(read_asserts("\n".join(f"assert f({i})" for i in range(99)), {"f"})) == 40
