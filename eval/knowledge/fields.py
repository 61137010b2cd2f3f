"""What may be asked of the Factbook: the fields of `templates.yaml`, read and checked."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from eval.knowledge.parsing import READERS
from router.knowledge.factbook import plain

__all__ = ["TEMPLATES", "AskedField", "asked_fields", "field_text"]

TEMPLATES = Path(__file__).with_name("templates.yaml")
LATEST = "latest"
TOTALS = {"total": ("total", "total "), "languages": ("Languages", "text")}
"""Sub-fields that the data spells in more than one way."""


class AskedField(BaseModel):
    """One field: where it stands, how it is read, and how it is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    at: tuple[str, str, str]
    parse: str
    unit: str = ""
    tolerance: float = 0.0
    positive: bool = False
    """A zero is no question ("how long is the shore of Bhutan?")."""
    all_needed: bool = False
    words: tuple[str, ...] = ()
    cues: tuple[str, ...] = Field(min_length=1)
    easy: tuple[str, ...] = Field(min_length=2)
    hard: tuple[str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _known(self) -> "AskedField":
        if self.parse not in READERS:
            raise ValueError(f"{self.id}: no reader {self.parse!r}; there are {sorted(READERS)}")
        if not any("{c}" in template for template in self.hard):
            raise ValueError(f"{self.id}: one hard template must do without an adjective")
        return self

    @property
    def source(self) -> str:
        """The part of a Factbook chunk's source after the `#`, its part number left out."""
        return f"{self.at[0]}/{self.at[1]}"


@cache
def asked_fields() -> tuple[AskedField, ...]:
    """All fields, in the order of the file."""
    data = yaml.safe_load(TEMPLATES.read_text(encoding="utf-8"))
    return tuple(AskedField(id=name, **body) for name, body in data.items())


def field_text(data: Mapping[str, Any], field: AskedField) -> str | None:
    """The field's text in one country's data, markup out; None where there is none."""
    category, name, part = field.at
    node = data.get(category, {}).get(name)
    if not isinstance(node, Mapping):
        return None
    if part == LATEST:
        part = max((key for key in node if key[-4:].isdigit()), key=lambda k: k[-4:], default="")
    for key in TOTALS.get(part, (part or "text",)):
        found = node.get(key)
        text = found.get("text", "") if isinstance(found, Mapping) else found
        if text:
            return plain(str(text))
    return None
