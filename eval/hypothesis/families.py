"""Which models were trained alike: family, era and year by name (`families.yaml`)."""

import re
from functools import cache
from pathlib import Path

import yaml

__all__ = ["ALONE", "COPY", "family_of", "year_of"]

ALONE = "alone"
"""Era of a model that no pattern matches: its family is its own name."""
COPY = "#"
"""Before the number of a copy, in a simulated world that has more families than the table."""
_FILE = Path(__file__).with_name("families.yaml")


def family_of(model: str) -> tuple[str, str]:
    """(family, era) of a model by its name."""
    name, mark, copy = model.partition(COPY)
    for pattern, family, era, _ in _patterns():
        if pattern.search(name):
            return family + mark + copy, era
    return model, ALONE


def year_of(model: str) -> int | None:
    """Year of release; None where the name is not known."""
    return next((year for pattern, _, _, year in _patterns() if pattern.search(model)), None)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, str, int], ...]:
    rows = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple((re.compile(p, re.IGNORECASE), str(f), str(e), int(y)) for p, f, e, y in rows)
