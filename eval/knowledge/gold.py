"""The answer that a generated question has: what counts as right, in which unit, how near.

What this does not do: score (see `scoring.py`), or read the Factbook (see `parsing.py`).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Gold", "GoldKind"]

GoldKind = Literal["number", "name", "names", "date", "text"]


class Gold(BaseModel):
    """One gold answer. `values[i]` may be said as any of `aliases[i]`.

    number: `number` in `unit`; right within `tolerance`, relative (0: exact).
    name:   one value; any spelling of it is right.
    names:  several values; `needed` of them make the answer whole.
    date:   ISO, `1949-08-08`, or `08-08` for a day of every year; aliases are other dates that
            the source gives for it.
    text:   key phrases; `needed` of them make the answer whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: GoldKind
    values: tuple[str, ...] = Field(min_length=1)
    """As the source writes them; for a number the figure as written ("163.661 million")."""
    aliases: tuple[tuple[str, ...], ...] = ()
    """Same length as `values`, or empty: other ways to say each."""
    number: float | None = None
    unit: str = ""
    """Of `number`: km**2, km, m, percent, years, people, USD, tonnes, hours, count, ..."""
    tolerance: float = Field(default=0.0, ge=0)
    needed: int = Field(default=1, ge=1)

    def spellings(self, index: int = 0) -> tuple[str, ...]:
        """Everything that says `values[index]`."""
        others = self.aliases[index] if self.aliases else ()
        return (self.values[index], *others)
