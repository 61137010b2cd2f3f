"""The featuriser beside the event loop, which it would block for milliseconds.

ThreadedSignals   in threads of this process: what a library call uses
ProcessSignals    in processes of their own: what a gateway uses. A thread that computes and the
                  loop take the interpreter from each other, and both lose
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from router.signals.encoder import Encoder
from router.signals.features import Featuriser
from router.signals.head import HEAD_PATH, load_head
from router.state import Message, Query, Signals
from router.verify.workers import Workers, cores

__all__ = ["Placed", "ProcessSignals", "SignalsAside", "ThreadedSignals", "make_featuriser"]

Placed = tuple[Mapping[str, list[float]], Signals]
"""Feature blocks of one query, each of shape (d,), and its signals."""

SECONDS = 60.0
"""Most of one call in a process; long texts take about one."""
_LOG = logging.getLogger(__name__)
_WARM = Query(id="warm", messages=(Message(role="user", content="warm up"),))


def make_featuriser(encoder: Encoder, head: Path | None) -> Featuriser:
    """The featuriser of a configuration; `head`: None for the shipped one."""
    return Featuriser(encoder, load_head(head or HEAD_PATH))


class SignalsAside(ABC):
    """Places queries while the event loop goes on."""

    @abstractmethod
    def warm(self) -> None:
        """Load the weights; blocks. `SetupError`: they are missing, or do not fit together."""

    async def aclassify(self, query: Query) -> Placed:
        """Feature blocks and the signals of one query."""
        return (await self.aclassify_many([query]))[0]

    @abstractmethod
    async def aclassify_many(self, queries: Sequence[Query]) -> list[Placed]:
        """The same for many queries, embedded in one batch."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the threads or processes."""


class ThreadedSignals(SignalsAside):
    """In threads, one fewer than there are cores: more would take the loop's turns, and in
    asyncio's common threads other short calls would wait behind it."""

    def __init__(self, featuriser: Featuriser) -> None:
        self._featuriser = featuriser
        self._threads = ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="encode")

    def warm(self) -> None:
        self._featuriser.load()

    async def aclassify_many(self, queries: Sequence[Query]) -> list[Placed]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _placed, self._featuriser, queries)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class ProcessSignals(SignalsAside):
    """In `count` processes. Where one is lost, its query is placed in a thread instead."""

    def __init__(
        self, count: int, encoder: str, head: Path | None, data: Path, instead: Featuriser
    ) -> None:
        self._workers = Workers(count, partial(_prepare, encoder, head, data))
        self._instead = ThreadedSignals(instead)

    def warm(self) -> None:
        calls = [
            self._workers.submit(_placed_there, (_WARM,), seconds=SECONDS)
            for _ in range(self._workers.count)
        ]
        for call in calls:
            call.result()

    async def aclassify_many(self, queries: Sequence[Query]) -> list[Placed]:
        call = self._workers.submit(_placed_there, tuple(queries), seconds=SECONDS)
        # Shielded: the workers' threads set its result, also where nobody waits any more.
        done = await asyncio.shield(asyncio.wrap_future(call))
        if done.value is not None:
            return done.value
        _LOG.warning("signals: a process was lost (%s); in this process instead", done.lost)
        return await self._instead.aclassify_many(queries)

    def close(self) -> None:
        self._workers.close()
        self._instead.close()


def _placed(featuriser: Featuriser, queries: Sequence[Query]) -> list[Placed]:
    judged = featuriser.judge(queries)
    return [
        ({name: block[i].tolist() for name, block in judged.blocks.items()}, signals)
        for i, signals in enumerate(judged.signals)
    ]


# -- in the process -------------------------------------------------------------------

_own: list[Featuriser] = []


def _prepare(encoder: str, head: Path | None, data: Path) -> None:
    made = make_featuriser(Encoder(encoder, data), head)
    made.load()
    _own.append(made)


def _placed_there(queries: Sequence[Query]) -> list[Placed]:
    return _placed(_own[0], queries)
