"""What the commands that make a set of another one share: the part named, and where it may go."""

from pathlib import Path

from policies.outcome import OutcomeError, OutcomeSet
from router.errors import InputError
from router.outcomes import outcomes_dir

__all__ = ["keep_source", "part_of"]


def part_of(data: OutcomeSet, benchmark: str) -> OutcomeSet:
    """One benchmark of a set. Raises `InputError` naming the option and what there is."""
    try:
        return data.only([benchmark])
    except OutcomeError as error:
        raise InputError(f"--benchmark: {error}") from None


def keep_source(source: str, target: str, option: str) -> None:
    """Raise `InputError` where the new set would replace the one that it is made of.

    It holds less than its source (a benchmark of it, one arm of it) and cannot be made again.
    """
    if _places(source) & _places(target):
        raise InputError(f"{option} {target}: that is the set it is made of; give another name")


def _places(where: str) -> set[Path]:
    """Where a name or a folder may lie: a bare name is looked up in the store, then beside us."""
    return {(outcomes_dir() / where).resolve(), Path(where).resolve()}
