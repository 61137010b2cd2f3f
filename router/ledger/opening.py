"""What the ledger's commands share: the open ledger, times on the command line, output."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from router.config import load_settings
from router.errors import InputError

if TYPE_CHECKING:
    from router.ledger.ledger import Ledger

__all__ = ["moment", "open_ledger", "print_line"]


@contextmanager
def open_ledger(config: str | None) -> "Iterator[Ledger]":
    """The configured ledger, for a command."""
    from router.ledger.ledger import Ledger

    with Ledger.open(load_settings(config), replica="command line") as opened:
        yield opened


def moment(text: str, back: bool = False) -> datetime:
    """A UTC moment; `90d` counts days from now, ahead or back."""
    if text.endswith("d") and text[:-1].isdigit():
        days = timedelta(days=int(text[:-1]))
        return datetime.now(UTC) - days if back else datetime.now(UTC) + days
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is no time such as 2026-11-23, 2026-11-23T12:00 or 7d"
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def print_line(text: str) -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")
