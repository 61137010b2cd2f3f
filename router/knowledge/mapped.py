"""Arrays and files that are read where they lie: mapped into memory, never copied in.

What opening checks must not cost seconds on a million rows. So small files are checked
whole, against the manifest's checksum; of a large one the size, and blocks spread evenly over
it. A single flipped byte elsewhere in a large file is what `check_files` finds, which reads
everything (`ockham index verify`).
"""

import hashlib
import io
import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.errors import KnowledgeError
from router.knowledge.storage import Manifest, StoredFile, write_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "WHOLE_BYTES",
    "check_files",
    "check_quickly",
    "check_whole",
    "damaged",
    "mapped",
    "open_array",
    "sample_digest",
    "save_array",
]

WHOLE_BYTES = 64 << 20
"""Up to here a file is checked whole at every opening: some 2 ms a MiB, so a flipped byte in an
index of the World Factbook's size (94 MB) is never read as an answer."""
_BLOCK = 4096
_BLOCKS = 64
_WRITE = 16 << 20


def damaged(file: Path) -> KnowledgeError:
    """What to say of a file that is not what the manifest tells of."""
    return KnowledgeError(
        f"the index file {file} is damaged or cut short: run `ockham index build`"
    )


def mapped(file: Path) -> mmap.mmap:
    """The file in memory: it stays readable even where a builder removes it."""
    try:
        with file.open("rb") as handle:
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise KnowledgeError(
            f"the index file {file} cannot be read ({error.strerror}): run `ockham index build`"
        ) from error
    except ValueError as error:  # an empty file cannot be mapped
        raise damaged(file) from error


def save_array(folder: Path, name: str, array: "NDArray[Any]") -> StoredFile:
    """Write `array` as numpy's own file format."""
    from numpy.lib import format as npy

    head = io.BytesIO()
    npy.write_array_header_1_0(head, npy.header_data_from_array_1_0(array))
    return write_file(folder / name, _parts(head.getvalue(), array))


def open_array(folder: Path, name: str, dtype: str, length: int | None = None) -> "NDArray[Any]":
    """An array that `save_array` wrote, one-dimensional, mapped."""
    import numpy as np

    file = folder / name
    try:
        array: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(file) from error
    if array.ndim != 1 or array.dtype != np.dtype(dtype) or length not in (None, len(array)):
        raise damaged(file)
    return array.view(np.ndarray)  # slices of a memmap are slow to make


def check_whole(file: Path, data: mmap.mmap, manifest: Manifest) -> None:
    """KnowledgeError unless these are the bytes that the manifest tells of."""
    found = StoredFile(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    if found != manifest.files.get(file.name):
        raise damaged(file)


def check_quickly(version: Path, manifest: Manifest, samples: Mapping[str, str]) -> None:
    """KnowledgeError for the first file seen, at a glance, not to be as it was written."""
    for name in manifest.files:
        if _fault(version / name, manifest.files[name], samples.get(name)) is not None:
            raise damaged(version / name)


def check_files(version: Path, manifest: Manifest) -> list[str]:
    """A sentence for each file of a version that differs from its manifest; reads every byte."""
    found = ((name, _fault(version / name, kept)) for name, kept in manifest.files.items())
    return [f"{name}: {fault}" for name, fault in found if fault is not None]


def sample_digest(file: Path) -> str:
    """SHA-256 of blocks spread evenly over the file, its two ends among them."""
    size, digest = file.stat().st_size, hashlib.sha256()
    with file.open("rb") as handle:
        for i in range(_BLOCKS):
            handle.seek(max(0, size - _BLOCK) * i // (_BLOCKS - 1))
            digest.update(handle.read(_BLOCK))
    return digest.hexdigest()


def _fault(file: Path, kept: StoredFile, sample: str | None = None) -> str | None:
    """What is wrong with the file; `sample` in place of the whole where it is large."""
    try:
        size = file.stat().st_size
        if size != kept.bytes:
            return f"{size:,} bytes, the manifest says {kept.bytes:,}"
        if sample is not None and size > WHOLE_BYTES:
            return None if sample_digest(file) == sample else "its content differs"
        with file.open("rb") as handle:
            same = hashlib.file_digest(handle, "sha256").hexdigest() == kept.sha256
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if same else "its content differs"


def _parts(head: bytes, array: "NDArray[Any]") -> Iterator[bytes]:
    yield head
    flat = array.reshape(-1)
    step = max(1, _WRITE // max(1, array.itemsize))
    for start in range(0, len(flat), step):
        yield flat[start : start + step].tobytes()
