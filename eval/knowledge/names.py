"""How a country is said in a question: with its article, and by its adjective.

The adjective is the Factbook's own (Nationality), and only where no other country shares it:
"Korean" or "Congolese" does not say which.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from router.knowledge.factbook import plain

__all__ = ["adjectives", "spoken", "with_article"]

_SPOKEN = {
    "Republic of the Congo (Brazzaville)": "the Republic of the Congo",
    "Democratic Republic of the Congo (DRC)": "the Democratic Republic of the Congo",
    "Côte d'Ivoire (Ivory Coast)": "Ivory Coast",
    "Burma (Myanmar)": "Myanmar",
    "Vatican City (Holy See)": "Vatican City",
    "Cocos (Keeling) Islands": "the Cocos Islands",
    "The Bahamas": "the Bahamas",
    "The Gambia": "the Gambia",
}
_ARTICLE = re.compile(
    r"(?:Islands|Republic|Kingdom|States|Emirates|Territory|Lands|Strip|Bank|Refuges|Union"
    r"|Netherlands|Philippines|Maldives|Comoros|Seychelles)$|^(?:Isle of|Federated States)"
)
_AN = re.compile(r"[AEIO]|U[mnz]", re.IGNORECASE)


def spoken(country: str) -> str:
    """The name inside a sentence: "the Netherlands", "Bhutan"."""
    if country in _SPOKEN:
        return _SPOKEN[country]
    return f"the {country}" if _ARTICLE.search(country) else country


def with_article(adjective: str) -> str:
    """ "an Algerian", "a Ugandan"."""
    return f"{'an' if _AN.match(adjective) else 'a'} {adjective}"


def adjectives(countries: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Code to adjective, for the countries that have one of their own."""
    found = {code: _adjective(data) for code, data in countries.items()}
    shared = Counter(found.values())
    return {code: word for code, word in found.items() if word and shared[word] == 1}


def _adjective(data: Mapping[str, Any]) -> str:
    node = data.get("People and Society", {}).get("Nationality", {}).get("adjective", {})
    text = plain(str(node.get("text", "")))
    word = re.split(r",|/|;|\(| or ", text)[0].strip()
    return word if word.lower() not in ("", "none", "na") and word[0].isupper() else ""
