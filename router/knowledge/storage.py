"""Where an index lies on disk, and how it gets there without ever being half there.

    <path>/CURRENT              the name of the version in use: replaced atomically, last
    <path>/v-<digest>-<token>/  manifest.json, passages.jsonl, vectors.f32, documents.jsonl, and
                                what search needs beside them (see `search_files.py`)
    <path>/sources.json         what the next build reads (see `sources.py`)
    <path>/.new-*/              a version being written (renamed when whole)
    <path>/.partial-*/          embedded shards of a build that has not finished yet
    <path>/.lock                held by the one builder

Covered: a crash, a kill or a full disk at any moment leaves the version that CURRENT names;
files are synced before they are renamed; a reader checks files whole up to 64 MiB
and larger ones by samples, `ockham index verify` every byte.
Not covered: a file system that lies about fsync; builders on two machines that share a
network drive without locks.
"""

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router.errors import KnowledgeError

__all__ = [
    "DOCUMENTS",
    "PASSAGES",
    "VECTORS",
    "Manifest",
    "StoredFile",
    "current_version",
    "free_bytes",
    "new_version",
    "read_manifest",
    "remove_all",
    "storage_errors",
    "stored_file",
    "write_file",
]

FORMAT = 2
"""2: a passage is [source, title, text, meta]."""
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
PASSAGES = "passages.jsonl"
DOCUMENTS = "documents.jsonl"
VECTORS = "vectors.f32"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_HINT = "run `ockham index build`"


class StoredFile(BaseModel):
    """Size and checksum of one file of a version."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    bytes: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """What a version holds, and what it was made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int
    encoder: str
    corpus: str
    n: int = Field(ge=1)
    dim: int = Field(ge=1)
    files: dict[str, StoredFile]

    @property
    def fingerprint(self) -> str:
        """Equal prints, equal index: encoder, corpus and the checksums of what a search reads.

        Not the documents' list: it holds times of change, and a touched file is no other index.
        """
        read = {name: file for name, file in self.files.items() if name != DOCUMENTS}
        plain = self.model_copy(update={"files": read}).model_dump_json()
        return hashlib.sha256(plain.encode()).hexdigest()[:16]


def current_version(path: Path) -> Path:
    """The folder of the version in use; KnowledgeError where there is none."""
    try:
        name = (path / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise KnowledgeError(f"there is no knowledge index at {path}: {_HINT}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"the index pointer {path / CURRENT}: {error}; {_HINT}") from error
    if not name.startswith("v-") or "/" in name or os.sep in name:
        raise KnowledgeError(f"the index pointer {path / CURRENT} is damaged: {_HINT}")
    return path / name


def read_manifest(version: Path) -> Manifest:
    """The manifest of one version, checked."""
    file = version / MANIFEST
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise KnowledgeError(f"the index manifest {file} cannot be read: {error}; {_HINT}") from (
            error
        )
    if isinstance(data, dict) and data.get("format") != FORMAT:
        raise KnowledgeError(
            f"the index at {version.parent} has format {data.get('format')}, "
            f"this Ockham reads format {FORMAT}: {_HINT}"
        )
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        raise KnowledgeError(f"the index manifest {file} is damaged: {_HINT}") from error


def new_version(
    path: Path,
    encoder: str,
    corpus: str,
    shape: tuple[int, int],
    files: dict[str, Iterable[bytes]],
    finish: Callable[[Path], Mapping[str, StoredFile]] | None = None,
) -> Path:
    """Write a version, switch to it, and drop the others. All or nothing.

    `finish` writes further files into the draft, from those that are already there.
    """
    digest = hashlib.sha256(f"{encoder}\n{corpus}".encode()).hexdigest()[:12]
    name = f"{digest}-{secrets.token_hex(4)}"
    draft, version = path / f".new-{name}", path / f"v-{name}"
    try:
        with storage_errors(path):
            draft.mkdir()
            stored = {file: write_file(draft / file, parts) for file, parts in files.items()}
            stored |= finish(draft) if finish else {}
            manifest = Manifest(
                format=FORMAT,
                encoder=encoder,
                corpus=corpus,
                n=shape[0],
                dim=shape[1],
                files=stored,
            )
            write_file(draft / MANIFEST, [manifest.model_dump_json(indent=1).encode()])
            draft.rename(version)
            write_file(path / CURRENT, [f"{version.name}\n".encode()])
    except BaseException:
        remove_all([draft] if _names(path, version) else [draft, version])
        raise
    remove_all(old for old in path.glob("v-*") if old != version)
    return version


def _names(path: Path, version: Path) -> bool:
    try:
        return current_version(path) == version
    except KnowledgeError:
        return False


def write_file(file: Path, parts: Iterable[bytes]) -> StoredFile:
    """Write next to `file`, sync, rename over it; nothing stays where that fails."""
    draft = file.with_name(f".{file.name}.tmp")
    digest, size = hashlib.sha256(), 0
    try:
        with storage_errors(file):
            with draft.open("wb") as handle:
                for part in parts:
                    handle.write(part)
                    digest.update(part)
                    size += memoryview(part).nbytes
                handle.flush()
                os.fsync(handle.fileno())
            draft.replace(file)
            _sync_folder(file.parent)
    except BaseException:
        remove_all([draft])
        raise
    return StoredFile(bytes=size, sha256=digest.hexdigest())


def stored_file(file: Path) -> StoredFile:
    """Sync a file that another library wrote; its size and checksum."""
    with storage_errors(file), file.open("rb+") as handle:
        os.fsync(handle.fileno())
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return StoredFile(bytes=file.stat().st_size, sha256=digest)


def remove_all(places: Iterable[Path]) -> None:
    """Remove files and folders; what cannot be removed is left for the next build."""
    for place in list(places):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            try:
                place.unlink(missing_ok=True)
            except OSError:
                continue


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Operating system errors become KnowledgeErrors that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise KnowledgeError(
                f"the disk is full: cannot write {path} ({free_bytes(path):,} bytes free); free "
                "some space, or choose another place with --path or OCKHAM_DATA_DIR, and "
                f"{_HINT} again: what is already embedded is kept"
            ) from error
        raise KnowledgeError(
            f"cannot write the index at {path}: {error.strerror or error}; make it writable, or "
            "choose another place with --path, the setting knowledge.path or OCKHAM_DATA_DIR"
        ) from error


def free_bytes(path: Path) -> int:
    """Bytes free for us where `path` is, or will be."""
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # directories cannot be opened elsewhere
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
