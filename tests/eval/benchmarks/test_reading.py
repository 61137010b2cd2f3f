"""Question files line by line, and answers without their thinking."""

from pathlib import Path

import pytest

from eval.benchmarks.reading import rows, visible
from router.errors import InputError


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"{}\n[1]\n", 2),
        (b"{}\nnot json\n", 2),
        (b"\xff\xfe\n", 1),
        (b"\n\n{", 3),
        (b"[" * 100_000, 1),
        (b'{"a": "\x00"}', 1),
    ],
)
def test_a_bad_line_is_named_and_not_quoted(tmp_path: Path, content: bytes, line: int) -> None:
    file = tmp_path / "q.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(rows(file, "the FORMAT"))
    assert f"{file}, line {line}: " in str(caught.value)
    assert "expected the FORMAT" in str(caught.value)
    assert "not json" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"\n \n"])
def test_no_file_and_no_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "q.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"q\.jsonl.*expected the FORMAT"):
        list(rows(file, "the FORMAT"))
    with pytest.raises(InputError, match="expected the FORMAT"):
        list(rows(tmp_path, "the FORMAT"))


def test_lines_end_at_a_line_feed_only(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_bytes('\ufeff{"a": "x\u2028y"}\r\n\n{"a": 2}'.encode())
    assert list(rows(file, "")) == [(1, {"a": "x\u2028y"}), (3, {"a": 2})]


def test_thinking_is_no_answer() -> None:
    assert visible("<think>a</think> b\x00") == "b"
    assert visible("<think>a") == ""
