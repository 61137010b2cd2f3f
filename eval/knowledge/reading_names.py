"""Gold answers that are names: of places, people, money, songs. One reader for each kind.

A text that a reader is not sure of raises `Unread`. What this does not do: say which field is
read by which reader (`templates.yaml`).
"""

import re

from eval.knowledge.gold import Gold
from eval.knowledge.reading import COUNTRY_ALIASES, Asked, Reading, Unread, figure, named

__all__ = [
    "BRACKETS",
    "city",
    "currency",
    "demonym",
    "name",
    "neighbours",
    "person",
    "summit",
    "title",
]

SHARED_MONEY = {"dollars", "francs", "pounds", "pesos", "dinars", "shillings", "guilders", "won"}
"""Of several countries: "dollars" alone does not say whose."""
BRACKETS = re.compile(r"\s*\([^()]*\)")
_SURNAME = re.compile(r"(?:[^\W\d_]+[-'’])?[A-ZÀ-ÖØ-ÞĀĒĪŌŪŠŽČĆĐ'’-]{2,}(?: [IVX]+\b)?")


def name(text: str, asked: Asked) -> Reading:
    """One name; what follows in brackets, or after a semicolon, is another name of it."""
    parts = [part for part in text.split(";") if not part.strip().startswith("note")]
    heads = [BRACKETS.sub("", part).strip() for part in parts]
    inner = re.findall(r"\(([^()]*)\)", " ".join(parts))
    if not heads or not heads[0] or re.match(r"(?:none|no |na\b|n/a)", heads[0], re.IGNORECASE):
        raise Unread("none")
    if len(heads[0].split()) > 8:
        raise Unread("not a name")
    return named(heads[0], [*heads[1:], *inner])


def currency(text: str, asked: Asked) -> Reading:
    """`Algerian dinars (DZD) per US dollar -`."""
    found = re.match(r"(.+?) \(([A-Z]{3})\)", text)
    if found is None:
        raise Unread("no currency code")
    full, code = found.groups()
    names = {full, _singular(full), code}
    unit = full.split()[-1]
    if unit not in SHARED_MONEY:
        names |= {unit, _singular(unit)}
    if code in ("XAF", "XOF"):
        names |= {"CFA franc", "CFA francs", "CFA"}
    return named(full, sorted(names - {full}))


def neighbours(text: str, asked: Asked) -> Reading:
    """`Guatemala 244 km; El Salvador 391 km`."""
    found = re.findall(r"([^;,\d]+?)\s+\d[\d,.]*\s*km", BRACKETS.sub("", text))
    names = tuple(n.strip(" ,;") for n in found if n.strip(" ,;"))
    if not names:
        raise Unread("no neighbours")
    aliases = tuple(COUNTRY_ALIASES.get(n, ()) for n in names)
    gold = Gold(kind="names", values=names, aliases=aliases, needed=len(names))
    return Reading(gold, names)


def summit(text: str, asked: Asked) -> Reading:
    """`Jabal Shams 3,004 m`."""
    found = re.match(r"([^\d;]+?)\s+-?\d[\d,.]*\s*m\b", BRACKETS.sub("", text))
    if found is None or re.search(r"unnamed|location|sea level", found.group(1), re.IGNORECASE):
        raise Unread("no name")
    full = found.group(1).strip(" ,")
    short = re.split(r" on | in |, ", full)[0]
    evidence = full if full in text else short
    return named(full, [short] if short != full else [], evidence)


def demonym(text: str, asked: Asked) -> Reading:
    """`Barbadian(s) or Bajan (colloquial)`."""
    plurals = re.findall(r"(\w+)\(s\)", text)
    heads = re.split(r",| or |;|/", BRACKETS.sub("", text.replace("(s)", "")))
    heads = [h.strip() for h in heads if h.strip()]
    if not heads or len(heads[0].split()) > 3:
        raise Unread("not a name")
    return named(heads[0], [*heads[1:], *(f"{p}s" for p in plurals), f"{heads[0]}s"])


def city(text: str, asked: Asked) -> Reading:
    """`2.972 million CARACAS (capital), 2.368 million Maracaibo`: the one with the most people."""
    found = re.findall(r"(\d[\d.,]*(?: million)?) ([^\d,(;]*[^\W\d_])", text)
    if not found:
        raise Unread("no city")
    _, written = max(found, key=lambda pair: figure(pair[0]))
    return named(written.title() if written.isupper() else written, [], written)


def person(text: str, asked: Asked) -> Reading:
    """`President Maia SANDU (since 24 December 2020)`: the surname is in capitals."""
    whole = text.split(" (")[0].split(";")[0].strip()
    surnames = [m.group() for m in _SURNAME.finditer(whole) if sum(map(str.isupper, m.group())) > 1]
    if not surnames or "vacant" in text.lower():
        raise Unread("no surname")
    written = surnames[-1]
    return named(whole, [written], written)


def title(text: str, asked: Asked) -> Reading:
    """`"Menin Qazaqstanim" (My Kazakhstan)`."""
    found = re.search(r"[\"“]([^\"”]+)[\"”]", text)
    if found is None:
        raise Unread("no title")
    inner = [re.sub(r"^or |[\"“”]", "", i) for i in re.findall(r"\(([^()]*)\)", text)]
    others = re.findall(r"[\"“]([^\"”]+)[\"”]", text)[1:]
    written = found.group(1).strip(" ,")
    return named(written, [i.strip() for i in (*inner, *others) if i.strip()])


def _singular(plural: str) -> str:
    return plural[:-1] if plural.endswith("s") else plural
