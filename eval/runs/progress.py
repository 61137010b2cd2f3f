"""Progress of a live run on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eval.runs.tally import Tally

__all__ = ["describe", "progress"]

LINE_EVERY_S = 10.0


def progress(
    quiet: bool = False, out: TextIO | None = None
) -> "AbstractContextManager[Callable[[Tally], None]]":
    """`with progress() as show: show(tally)`; `quiet` shows nothing."""
    out = out or sys.stderr
    if quiet:
        return nullcontext(lambda _: None)
    return _bar(out) if out.isatty() else _lines(out)


def describe(tally: "Tally", left_s: float | None) -> str:
    """Counts, cost so far and expected, accuracy so far, time left."""
    parts = [f"{tally.finished}/{tally.planned}", f"USD {tally.spent_usd:.6f}"]
    if tally.expected_usd is not None:
        parts.append(f"of about {tally.expected_usd:.6f}")
        parts.append(f"accuracy {tally.score / tally.finished:.3f}")
    if tally.failed:
        parts.append(f"{tally.failed} failed")
    if tally.interrupted:
        parts.append(f"{tally.interrupted} interrupted")
    if left_s is not None:
        parts.append(f"about {_clock(left_s)} left")
    return "  ".join(parts)


class _Pace:
    """Time left, from what this sitting has done so far."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._first: int | None = None

    def left(self, tally: "Tally") -> float | None:
        if self._first is None:
            self._first = tally.finished
        done = tally.finished - self._first
        if done <= 0:
            return None
        return (time.monotonic() - self._start) / done * (tally.planned - tally.finished)


@contextmanager
def _lines(out: TextIO) -> "Iterator[Callable[[Tally], None]]":
    pace, last = _Pace(), float("-inf")

    def show(tally: "Tally") -> None:
        nonlocal last
        left = pace.left(tally)
        if time.monotonic() - last < LINE_EVERY_S and tally.finished < tally.planned:
            return
        last = time.monotonic()
        out.write(describe(tally, left) + "\n")
        out.flush()

    yield show


@contextmanager
def _bar(out: TextIO) -> "Iterator[Callable[[Tally], None]]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    pace = _Pace()
    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=out)) as bar:
        task = bar.add_task("", total=None)

        def show(tally: "Tally") -> None:
            bar.update(
                task,
                total=tally.planned,
                completed=tally.finished,
                description=describe(tally, pace.left(tally)),
            )

        yield show


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
