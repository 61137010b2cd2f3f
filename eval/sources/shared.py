"""Where the outcome data and question sets lie: never in the repository.

`OCKHAM_SHARED_DATA`, or `../shared/data` beside the checkout. What stands there is described
in its own README; nothing of it is ever copied into this project.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from router.errors import SetupError

__all__ = ["checksums", "shared_data"]

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def shared_data(chosen: Path | None = None) -> Path:
    """The data folder; SetupError where there is none."""
    named = chosen or os.environ.get("OCKHAM_SHARED_DATA")
    place = Path(named).expanduser() if named else _BESIDE
    if not (place / "queries").is_dir() or not (place / "questions").is_dir():
        raise SetupError(
            f"no outcome data at {place} (it needs queries/ and questions/): give --data, or set "
            "OCKHAM_SHARED_DATA"
        )
    return place


def checksums(paths: Iterable[Path]) -> dict[str, str]:
    """File name to the first 16 hex digits of its SHA-256, for the stamp of a fit."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest()[:16] for p in paths}
