"""Gold answers out of the Factbook's one-line texts; one reader for each kind of field.

Each takes the text (markup already out) and the field's description, and returns the gold and
its evidence: the words, as written, that a passage must show to hold the fact. A text that a
reader is not sure of raises `Unread` with a reason: no gold is better than a wrong one.

Notes in brackets, years and "est." are taken off; units are those of the field's description.
"""

import calendar
import re
from collections.abc import Callable, Mapping

from eval.knowledge.gold import Gold
from eval.knowledge.reading import (
    COUNTRY_ALIASES,
    Asked,
    Reading,
    Unread,
    figure,
    named,
    numbered,
)
from eval.knowledge.reading_names import (
    BRACKETS,
    city,
    currency,
    demonym,
    name,
    neighbours,
    person,
    summit,
    title,
)

__all__ = ["READERS", "Unread"]

MONTHS = list(calendar.month_name)[1:]
NOT_ONE = {"other", "none", "unspecified", "unknown", "no religion", "undeclared", "unaffiliated"}
_NUMBER = re.compile(
    r"(?<![\w.,])-?\$?\d[\d,]*(?:\.\d+)?(?:\s(?:thousand|million|[bt]rillion))?\b%?"
)
_DATE = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(MONTHS)}) (\d{{4}})\b")
_DAY = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(MONTHS)})\b")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s?%")


def number(text: str, asked: Asked) -> Reading:
    """The first figure; not where the text names a range, or more than one total."""
    bare = text.split(" (")[0]
    found = _NUMBER.search(bare)
    if found is None:
        raise Unread("no figure")
    if re.match(r"\s*(?:-|–|to)\s*\d", bare[found.end() :]) or re.search(r"[<>~]|less than", bare):
        raise Unread("a range")
    value = figure(found.group())
    if asked.positive and value <= 0:
        raise Unread("zero")
    return numbered(value, found.group(), asked)


def utc(text: str, asked: Asked) -> Reading:
    """`UTC-3.5 (...)`."""
    found = re.match(r"UTC\s?([+-]?)\s?(\d+(?:\.\d+)?)(?!\S*\s*(?:to|and)\b)", text)
    if found is None:
        raise Unread("no offset")
    value = float(found.group(2)) * (-1 if found.group(1) == "-" else 1)
    return numbered(value, found.group(), asked)


def age(text: str, asked: Asked) -> Reading:
    """`18 years of age; universal`."""
    found = re.match(r"(\d\d) years of age", text)
    if found is None:
        raise Unread("no single age")
    return numbered(float(found.group(1)), found.group(), asked)


def largest(text: str, asked: Asked) -> Reading:
    """The item with the greatest share; where shares are not given, a single item."""
    items = _items(text)
    shares = [(float(s.group(1)), head) for head, s in items if s is not None]
    if not shares and len(items) == 1:
        return named(items[0][0], [])
    if len(shares) < 2 and not (shares and shares[0][0] > 50):
        raise Unread("no shares")
    _, top = max(shares, key=lambda pair: pair[0])
    if sum(share == max(shares)[0] for share, _ in shares) > 1:
        raise Unread("a tie")
    return named(top, top.split("/") if "/" in top else [])


def ranked(text: str, asked: Asked) -> Reading:
    """The first of a list that the source orders by rank."""
    head = re.split(r"[,;(]|\s\d", text)[0].strip()
    if not head or head.lower() in NOT_ONE or len(head.split()) > 5:
        raise Unread("no first item")
    return named(head, [*COUNTRY_ALIASES.get(head, ()), *(head.split("/") if "/" in head else [])])


def date(text: str, asked: Asked) -> Reading:
    """The day it happened; further dates of the same text are accepted too."""
    found = list(_DATE.finditer(text))
    if not found or text.startswith("none"):
        raise Unread("no date")
    values = [f"{m[3]}-{MONTHS.index(m[2]) + 1:02}-{int(m[1]):02}" for m in found]
    gold = Gold(kind="date", values=(values[0],), aliases=(tuple(values[1:]),))
    return Reading(gold, (found[0].group(),))


def holiday(text: str, asked: Asked) -> Reading:
    """The day of the year; further days of the same text are accepted too."""
    found = list(_DAY.finditer(text))
    if not found:
        raise Unread("no fixed day")
    values = [f"{MONTHS.index(m[2]) + 1:02}-{int(m[1]):02}" for m in found]
    gold = Gold(kind="date", values=(values[0],), aliases=(tuple(values[1:]),))
    return Reading(gold, (found[0].group(),))


def items(text: str, asked: Asked) -> Reading:
    """A short list; one of it, or all of it, answers."""
    first = BRACKETS.sub("", text.split(";")[0])
    names = tuple(i.strip() for i in re.split(r",| and ", first) if i.strip())
    if not names or any(len(n.split()) > 4 or ":" in n or "none" in n for n in names):
        raise Unread("not a short list")
    needed = len(names) if asked.all_needed else 1
    return Reading(Gold(kind="names", values=names, needed=needed), names)


def vocabulary(text: str, asked: Asked) -> Reading:
    """Which of the field's known terms the first clause says."""
    clause = text.split(";")[0]
    found = [m for m in (re.search(w, clause, re.IGNORECASE) for w in asked.words) if m]
    # "presidential republic" inside "semi-presidential republic" is not a second term
    kept = [m for m in found if not any(o is not m and _within(m, o) for o in found)]
    if not kept:
        raise Unread("no known term")
    names = tuple(m.group() for m in sorted(kept, key=lambda m: m.start()))
    return Reading(Gold(kind="text", values=names, needed=len(names)), names)


def domain(text: str, asked: Asked) -> Reading:
    """`.dz`."""
    found = re.match(r"\.[a-z]{2,}", text)
    if found is None:
        raise Unread("no domain")
    return named(found.group(), [found.group()[1:]])


def code(text: str, asked: Asked) -> Reading:
    """`7T`."""
    found = re.match(r"[A-Z0-9]{1,3}(?:-[A-Z0-9]+)?(?=$|[,; (])", text)
    if found is None:
        raise Unread("no code")
    return named(found.group(), re.findall(r"\b[A-Z0-9]{1,3}\b", text)[1:])


READERS: Mapping[str, Callable[[str, Asked], Reading]] = {
    reader.__name__: reader
    for reader in (
        *(number, utc, age, name, currency, neighbours, summit, demonym, largest, ranked),
        *(city, date, holiday, person, title, items, vocabulary, domain, code),
    )
}


def _within(inner: re.Match[str], outer: re.Match[str]) -> bool:
    wider = outer.end() - outer.start() > inner.end() - inner.start()
    return wider and outer.start() <= inner.start() and inner.end() <= outer.end()


def _items(text: str) -> list[tuple[str, re.Match[str] | None]]:
    """Items of a comma list at bracket depth 0: the name, and its share where one is given."""
    flat, before = text, ""
    while flat != before:  # brackets inside brackets
        before, flat = flat, BRACKETS.sub("", flat)
    found = []
    for part in re.split(r"[,;]", flat):
        head = re.split(r"\s*[<\d]", part)[0].strip()
        if head and head.lower().split(" ")[0] not in NOT_ONE and head.lower() not in NOT_ONE:
            found.append((head, _SHARE.search(part)))
    return found
