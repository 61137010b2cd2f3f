"""Plain text and reStructuredText as sections.

In reStructuredText a line over a row of the same punctuation is a heading, and each style of
that row is a level, in the order they first appear (docutils' own rule).

What this does not do: read directives and roles; they stay as they are written.
"""

import re
from collections.abc import Iterator, Sequence

from router.knowledge.documents.document import Block, Document, Section

__all__ = ["paragraphs", "plain_document", "rst_document"]

_RULE = re.compile(r"^([=\-`:.'\"~^_*+#<>])\1{2,}\s*$")
_MARK = re.compile(r":[\w+.:-]+:`([^`<]+)(?:<[^`>]*>)?`|`([^`<]+)<[^`>]*>`__?")


def plain_document(text: str, name: str) -> Document:
    """Paragraphs, located by their lines."""
    return Document("text", name, (Section((), tuple(paragraphs(text.split("\n")))),))


def paragraphs(lines: Sequence[str], first: int = 1) -> Iterator[Block]:
    """Runs of lines between blank ones; `first` is the number of the first line."""
    held: list[str] = []
    for number, line in enumerate([*lines, ""], start=first):
        if line.strip():
            held.append(line.rstrip())
        elif held:
            yield Block("\n".join(held), number - len(held), number - 1)
            held = []


def rst_document(text: str, name: str) -> Document:
    """Sections under their headings."""
    sections = tuple(_rst_sections(text.split("\n")))
    first = next((s.trail[0] for s in sections if s.trail), name)
    return Document("rst", first, sections)


def _rst_sections(lines: Sequence[str]) -> Iterator[Section]:
    styles: list[str] = []
    trail: list[str] = []
    start = 0
    for heading, style, at, after in _headings(lines):
        yield from _section(trail, lines, start, at)
        if style not in styles:
            styles.append(style)
        trail = [*trail[: styles.index(style)], heading]
        start = after
    yield from _section(trail, lines, start, len(lines))


def _section(trail: Sequence[str], lines: Sequence[str], start: int, end: int) -> Iterator[Section]:
    text = [_MARK.sub(_marked, line) for line in lines[start:end]]
    blocks = tuple(paragraphs(text, start + 1))
    if blocks:
        yield Section(tuple(trail), blocks)


def _marked(match: re.Match[str]) -> str:
    return (match.group(1) or match.group(2)).strip()


def _headings(lines: Sequence[str]) -> Iterator[tuple[str, str, int, int]]:
    """Heading, its style, the line where it begins and the line after it (from 0)."""
    for at in range(1, len(lines)):
        rule = _RULE.match(lines[at])
        title = lines[at - 1]
        if not rule or not title.strip() or _RULE.match(title):
            continue
        over = at >= 2 and lines[at - 2].rstrip() == lines[at].rstrip()
        alone = at < 2 or over or not lines[at - 2].strip()
        if alone and len(lines[at].rstrip()) >= len(title.strip()) and (over or title[0] != " "):
            yield title.strip(), rule.group(1) * (2 if over else 1), at - 1 - over, at + 1
