"""The spectrum step: several ways to ask a question, so that samples differ before one is chosen.

VibeThinker's training widens first and selects then (spectrum to signal, arXiv 2511.06221); here
samples take the variants in turn. Instructions are ours, since none are published.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field

from router.record import Record

__all__ = ["SPECTRUM", "Spectrum", "Variant"]


class Variant(Record):
    """One way to ask, for diverse samples. What is not set stays as it is."""

    name: str
    instruction: str | None = None
    """Appended to the last user turn, before the domain's own instruction."""
    temperature: float | None = Field(default=None, ge=0, le=2)


SPECTRUM: tuple[Variant, ...] = (
    Variant(name="plain"),
    Variant(name="warm", temperature=1.0),
    Variant(name="units", instruction="First write down what is given and what is asked."),
    Variant(
        name="check", instruction="Solve it, then check the result in another way before you end."
    ),
)
"""The packaged spectrum (`spectrum: default`), version 1: wider ways to the same question."""


Spectrum = Annotated[
    tuple[Variant, ...],
    BeforeValidator(lambda value: SPECTRUM if value == "default" else value),
]
"""What stands under `spectrum:`; `default` is the packaged one."""
