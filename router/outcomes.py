"""Outcome sets on disk: the one module that reads and writes their parquet files.

A set is a folder:

    outcomes.parquet   one row a query x arm x sample (schema: `policies.outcome`)
    queries.parquet    one row a query
    *.parquet          what a source keeps beside them (`router/ledger/export.py`)
    about.json         schema version, name, licence, checksums, notes, how it was made

A folder is written beside its final name and renamed at the end: a reader sees the whole
set or the one before it, also when the writer is killed (between its two renames the set
before lies aside, and is read there). Named sets lie in the data directory under `outcomes/`.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from policies.outcome import SCHEMA_VERSION, OutcomeError, OutcomeSet
from router.errors import InputError, SetupError
from router.paths import data_dir

__all__ = ["outcomes_dir", "read_outcomes", "stored_sets", "write_outcomes"]

OUTCOMES_FILE, QUERIES_FILE, ABOUT_FILE = "outcomes.parquet", "queries.parquet", "about.json"
_ASIDE = ".old-"


def outcomes_dir() -> Path:
    """Where named sets lie; not created here."""
    return data_dir() / "outcomes"


def stored_sets() -> tuple[str, ...]:
    """Names of the sets in the data directory."""
    place = outcomes_dir()
    if not place.is_dir():
        return ()
    have = (p for p in place.iterdir() if not p.name.startswith(".") or _ASIDE in p.name)
    whole = {_settled_name(p.name) for p in have if (p / ABOUT_FILE).is_file()}
    return tuple(sorted(whole))


def read_outcomes(where: str | Path) -> OutcomeSet:
    """A set by its name in the data directory, or by its folder.

    Raises:
        SetupError: there is no such set; the message lists those there are.
        InputError: the folder is damaged or written by another version.
    """
    # A bare name means the store, here as in `write_outcomes`; a folder beside us comes second.
    place = _found(outcomes_dir() / str(where)) or _found(Path(where))
    if place is None:
        have = ", ".join(stored_sets()) or "none"
        raise SetupError(
            f"no outcome set {str(where)!r} (stored: {have}): run `ockham outcomes import`"
        )
    try:
        about = json.loads((place / ABOUT_FILE).read_text(encoding="utf-8"))
        if not isinstance(about, dict):
            raise ValueError(f"{ABOUT_FILE} holds no object")
        if about.get("schema") != SCHEMA_VERSION:
            raise InputError(
                f"{place} has schema version {about.get('schema')}, this is {SCHEMA_VERSION}: "
                "import it again"
            )
        outcomes = pl.read_parquet(place / OUTCOMES_FILE)
        queries = pl.read_parquet(place / QUERIES_FILE)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{place} cannot be read ({error}): import it again") from None
    try:
        return OutcomeSet(outcomes, queries, about)
    except OutcomeError as error:
        raise InputError(f"{place}: {error}") from None


def write_outcomes(
    data: OutcomeSet, where: str | Path, beside: Mapping[str, pl.DataFrame] | None = None
) -> Path:
    """Write a set, whole or not at all; a name without a separator goes to the data directory.

    `beside`: further tables of the same folder by their names, which only who knows them reads.

    Raises:
        SetupError: the place cannot be written.
    """
    place = outcomes_dir() / str(where) if Path(where).name == str(where) else Path(where)
    about: Mapping[str, Any] = {**data.about, "schema": SCHEMA_VERSION}
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        raise SetupError(f"cannot write outcomes to {place}: {error}") from None
    try:
        data.outcomes.write_parquet(new / OUTCOMES_FILE)
        data.queries.write_parquet(new / QUERIES_FILE)
        for name, frame in (beside or {}).items():
            frame.write_parquet(new / f"{name}.parquet")
        (new / ABOUT_FILE).write_text(json.dumps(about, indent=1, sort_keys=True), encoding="utf-8")
        new.chmod(0o755)
        _swap(new, place)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SetupError(f"cannot write outcomes to {place}: {error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return place


def _swap(new: Path, place: Path) -> None:
    """Folders cannot be replaced in one step: the old one steps aside first."""
    if place.exists():
        if not (place / ABOUT_FILE).is_file():
            raise SetupError(f"{place} exists and is no outcome set: choose another place")
        aside = place.with_name(f".{place.name}{_ASIDE}{os.getpid()}")
        place.rename(aside)
        try:
            new.rename(place)
        except OSError:
            aside.rename(place)
            raise
    else:
        new.rename(place)
    for old in _asides(place):
        shutil.rmtree(old, ignore_errors=True)


def _asides(place: Path) -> list[Path]:
    """Sets that stepped aside and were not cleared away: their writer was killed."""
    if not place.parent.is_dir():
        return []
    start = f".{place.name}{_ASIDE}"
    return sorted(p for p in place.parent.iterdir() if p.name.startswith(start))


def _found(place: Path) -> Path | None:
    """The folder that holds the set, or None."""
    whole = (p for p in (place, *_asides(place)) if (p / ABOUT_FILE).is_file())
    return next(whole, None)


def _settled_name(name: str) -> str:
    return name[1:].rpartition(_ASIDE)[0] if name.startswith(".") else name
