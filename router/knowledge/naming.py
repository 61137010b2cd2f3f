"""What a question names: its words with a capital, acronyms and codes among them, as terms.

A capital at the start of a sentence says nothing and is left out, unless the whole word is
capitals ("UTC"). Names are terms of `words.py`, so an accent, a case or a plural's "s" makes no
other name. Plain numbers are no names: "of 1,000 people" asks for no passage that says 1,000.

What this does not do: know that "Bhutanese" is Bhutan; a passage that says both is found by both.
"""

import re

from router.knowledge.words import terms

__all__ = ["names_in"]

_NAME = re.compile(r"(?<![.?!]\s)(?<!^)\b[^\W\d_][\w'’-]*|\b[A-Z]{2,}\b")
_PART = re.compile(r"['’-]")
"""Ivoire is the name in "d'Ivoire"."""


def names_in(question: str) -> frozenset[str]:
    """The terms of the question's names."""
    words = {m.group() for m in _NAME.finditer(question)}
    capital = {word for word in words if any(p[:1].isupper() for p in _PART.split(word))}
    return frozenset(term for name in capital for term in terms(name))
