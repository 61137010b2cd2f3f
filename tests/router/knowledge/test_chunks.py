"""Chunks: packed along structure, inside the encoder's window, nothing lost."""

from router.knowledge.chunks import (
    MAX_CHARS,
    MAX_PIECES,
    Chunk,
    content_digest,
    pack,
    word_pieces,
)


def test_short_segments_share_one_text() -> None:
    assert pack("Bhutan. Area: ", ["total: 1 sq km", "land: 1 sq km"]) == [
        "Bhutan. Area: total: 1 sq km; land: 1 sq km"
    ]


def test_no_segments_no_texts() -> None:
    assert pack("Bhutan. Area: ", []) == []


def test_long_segments_are_cut_at_clauses_and_nothing_is_lost() -> None:
    clauses = [f"clause {i} says that something rather long is the case here." for i in range(40)]
    texts = pack("Land. Field: ", [" ".join(clauses)])
    assert len(texts) > 3
    assert all(t.startswith("Land. Field: clause") and t.endswith("here.") for t in texts)
    body = " ".join(t.removeprefix("Land. Field: ") for t in texts)
    assert body == " ".join(clauses)


def test_a_text_without_structure_is_cut_at_words() -> None:
    words = [f"word{i}" for i in range(600)]
    texts = pack("L. F: ", [" ".join(words)])
    assert all(len(t) <= MAX_CHARS and word_pieces(t) <= MAX_PIECES for t in texts)
    assert " ".join(t.removeprefix("L. F: ") for t in texts) == " ".join(words)


def test_a_segment_that_does_not_fit_beside_the_others_starts_a_text() -> None:
    texts = pack("L. F: ", ["a " * 100, "b " * 100])
    assert [t.count("a") == 100 for t in texts] == [True, False]


def test_digits_and_names_cost_more_pieces_than_plain_words() -> None:
    assert word_pieces("landlocked") == 2
    assert word_pieces("the sea") == 2
    assert word_pieces("104,771") == 2 + 1 + 2
    assert word_pieces("Zagatala") == 2


def test_key_follows_the_text_alone_and_digest_follows_everything() -> None:
    one, moved = Chunk("a", "t", "text"), Chunk("b", "t", "text")
    assert one.key == moved.key
    assert one.key != Chunk("a", "t", "text!").key
    assert content_digest([one]) != content_digest([moved])
    assert content_digest([one]) == content_digest([Chunk("a", "t", "text")])
