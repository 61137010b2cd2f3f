"""`ockham report`."""

__all__ = ["report"]


def report() -> None:
    """Draw the records of a replay."""
