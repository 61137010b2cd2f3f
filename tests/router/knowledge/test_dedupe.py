"""Duplicates: the same words in a collection once; short facts under two headings twice."""

from router.knowledge.chunks import Chunk
from router.knowledge.dedupe import Unique

LONG = "This notice stands in every file of the distribution, word for word. " * 4


def chunk(title: str, body: str) -> Chunk:
    return Chunk(f"x#{title}", title, f"{title}: {body}")


def kept(*chunks: Chunk, collection: str = "c") -> list[int]:
    """The places of the duplicates."""
    return [at for at, _ in Unique().add(chunks, collection)]


def test_spaces_and_forms_of_letters_do_not_count() -> None:
    assert kept(chunk("A", "x  y\nz"), chunk("A", "x y z")) == [1]
    assert kept(chunk("A", "ﬁne"), chunk("A", "fine")) == [1]
    assert kept(chunk("A", "Fine"), chunk("A", "fine")) == []


def test_a_short_body_needs_its_heading_and_a_long_one_does_not() -> None:
    assert kept(chunk("A", "Default: none"), chunk("B", "Default: none")) == []
    assert kept(chunk("A", LONG), chunk("B", LONG), chunk("B", LONG + "!")) == [1]


def test_collections_are_apart_and_are_told() -> None:
    unique = Unique()
    assert unique.add([chunk("A", LONG)], "one") == ()
    assert unique.add([chunk("A", LONG)], "two") == ()
    ((at, again),) = unique.add([chunk("A", LONG)], "one")
    assert (at, again.meta["collection"]) == (0, "one")
    assert [c.meta["collection"] for c in unique.chunks] == ["one", "two"]
