"""The lock of the one builder of an index.

What this does not do: hold up readers; they never need it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from router.errors import KnowledgeError
from router.knowledge.storage import storage_errors

__all__ = ["builder_lock"]


@contextmanager
def builder_lock(path: Path) -> Iterator[None]:
    """One builder at a time; a second one is turned away, not kept waiting."""
    from filelock import FileLock, Timeout

    with storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise KnowledgeError(
                f"another process is building the index at {path} (it holds {path / '.lock'}): "
                "wait for it"
            ) from None
    try:
        yield
    finally:
        lock.release()
