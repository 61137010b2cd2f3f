"""asyncio tasks that must be waited for, whoever is being cancelled meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["ended", "to_its_end"]

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that must be finished; a cancellation is passed on only afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from (None if task.cancelled() else task.exception())
    return task.result()


async def ended(task: "asyncio.Future[Any]") -> None:
    """Wait for a cancelled task's clean-up; its outcome is nobody's any more."""
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
