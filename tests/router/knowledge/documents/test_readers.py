"""Each text format: its structure becomes passages with a title, a place and their words."""

import json
from pathlib import Path
from typing import Any

import pytest

from router.knowledge.chunks import MAX_CHARS, Chunk
from router.knowledge.documents.convert import Converter
from router.knowledge.documents.document import Empty, Unreadable
from router.knowledge.documents.passages import document_chunks
from router.knowledge.documents.read import check_size, read_document


def chunks(folder: Path, name: str, content: str | bytes) -> list[Chunk]:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with Converter() as unused:
        return document_chunks(read_document(file, name, unused), name, {})


GUIDE = """---
title: The Guide
---
# Guide

Intro with a [link](http://a.b/c) and ![a picture](x.png).

## Scripts

Scripts have *metadata*:

- one
- two
  more

```python
# not a heading
x = 1
```

## Table

| Option | Meaning |
| ------ | ------- |
| `--a`  | first   |
| `--b`  | second  |

### Deep
End.
"""


def test_markdown_headings_make_the_path_and_lines_the_place(tmp_path: Path) -> None:
    made = chunks(tmp_path, "g.md", GUIDE)
    assert [(c.source, c.title) for c in made] == [
        ("g.md#Guide", "Guide"),
        ("g.md#Scripts", "Guide > Scripts"),
        ("g.md#Table", "Guide > Table"),
        ("g.md#Deep", "Guide > Table > Deep"),
    ]
    assert made[0].text == "Guide: Intro with a link and a picture."
    assert made[1].text == (
        "Guide > Scripts: Scripts have *metadata*:\n\n- one\n\n- two\n  more\n\n"
        "```python\n# not a heading\nx = 1\n```"
    )
    assert (
        made[2].text
        == "Guide > Table: Option: `--a`; Meaning: first\n\nOption: `--b`; Meaning: second"
    )
    assert made[1].meta == {"kind": "markdown", "section": "Guide > Scripts", "lines": "10-19"}


def test_a_code_fence_that_fits_is_not_torn(tmp_path: Path) -> None:
    fence = "```\n" + "\n".join(f"line {i} of some code" for i in range(26)) + "\n```"
    assert len(fence) > MAX_CHARS
    prose = " ".join(f"Sentence {i} is here." for i in range(30))
    made = chunks(tmp_path, "g.md", f"# T\n\n{prose}\n\n{fence}\n\n{prose}\n")
    assert len(made) > 1
    assert sum(fence in c.text for c in made) == 1


def test_repeated_headings_have_places_of_their_own(tmp_path: Path) -> None:
    made = chunks(tmp_path, "g.md", "# A\none\n# A\ntwo\n")
    assert [c.source for c in made] == ["g.md#A", "g.md#A~2"]


def test_long_prose_is_cut_at_sentences_and_nothing_is_lost(tmp_path: Path) -> None:
    sentences = [f"Sentence {i} says that something rather long is the case." for i in range(60)]
    made = chunks(tmp_path, "g.md", "# T\n" + " ".join(sentences))
    assert len(made) > 3
    assert " ".join(c.text.removeprefix("T: ") for c in made) == " ".join(sentences)


def test_restructured_text_levels_follow_first_appearance(tmp_path: Path) -> None:
    text = "=====\nTitle\n=====\n\nIntro.\n\nPart\n----\n\nSee :func:`run <x.run>`.\n\n"
    text += "Part 2\n------\nEnd\n"
    made = chunks(tmp_path, "a.rst", text)
    assert [(c.source, c.text) for c in made] == [
        ("a.rst#Title", "Title: Intro."),
        ("a.rst#Part", "Title > Part: See run."),
        ("a.rst#Part 2", "Title > Part 2: End"),
    ]


def test_plain_text_is_cited_by_lines(tmp_path: Path) -> None:
    (made,) = chunks(tmp_path, "a.txt", "one\nmore\n\n\ntwo\n")
    assert (made.source, made.text) == ("a.txt#L1-L5", "a.txt: one\nmore\n\ntwo")


MODULE = '''"""What the module is for."""

def run(a: int, *, b: str = "x") -> bool:
    """Runs it.

    Twice, if needed.
    """
    return secret(a)

class Box(Base):
    """A box."""

    def open(self) -> None: ...

    def _hidden(self) -> None: ...
'''


def test_python_is_read_by_definitions_and_never_imported(tmp_path: Path) -> None:
    made = chunks(tmp_path, "m.py", MODULE + "\nraise SystemExit('imported!')\n")
    assert [(c.source, c.text) for c in made] == [
        ("m.py#module", "m.py: What the module is for."),
        (
            "m.py#run",
            "m.py > run: def run(a: int, *, b: str='x') -> bool\nRuns it.\nTwice, if needed.",
        ),
        ("m.py#Box", "m.py > Box: class Box(Base)\nA box."),
        ("m.py#definitions", "m.py > definitions: Box def open(self) -> None"),
    ]
    assert made[1].meta["lines"] == "3-7"


def test_python_that_does_not_parse_is_read_as_lines(tmp_path: Path) -> None:
    (made,) = chunks(tmp_path, "old.py", 'print "two"\n')
    assert made.text == 'old.py: print "two"'


def test_other_code_is_read_by_blocks_of_lines(tmp_path: Path) -> None:
    body = "\n\n".join(f"fn f{i}() {{\n    work({i});\n}}" for i in range(60))
    made = chunks(tmp_path, "a.rs", body)
    assert made[0].source.startswith("a.rs#L1-L")
    assert all("fn f" in c.text and c.text.endswith("}") for c in made)
    assert sum(c.text.count("fn f") for c in made) == 60


def test_each_csv_row_is_a_passage_with_its_field_names(tmp_path: Path) -> None:
    made = chunks(tmp_path, "a.csv", 'name;city\n"Ann; B";Ulm\n;\nBob;"Bad\nEms"\n')
    assert [(c.source, c.title, c.text) for c in made] == [
        ("a.csv#row2", "a.csv > Ann; B", "a.csv > Ann; B: name: Ann; B; city: Ulm"),
        ("a.csv#row4", "a.csv > Bob", "a.csv > Bob: name: Bob; city: Bad\nEms"),
    ]


def test_columns_of_the_same_name_are_both_kept(tmp_path: Path) -> None:
    (made,) = chunks(tmp_path, "a.csv", "x,x,\n1,2,3,4\n")
    assert made.text == "a.csv: x: 1; x (2): 2; column 3: 3; column 4: 4"


def test_jsonl_takes_the_text_field_and_the_rest_as_meta(tmp_path: Path) -> None:
    rows = [
        {
            "title": "Otters",
            "Text": "They swim.",
            "source": "zoo",
            "year": 1999,
            "kind": "x",
            "l": [],
        },
        {"colour": "red", "size": 3, "parts": ["a"]},
    ]
    made = chunks(tmp_path, "a.jsonl", "\n".join(json.dumps(r) for r in rows) + "\n")
    assert (made[0].source, made[0].text) == ("a.jsonl#L1", "a.jsonl > Otters: They swim.")
    assert made[0].meta == {
        "kind": "jsonl", "section": "a.jsonl > Otters", "lines": "1-1",
        "source": "zoo", "year": "1999", "field.kind": "x",
    }  # fmt: skip
    assert made[1].text == 'a.jsonl: colour: red; size: 3; parts: ["a"]'


def test_bad_lines_are_told_and_the_others_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "good"}\nnot json\n[1]\n')
    with Converter() as unused:
        made = read_document(file, "a.jsonl", unused)
    assert len(made.sections) == 1
    assert made.note == "2 lines are no JSON objects (the first: line 2)"


METADATA = """Metadata-Version: 2.4
Name: thing
Version: 1.2
Description-Content-Type: text/markdown

# Thing

It does things.
"""


def test_a_packages_metadata_is_its_description(tmp_path: Path) -> None:
    (made,) = chunks(tmp_path, "METADATA", METADATA)
    assert (made.title, made.text) == ("thing 1.2 > Thing", "thing 1.2 > Thing: It does things.")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("é ü".encode("latin-1") + b" is old text, quite a bit of it, in caf\xe9s", "cafés"),
        ("wide é".encode("utf-16"), "wide é"),
        (b"\xef\xbb\xbfmarked", "a.txt: marked"),
        (b"one\r\ntwo\rthree", "one\ntwo\nthree"),
    ],
)
def test_encodings(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in chunks(tmp_path, "a.txt", data)[0].text


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.jsonl", "a.py"])
def test_binary_bytes_are_refused_under_any_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable, match="it is binary, not text"):
        chunks(tmp_path, name, bytes(range(256)) * 4)


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst", "a.csv", "a.py", "a.pdf", "a.docx"])
def test_an_empty_file_is_no_fault(tmp_path: Path, name: str) -> None:
    with pytest.raises(Empty):
        chunks(tmp_path, name, "")


def test_a_file_of_500_mb_is_refused_unopened(tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "big.txt"
    with file.open("wb") as handle:
        handle.truncate(500_000_001)  # sparse: it takes no room

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with Converter() as unused, pytest.raises(Unreadable, match="500,000,001 bytes .the limit"):
        read_document(file, "big.txt", unused)
    with file.open("r+b") as handle:
        handle.truncate(64_000_001)
    with Converter() as unused, pytest.raises(Unreadable, match="64,000,001 bytes of text"):
        read_document(file, "big.txt", unused)
    check_size(500_000_000)


@pytest.mark.parametrize(
    "text",
    ["<!--" * 20_000, "[" * 20_000, "`" * 20_000 + " " * 20_000, "a" * 100_000, "# " * 30_000,
     "> " * 2_000 + "x", "- " * 2_000 + "x", "|" * 20_000 + "\n" + "|-" * 10_000],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.md", "a.rst"])
def test_hostile_text_is_read_in_short_passages(tmp_path: Path, text: str, name: str) -> None:
    try:
        made = chunks(tmp_path, name, text)
    except Empty:
        return
    assert max(len(c.text) for c in made) <= MAX_CHARS


def test_lone_surrogates_do_not_reach_the_index(tmp_path: Path) -> None:
    (made,) = chunks(tmp_path, "a.jsonl", r'{"title": "\ud800", "text": "x \udfff", "m": "\ud800"}')
    assert made.text == "a.jsonl > ?: x ?"
    assert len(made.key) == 16
    assert json.loads(made.line)[3]["m"] == "?"


def test_control_characters_go(tmp_path: Path) -> None:
    (made,) = chunks(tmp_path, "a.txt", "bell\x07 and\x1b[31m red")
    assert made.text == "a.txt: bell and[31m red"
