"""Sections to passages: packed along structure, each starting with its title path.

A passage's text begins with the path to it ("Guide > Scripts: ..."), so that it reads on its own
and is found by its subject; its title is that path, its source is `document#place`.

What this does not do: find structure (the readers do), or drop duplicates (see `collect.py`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from router.knowledge.chunks import FACT, Chunk, Limits, cut, fits
from router.knowledge.documents.document import (
    MAX_PASSAGES,
    Block,
    Document,
    Empty,
    Section,
    Unreadable,
)

__all__ = ["FENCE", "PROSE", "document_chunks"]

PROSE = FACT
"""As short as the Factbook's. Longer was measured and is worse: of 600 sentences of 30 packages'
documentation, asked for by half of their words, the passages that fill 2,250 characters held
0.585 at 450 characters, 0.543 at 900 (difference -0.042, 95 % interval -0.070 to -0.015)."""
FENCE = Limits(900, 180)
"""A code fence that stands whole is worth more than two halves; still inside 256 word pieces."""
_MAX_TITLE = 120
_MAX_PLACE = 80
_ELLIPSIS = "…"
_FENCES = ("```", "~~~")
_SPACES = re.compile(r"\s+")


def document_chunks(document: Document, name: str, meta: Mapping[str, str]) -> list[Chunk]:
    """The passages of one document called `name` in citations; Unreadable where there are none."""
    chunks: list[Chunk] = []
    used: Counter[str] = Counter()
    for section in document.sections:
        title = _title(document, section)
        for text, first, last in _pack(f"{title}: ", section):
            place = _place(section, first, last)
            used[place] += 1
            part = f"~{used[place]}" if used[place] > 1 else ""
            about = {"kind": document.kind, "section": title, **section.meta, **meta}
            if first:
                about["lines"] = f"{first}-{last}"
            chunks.append(Chunk(f"{name}#{place}{part}", title, text, about))
            if len(chunks) > MAX_PASSAGES:
                raise Unreadable(f"it makes more than {MAX_PASSAGES:,} passages: split it")
    if not chunks:
        raise Empty("it holds no text")
    return chunks


def _title(document: Document, section: Section) -> str:
    parts = [p for p in (_one_line(p) for p in section.trail or (document.title,)) if p]
    title = " > ".join(parts) or document.title
    while len(title) > _MAX_TITLE and len(parts) > 1:  # the nearest headings say the most
        parts = parts[1:]
        title = f"{_ELLIPSIS} > " + " > ".join(parts)
    return title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1] + _ELLIPSIS


def _place(section: Section, first: int, last: int) -> str:
    if section.place:
        return section.place
    if section.trail:
        return _one_line(section.trail[-1])[:_MAX_PLACE]
    return f"L{first}-L{last}"


def _pack(prefix: str, section: Section) -> Iterator[tuple[str, int, int]]:
    """As few texts as fit, each with its first and last line."""
    held: list[Block] = []
    for block in _short(section, prefix):
        wider = prefix + section.joint.join(b.text for b in (*held, block))
        if held and not fits(wider, PROSE):
            yield _joined(prefix, section.joint, held)
            held = []
        held.append(block)
    if held:
        yield _joined(prefix, section.joint, held)


def _joined(prefix: str, joint: str, held: list[Block]) -> tuple[str, int, int]:
    return prefix + joint.join(b.text for b in held), held[0].first, held[-1].last


def _short(section: Section, prefix: str) -> Iterator[Block]:
    """Blocks that fit: a long one is cut at its lines, and a long line at its sentences."""
    for block in section.blocks:
        text = _clean(block.text)
        if not text.strip():
            continue
        if fits(prefix + text, FENCE if text.startswith(_FENCES) else PROSE):
            yield block._replace(text=text)
        else:
            yield from _lines(text, block, prefix)


def _lines(text: str, block: Block, prefix: str) -> Iterator[Block]:
    held, since = "", block.first
    for offset, line in enumerate(text.split("\n")):
        at = block.first + offset if block.first else 0
        for piece in cut(line, prefix, PROSE):
            wider = f"{held}\n{piece}" if held else piece
            if held and not fits(prefix + wider, PROSE):
                yield Block(held, since, max(since, at - 1) if at else 0)
                wider, since = piece, at
            held = wider
    if held.strip():
        yield Block(held, since, block.last)


def _clean(text: str) -> str:
    """What JSON may hold and UTF-8 may not, and control characters, go."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(c for c in text if c in "\n\t" or c.isprintable() or c.isspace()).strip("\n")


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text.encode("utf-8", "replace").decode()).strip()
