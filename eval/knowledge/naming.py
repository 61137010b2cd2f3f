"""Does a short answer say this name, and no other one beside it?

What: names compared without case, accents, punctuation and a plural's "s". A name may stand in
a sentence ("The capital of Bhutan is Thimphu."), but nothing else may be offered with it: a
further name ("Thimphu or Paro"), a longer name ("Equatorial Guinea" for Guinea), a "not".
What not: meaning. A synonym that the gold's aliases lack is not found.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["Said", "plain_words", "said"]

_WORD = re.compile(r"[^\W_]+(?:[.'’ʻ`-][^\W_]+)*")
_BRACKETS = re.compile(r"\([^()]*\)")
_LIST = re.compile(r"[,;/]|\b(?:or|and)\b|\n")
_NEGATION = {"not", "no", "never", "neither", "nor", "none", "except", "unlike", "unknown"}
_DENIES = re.compile(r"\b(?:\w+n[’']t|cannot)\b", re.IGNORECASE)
_SMALL = frozenset(
    _WORD.findall(
        "a an the of in on at to for from by with as is are was were be been it its it's he she "
        "they this that there these which who what s known called named name main official "
        "officially currently also both most mostly answer"
    )
)
_TITLES = frozenset(
    _WORD.findall(
        "president prime minister king queen sultan emir chancellor premier general governor mr "
        "mrs sir ms dr mount mt lake republic kingdom state island city language religion people "
        "currency river peak day national"
    )
)
"""May stand before or behind a name without making another one of it."""
_SHORT_ITEM = 3
"""Words: a segment of a list that is no longer than this is an item, a longer one a remark."""


class Said(NamedTuple):
    """What an answer says of the names that were looked for."""

    found: frozenset[int]
    """Which of the groups of spellings."""
    others: bool
    """Something else was offered beside them, or they were denied."""


class _Token(NamedTuple):
    words: tuple[str, ...]
    """Normalised; several where a hyphen joins them."""
    capital: bool
    segment: int


def said(text: str, groups: Sequence[Iterable[str]], asked: str = "") -> Said:
    """Which groups of spellings the text says, and whether it offers anything else.

    asked: the question; saying its words again is no further answer.
    """
    bare = _BRACKETS.sub(" ", text)
    tokens = _tokens(bare if _WORD.search(bare) else text)
    words = [word for token in tokens for word in token.words]
    owner = [i for i, token in enumerate(tokens) for _ in token.words]
    covered: set[int] = set()
    found = set()
    own: set[str] = set()
    for number, group in enumerate(groups):
        spelt = sorted((plain_words(s) for s in group), key=len, reverse=True)
        own |= {word for spelling in spelt for word in spelling}
        for spelling in filter(None, spelt):
            for start in _places(words, owner, spelling):
                found.add(number)
                covered |= {owner[i] for i in range(start, start + len(spelling))}
    free = own | _SMALL | set(plain_words(asked))
    others = _offers(tokens, covered, free, own) or _DENIES.search(bare) is not None
    return Said(frozenset(found), others or _longer_in_small(tokens, covered, free, groups))


def plain_words(text: str) -> tuple[str, ...]:
    """Words without case, accents and points, a leading article and a plural's "s"."""
    words = [word for token in _tokens(text) for word in token.words]
    return tuple(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)


def _offers(tokens: Sequence[_Token], covered: set[int], free: set[str], own: set[str]) -> bool:
    rest = [i for i in range(len(tokens)) if i not in covered]
    if any(w in _NEGATION - own for i in rest for w in tokens[i].words):
        return True
    strange = [
        i
        for i in rest
        if not set(tokens[i].words) <= free | _TITLES and not tokens[i].words[0].isdigit()
    ]
    named = [i for i in strange if tokens[i].capital]
    if any(i > 0 or 1 in covered for i in named):
        return True
    segments = {t.segment for t in tokens}
    if len(segments) == 1:
        return False
    with_name = {tokens[i].segment for i in covered}
    for segment in segments - with_name:
        content = [i for i in strange if tokens[i].segment == segment]
        length = sum(t.segment == segment for t in tokens)
        if content and length <= _SHORT_ITEM:
            return True
    return False


def _longer_in_small(
    tokens: Sequence[_Token], covered: set[int], free: set[str], groups: Sequence[Iterable[str]]
) -> bool:
    """A proper name written small, as part of a longer one: "new guinea" for Guinea."""
    proper = all(spelling[:1].isupper() for group in groups for spelling in group)
    if not proper or not covered or len(tokens) > _SHORT_ITEM or any(t.capital for t in tokens):
        return False
    rest = (t for i, t in enumerate(tokens) if i not in covered)
    return any(not set(t.words) <= free | _TITLES for t in rest)


def _tokens(text: str) -> list[_Token]:
    folded = _folded(text)
    out, segment, last = [], 0, 0
    for match in _WORD.finditer(folded):
        segment += bool(_LIST.search(folded[last : match.start()]))
        last = match.end()
        raw = match.group()
        if raw in ("or", "and"):
            segment += 1
            continue
        words = tuple(_word(part) for part in re.split(r"-", raw) if _word(part))
        if words:
            out.append(_Token(words, raw[0].isupper(), segment))
    return out


def _folded(text: str) -> str:
    """Without accents; letters that do not decompose stay."""
    split = unicodedata.normalize("NFKD", text)
    return "".join(ch for ch in split if not unicodedata.combining(ch))


def _word(raw: str) -> str:
    word = re.sub(r"[.'’ʻ`]", "", raw).casefold()
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _places(words: Sequence[str], owner: Sequence[int], wanted: Sequence[str]) -> list[int]:
    """Where the words stand and break no hyphen: no "presidential" in "semi-presidential"."""
    size = len(wanted)
    return [
        i
        for i in range(len(words) - size + 1)
        if tuple(words[i : i + size]) == wanted
        and (i == 0 or owner[i - 1] != owner[i])
        and (i + size == len(words) or owner[i + size] != owner[i + size - 1])
    ]
