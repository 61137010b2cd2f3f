"""Reading files: what is wrong is named with its line."""

from pathlib import Path

import pytest

from eval.sources.files import present, read_csv, read_json_list, read_jsonl, take
from router.errors import InputError


def test_jsonl_counts_lines_from_one_and_skips_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"a": "x\u2028y"}\r\n\n{"a": 2}'.encode())
    assert list(read_jsonl(path)) == [(1, {"a": "x\u2028y"}), (3, {"a": 2})]


@pytest.mark.parametrize("text", ["{", "[1]", "\xff"])
def test_a_bad_jsonl_line_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' + text.encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.jsonl:2: "):
        list(read_jsonl(path))


@pytest.mark.parametrize("text", ["{}", "[1]", "[", ""])
def test_a_file_that_is_no_list_of_records_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"a\.json: "):
        read_json_list(path)
    with pytest.raises(InputError, match=r"none\.json: "):
        read_json_list(tmp_path / "none.json")


def test_a_csv_tells_the_line_where_a_record_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('p,q\n"two\nlines",1\nx,2\n')
    assert list(read_csv(path, ("p",))) == [
        (3, {"p": "two\nlines", "q": "1"}),
        (4, {"p": "x", "q": "2"}),
    ]


def test_a_csv_without_a_column_or_with_an_open_quote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("p,q\n1,2\n")
    with pytest.raises(InputError, match="lacks column 'r'"):
        list(read_csv(path, ("p", "r")))
    path.write_text('p,q\n1,"2\n')
    with pytest.raises(InputError, match="no CSV"):
        list(read_csv(path))


def test_a_field_has_to_be_there() -> None:
    assert take({"a": None}, "a", "here") is None
    with pytest.raises(InputError, match="^here: field 'b' is missing"):
        take({"a": 1}, "b", "here")


def test_files_are_sorted_and_none_is_an_error(tmp_path: Path) -> None:
    for name in ("b.json", "a.json"):
        (tmp_path / name).touch()
    assert [p.name for p in present(tmp_path, "*.json")] == ["a.json", "b.json"]
    with pytest.raises(InputError, match=r"no file \*\.zip here"):
        present(tmp_path, "*.zip")
