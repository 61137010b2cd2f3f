"""Which models were trained alike: family and era by name (`families.yaml`)."""

import re
from functools import cache
from pathlib import Path

import yaml

__all__ = ["ALONE", "family_of"]

ALONE = "alone"
"""Era of a model that no pattern matches: its family is its own name."""
_FILE = Path(__file__).with_name("families.yaml")


def family_of(model: str) -> tuple[str, str]:
    """(family, era) of a model by its name."""
    for pattern, family, era in _patterns():
        if pattern.search(model):
            return family, era
    return model, ALONE


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    rows = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple((re.compile(p, re.IGNORECASE), str(f), str(e)) for p, f, e in rows)
