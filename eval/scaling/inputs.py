"""`--pool KIND=PLACE` read: which outcome sets, as which pools, grouped by benchmark."""

from collections.abc import Iterable, Sequence
from typing import get_args

from eval.scaling.joining import interleaved
from eval.scaling.pool import KINDS, Kind, Pool, pools_of
from router.errors import InputError

__all__ = ["by_benchmark", "read_pools"]

_BY_NAME: dict[str, Kind] = {str(kind): kind for kind in get_args(Kind)}


def read_pools(given: Sequence[str]) -> list[Pool]:
    """The pools of all sets; several `spectrum=` of one benchmark are its variants, in order.

    Raises:
        SetupError, InputError: a set that cannot be read, or makes no pool.
    """
    from router.outcomes import read_outcomes

    found: list[Pool] = []
    variants: dict[str, list[Pool]] = {}
    for text in given:
        kind, place = _named(text)
        for pool in pools_of(read_outcomes(place), kind, place):
            if kind == "spectrum":
                variants.setdefault(pool.benchmark, []).append(pool)
            else:
                found.append(pool)
    return found + [interleaved(own) for own in variants.values()]


def _named(text: str) -> tuple[Kind, str]:
    """`clr=FOLDER`; without a kind it is plain."""
    kind, equals, place = text.partition("=")
    if not equals:
        return "plain", text
    if kind not in _BY_NAME:
        raise InputError(f"--pool {text}: no kind {kind!r}; there are: {', '.join(KINDS)}")
    return _BY_NAME[kind], place


def by_benchmark(pools: Iterable[Pool]) -> dict[str, dict[Kind, Pool]]:
    """Benchmark -> its pools. Raises `InputError` where it has two of one kind."""
    found: dict[str, dict[Kind, Pool]] = {}
    for pool in pools:
        own = found.setdefault(pool.benchmark, {})
        if pool.kind in own:
            raise InputError(
                f"--pool: two {pool.kind} pools of {pool.benchmark} "
                f"({own[pool.kind].arm}, {pool.arm}): compare them one at a time"
            )
        own[pool.kind] = pool
    return found
