"""Markdown as sections: parsed by markdown-it (CommonMark and tables), nothing executed.

Headings make the trail; a list item, a code fence and a table row are blocks. Addresses of links
and images are dropped, their words stay.

Only blocks are parsed: what stands inside a line is not needed.

What this does not do: render. A block is its own source, so code stays as it was written.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from router.knowledge.documents.document import Block, Document, Section

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["markdown_document", "markdown_sections"]

_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_LINK = re.compile(
    r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)"
)
_COMMENT = re.compile(r"<!--(?:(?!<!--).)*?-->", re.DOTALL)
_TAG = re.compile(
    r"</?(?:a|img|p|div|br|span|picture|source|h[1-6]|center|sub|sup|details|summary)\b[^<>]*>",
    re.I,
)
_GAP = re.compile(r"\n\s*\n")
_CODE = {"fence", "code_block"}


def markdown_document(text: str, name: str, kind: str = "markdown", lines: bool = True) -> Document:
    """The document; its title is that of the front matter, or the first heading, or `name`."""
    front = _FRONT.match(text)
    if front:  # blank lines keep the numbers of those below
        text = "\n" * front.group().count("\n") + text[front.end() :]
    sections = tuple(markdown_sections(text, lines=lines))
    told = _FRONT_TITLE.search(front.group(1)) if front else None
    first = next((s.trail[0] for s in sections if s.trail), name)
    return Document(kind, told.group(1) if told else first, sections)


def markdown_sections(text: str, *, lines: bool = True) -> Iterator[Section]:
    """What stands under each heading; a heading over nothing but headings makes none."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").disable("inline").parse(text)
    source = text.split("\n")
    trail: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            if blocks:
                yield Section(tuple(t for _, t in trail), tuple(blocks))
            blocks = []
            level = int(token.tag[1])
            heading = _plain(tokens[index + 1].content).strip("# ")
            trail = [(at, t) for at, t in trail if at < level] + [(level, heading)]
        elif token.level == 0 and token.map and token.nesting >= 0:
            blocks += _blocks(tokens, index, source, lines)
    if blocks:
        yield Section(tuple(t for _, t in trail), tuple(blocks))


def _blocks(
    tokens: Sequence["Token"], index: int, source: Sequence[str], lines: bool
) -> Iterator[Block]:
    token = tokens[index]
    if token.type == "table_open":
        yield from _rows(tokens, index, lines)
        return
    inside = _items(tokens, index) if token.type.endswith("_list_open") else [token]
    for item in inside:
        if item.map is None:
            continue
        first, last = item.map
        raw = "\n".join(source[first:last]).rstrip()
        text = raw if item.type in _CODE else _plain(raw)
        if text.strip():
            yield Block(text, *((first + 1, last) if lines else (0, 0)))


def _items(tokens: Sequence["Token"], index: int) -> Iterator["Token"]:
    """The items of the list that opens at `index`."""
    for token in tokens[index + 1 :]:
        if token.level == 0:
            return
        if token.type == "list_item_open" and token.level == 1:
            yield token


def _rows(tokens: Sequence["Token"], index: int, lines: bool) -> Iterator[Block]:
    """Each row with its column names, so that it can be read without the others."""
    names: list[str] = []
    cells: list[str] = []
    for at, token in enumerate(tokens[index + 1 :], start=index + 1):
        if token.type == "table_close":
            return
        if token.type == "th_open":
            names.append(_plain(tokens[at + 1].content))
        elif token.type == "td_open":
            cells.append(_plain(tokens[at + 1].content))
        elif token.type == "tr_open":
            cells, span = [], token.map or [0, 0]
        elif token.type == "tr_close" and cells:
            pairs = zip(names, cells, strict=False)
            text = "; ".join(f"{n}: {c}" if n else c for n, c in pairs if c)
            yield Block(text, *((span[0] + 1, span[1]) if lines else (0, 0)))


def _plain(text: str) -> str:
    text = _COMMENT.sub("", text)
    for _ in range(2):  # an image inside a link
        text = _LINK.sub(r"\1", text)
    return _GAP.sub("\n", _TAG.sub("", text)) if "<" in text else text
