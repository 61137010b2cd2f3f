"""The large reader's form: several statements, each with its passage; and any reply can be read."""

import json

from router.arms.reader import (
    ABSTENTION,
    MAX_STATEMENTS,
    parse_reader,
    reader_messages,
    reader_response_format,
)
from router.state import Message, Passage, Query

PASSAGES = (
    Passage(source="bt", title="Bhutan — Capital", text="Bhutan. Capital: Thimphu; UTC+6", score=1),
    Passage(source="cu", title="Bhutan — Money", text="Bhutan. Currency: ngultrum (BTN)", score=1),
)


def reply(*parts, cut=None):
    keys = ("passage", "quote", "text")
    text = json.dumps({"statements": [dict(zip(keys, p, strict=True)) for p in parts]})
    return text[:cut]


CAPITAL = (1, "Capital: Thimphu", "The capital is Thimphu.")
MONEY = (2, "Currency: ngultrum", "People pay with the ngultrum.")


def test_each_statement_has_its_own_citation():
    read = parse_reader(reply(CAPITAL, MONEY), PASSAGES)
    assert read.answer_text == "The capital is Thimphu. People pay with the ngultrum."
    assert [(c.number, c.source, c.claim) for c in read.citations] == [
        (1, "bt", CAPITAL[2]), (2, "cu", MONEY[2]),
    ]  # fmt: skip
    assert not read.abstained


def test_a_wrong_number_is_set_right_by_a_verbatim_quote():
    read = parse_reader(
        reply((1, "Bhutan. Currency: ngultrum (BTN)", "They pay in BTN.")), PASSAGES
    )
    assert [c.number for c in read.citations] == [2]


def test_a_statement_that_cites_nothing_stays_and_has_no_citation():
    read = parse_reader(reply(CAPITAL, (0, "", "It is lovely there.")), PASSAGES)
    assert read.answer_text.endswith("It is lovely there.")
    assert [c.claim for c in read.citations] == [CAPITAL[2]]
    out = parse_reader(reply((9, "", "Made up.")), PASSAGES)
    assert out.citations == () and not out.abstained


def test_nothing_found_is_an_abstention():
    assert parse_reader(reply(), PASSAGES) == (ABSTENTION, (), True)
    read = parse_reader(reply((0, "", "They do not say.")), PASSAGES)
    assert read.abstained and read.answer_text == "They do not say."


def test_a_reply_that_was_cut_keeps_what_was_whole():
    whole = reply(CAPITAL, MONEY)
    read = parse_reader(reply(CAPITAL, MONEY, cut=len(whole) - 20), PASSAGES)
    assert [c.claim for c in read.citations] == [CAPITAL[2]]


def test_many_are_capped_and_braces_in_a_text_are_text():
    read = parse_reader(reply(*[CAPITAL] * 20), PASSAGES)
    assert len(read.citations) == MAX_STATEMENTS
    odd = parse_reader(reply((1, "{}", 'Says "{Thimphu}".')), PASSAGES)
    assert odd.answer_text == 'Says "{Thimphu}".'


def test_the_two_forms_are_asked_for_by_themselves():
    query = Query(id="q", messages=(Message(role="user", content="q?"),))
    small, large = (reader_messages(query, PASSAGES, many=m)[0]["content"] for m in (False, True))
    assert '"statements"' in large and '"statements"' not in small
    one = reader_response_format(PASSAGES)["json_schema"]["schema"]
    many = reader_response_format(PASSAGES, many=True)["json_schema"]["schema"]
    assert list(one["properties"]) == ["quote", "answer"]
    item = many["properties"]["statements"]["items"]
    assert item["properties"]["passage"]["enum"] == [0, 1, 2] and item["required"] == [
        "passage", "quote", "text",
    ]  # fmt: skip
