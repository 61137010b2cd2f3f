"""Dates as answers write them: "8 August 1949", "August 8th, 1949", "1949-08-08", "8/8/1949".

What not: a year alone is a date without its day here, and figures such as 3/4/1999, which are
another day on the other side of an ocean, are both days.
"""

import re
from collections.abc import Iterator

__all__ = ["dates"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?[ ]+(?:of[ ]+)?(?P<year>\d{4})\b)?"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\d){_DAY}[ ]+(?:day of |of )?{_MONTH}{_YEAR}",
        rf"\b{_MONTH}[ ]+(?:the )?{_DAY}(?!\d){_YEAR}",
        r"(?<!\d)(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})(?!\d)",
        r"(?<!\d)(?P<day>\d{1,2})[/.](?P<number>\d{1,2})[/.](?P<year>\d{4})(?!\d)",
        r"(?<!\d)(?P<number>\d{1,2})[/.](?P<day>\d{1,2})[/.](?P<year>\d{4})(?!\d)",
    )
)


def dates(text: str) -> list[str]:
    """ISO dates of a text, `08-08` where no year is said; each once."""
    return list(dict.fromkeys(_found(text)))


def _found(text: str) -> Iterator[str]:
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            said = match.groupdict()
            month = _month(said)
            day = int(said["day"])
            if 1 <= month <= 12 and 1 <= day <= 31:
                year = f"{said['year']}-" if said.get("year") else ""
                yield f"{year}{month:02}-{day:02}"


def _month(said: dict[str, str | None]) -> int:
    if name := said.get("month"):
        return _MONTHS.index(name[:3].lower()) + 1
    return int(said["number"] or 0)
