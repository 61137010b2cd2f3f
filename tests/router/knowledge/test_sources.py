"""The list of sources: what a place means, names of its own, one file whole or not at all."""

from pathlib import Path

import pytest

from router.errors import InputError, KnowledgeError
from router.knowledge.sources import (
    FACTBOOK,
    find_source,
    read_sources,
    source_of,
    with_source,
    write_sources,
)


@pytest.mark.parametrize(
    "place", ["https://x.invalid/a.pdf", "file:///etc/passwd", "package:", " "]
)
def test_addresses_and_nothing_are_no_places(place: str) -> None:
    with pytest.raises(InputError):
        source_of(place)


def test_what_a_place_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = source_of("docs", "zoo", ["*.md"], ["old/*"])
    assert (made.id, made.kind, made.place) == ("docs", "path", str(tmp_path / "docs"))
    assert (made.group, made.include, made.exclude) == ("zoo", ("*.md",), ("old/*",))
    assert source_of("factbook") == FACTBOOK
    assert source_of("./factbook").kind == "path"
    package = source_of("package:typer")
    assert (package.kind, package.place, package.group) == ("package", "typer", "package:typer")


def test_a_source_keeps_its_name_and_another_gets_its_own() -> None:
    one, one_ = with_source((), source_of("/a/docs"))
    two, two_ = with_source(one, source_of("/b/docs"))
    assert (one_.id, two_.id) == ("docs", "docs-2")
    again, named = with_source(two, source_of("/b/docs", "zoo"))
    assert [s.id for s in again] == ["docs", "docs-2"]
    assert (named.id, again[1].group) == ("docs-2", "zoo")
    assert find_source(again, "docs-2") == find_source(again, "/b/docs") == named
    assert find_source([FACTBOOK], "factbook") == FACTBOOK
    with pytest.raises(InputError, match=r"there are: docs, docs-2"):
        find_source(again, "docs-3")


def test_the_list_comes_back_and_a_broken_one_is_named(tmp_path: Path) -> None:
    assert read_sources(tmp_path) == ()
    told = (source_of("/a/docs", "zoo", ["*.md"]), FACTBOOK)
    write_sources(tmp_path, told)
    assert read_sources(tmp_path) == told
    (tmp_path / "sources.json").write_text('{"format": 2, "sources": []}')
    with pytest.raises(KnowledgeError, match=r"sources\.json cannot be read or is damaged"):
        read_sources(tmp_path)


def test_an_index_without_a_list_is_the_factbooks(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("v-x\n")
    assert read_sources(tmp_path) == (FACTBOOK,)
