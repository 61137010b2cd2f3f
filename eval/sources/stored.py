"""Which sources are known and what is stored of each; sets of one's own stand after them."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from eval.sources.source import sources
from router.errors import InputError
from router.outcomes import ABOUT_FILE, OUTCOMES_FILE, outcomes_dir, stored_sets

__all__ = ["Listed", "listed", "plain_name"]


class Listed(BaseModel):
    """One line of `ockham outcomes list`; the counts are null where nothing is stored."""

    model_config = ConfigDict(frozen=True)

    name: str
    home: str
    licence: str
    files: int
    """Published files that can be fetched; 0: the normalised table only."""
    rows: int | None = None
    queries: int | None = None
    arms: int | None = None

    def cells(self) -> tuple[str, ...]:
        """The line as texts."""
        counts = (self.rows, self.queries, self.arms)
        shown = ("-" if n is None else f"{n:,}" for n in counts)
        home = self.home.removeprefix("https://github.com/")
        return (self.name, home, self.licence, str(self.files), *shown)


def listed() -> list[Listed]:
    """All known sources, then the stored sets that are none of them."""
    known, stored = sources(), set(stored_sets())
    lines = [
        Listed(
            name=name,
            home=f"{one.home} at {one.commit}",
            licence=one.licence,
            files=len(one.files),
            **(_counts(name) if name in stored else {}),
        )
        for name, one in known.items()
    ]
    others = sorted(stored - set(known))
    return lines + [_other(name) for name in others]


def _other(name: str) -> Listed:
    """A stored set that has not the name of a source: it says itself where it is from."""
    try:
        about = json.loads((outcomes_dir() / name / ABOUT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"stored set {name}: cannot be read ({error}): import it again") from None
    home = f"{about['home']} at {about['commit']}" if "home" in about else about.get("file", "-")
    licence = str(about.get("licence", "-"))
    return Listed(name=name, home=home, licence=licence, files=0, **_counts(name))


def plain_name(name: str) -> str:
    """A name that is one folder; `InputError` otherwise."""
    if not name or name.startswith(".") or any(c in name for c in "/\\\0"):
        raise InputError(f"{name!r} is no name for a stored set: give --as NAME, without slashes")
    return name


def _counts(name: str) -> Mapping[str, Any]:
    """Counted from the file's columns, without reading or checking the whole set."""
    try:
        frame = pl.scan_parquet(outcomes_dir() / name / OUTCOMES_FILE)
        counted = frame.select(
            rows=pl.len(),
            queries=pl.struct("benchmark", "query_id").n_unique(),
            arms=pl.col("arm").n_unique(),
        )
        return counted.collect().row(0, named=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"stored set {name}: cannot be read ({error}): import it again") from None
