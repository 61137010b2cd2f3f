"""What a reader of a Factbook text returns, and what all readers share."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from eval.knowledge.gold import Gold
from eval.knowledge.quantities import SCALES

__all__ = ["COUNTRY_ALIASES", "Asked", "Reading", "Unread", "figure", "named", "numbered"]

COUNTRY_ALIASES = {
    "USA": ("United States", "United States of America", "US", "U.S.", "America"),
    "UK": ("United Kingdom", "Great Britain", "Britain"),
    "UAE": ("United Arab Emirates", "Emirates"),
    "Czechia": ("Czech Republic",),
    "Turkey": ("Türkiye", "Turkey (Turkiye)"),
    "Turkey (Turkiye)": ("Turkey", "Türkiye"),
    "Burma": ("Myanmar",),
    "South Korea": ("Korea", "Republic of Korea"),
    "Cote d'Ivoire": ("Ivory Coast", "Côte d'Ivoire"),
}


class Unread(Exception):
    """This text yields no gold; the message is the reason, a few words that can be counted."""


class Reading(NamedTuple):
    """The gold answer, and what a passage must say to hold it."""

    gold: Gold
    evidence: tuple[str, ...]


class Asked(Protocol):
    """What a reader wants to know of its field."""

    @property
    def unit(self) -> str: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def positive(self) -> bool: ...
    @property
    def words(self) -> Sequence[str]: ...
    @property
    def all_needed(self) -> bool: ...


def figure(text: str) -> float:
    digits, _, magnitude = text.replace("$", "").replace(",", "").rstrip("%").partition(" ")
    return float(digits) * SCALES.get(magnitude, 1.0)


def numbered(value: float, written: str, asked: Asked) -> Reading:
    gold = Gold(
        kind="number", values=(written,), number=value, unit=asked.unit, tolerance=asked.tolerance
    )
    return Reading(gold, (written,))


def named(value: str, aliases: Sequence[str], evidence: str = "") -> Reading:
    others = tuple(dict.fromkeys(a.strip() for a in aliases if a.strip() and a.strip() != value))
    return Reading(Gold(kind="name", values=(value,), aliases=(others,)), (evidence or value,))
