"""What is listed: known sources first, then one's own sets; names are single folders."""

from pathlib import Path

import polars as pl
import pytest

from eval.sources.assemble import assemble
from eval.sources.source import sources
from eval.sources.stored import listed, plain_name
from router.errors import InputError
from router.outcomes import outcomes_dir, write_outcomes


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path))
    return tmp_path


def store(name: str, **about: str) -> None:
    rows = pl.DataFrame(
        {
            "source": ["t"] * 2,
            "benchmark": ["b"] * 2,
            "query_id": ["1"] * 2,
            "arm": ["s", "l"],
            "status": ["ok"] * 2,
            "score": [0.0, 1.0],
        }
    )
    queries = pl.DataFrame({"source": ["t"], "benchmark": ["b"], "query_id": ["1"]})
    write_outcomes(assemble(rows, queries, {"name": name, **about}), name)


def test_without_anything_stored_all_sources_are_listed() -> None:
    lines = listed()
    assert [line.name for line in lines] == list(sources())
    assert {line.rows for line in lines} == {None}
    assert lines[0].cells()[3:] == ("60", "-", "-", "-")


def test_a_stored_source_shows_its_counts() -> None:
    store("zeroeval")
    line = next(line for line in listed() if line.name == "zeroeval")
    assert (line.rows, line.queries, line.arms) == (2, 1, 2)


def test_other_sets_come_last_and_say_where_they_are_from() -> None:
    store("z", home="https://github.com/a/b", commit="c", licence="MIT")
    store("a", file="mine.csv")
    first, last = listed()[-2:]
    assert (first.name, first.home, first.licence) == ("a", "mine.csv", "-")
    assert last.cells()[:3] == ("z", "a/b at c", "MIT")


def test_a_damaged_set_is_named() -> None:
    store("a")
    (outcomes_dir() / "a" / "outcomes.parquet").write_bytes(b"cut")
    with pytest.raises(InputError, match="stored set a: cannot be read"):
        listed()
    (outcomes_dir() / "a" / "about.json").write_text("{")
    with pytest.raises(InputError, match="import it again"):
        listed()


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "a\\b"])
def test_a_name_is_one_visible_folder(name: str) -> None:
    with pytest.raises(InputError, match="--as NAME"):
        plain_name(name)
    assert plain_name("a.b-c") == "a.b-c"
