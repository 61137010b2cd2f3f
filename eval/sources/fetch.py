"""Fetching a source's files: resumed, retried, checked, or taken from a local mirror.

Covered: a connection that breaks (the next try goes on where it stopped, through HTTP Range),
a server that ignores Range (the file is started again), a server that is busy (429, 5xx),
a file whose SHA-256 is not the published one (it is deleted and the error names both sums).
Not covered: files without a known checksum are taken as they come (their sum is recorded).

A file is written as `<name>.part` and renamed when it is whole and right.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from eval.sources.shared import shared_data
from eval.sources.source import RemoteFile, Source
from router.errors import InputError, SetupError
from router.paths import data_dir

__all__ = ["Fetched", "fetch", "from_mirror", "raw_dir", "sha256_of"]

ATTEMPTS = 5
FIRST_WAIT_S = 1.0
_TIMEOUT = httpx.Timeout(30.0)
_BUSY = (429, 500, 502, 503, 504)

Progress = Callable[[str, int, int | None], None]
"""Called with a file's path, the bytes held so far, and the bytes in all where known."""


class Fetched(NamedTuple):
    """Where the files are, their sums, and which of the source's files are not there."""

    folder: Path
    checksums: dict[str, str]
    absent: tuple[str, ...]


class _Again(Exception):
    """A failure worth another try."""


def raw_dir(name: str) -> Path:
    """Where a source's published files are kept."""
    return data_dir() / "raw" / name


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(
    source: Source, progress: Progress | None = None, client: httpx.Client | None = None
) -> Fetched:
    """All files of a source in its raw folder; what is there and right is not asked for again.

    Raises:
        SetupError: a file cannot be had or is not the published one; says what else can be done.
    """
    if not source.files:
        raise SetupError(
            f"{source.name} has no files to download: only its normalised table is read, so give "
            f"--normalised FOLDER{_else()}"
        )
    folder, sums = raw_dir(source.name), {}
    own = client or httpx.Client(follow_redirects=True, timeout=_TIMEOUT)
    try:
        for one in source.files:
            sums[one.path] = _have(one, folder / one.path, own, progress or _silent)
    finally:
        if client is None:
            own.close()
    return Fetched(folder, sums, ())


def from_mirror(source: Source, folder: Path) -> Fetched:
    """The source's files in a local folder, which is read in place; the absent ones are named.

    Raises:
        InputError: none of the files is there, or one is not the published one.
    """
    sums = {}
    for one in source.files:
        path = folder / one.path
        if path.is_file():
            sums[one.path] = sha256_of(path)
            if one.sha256 and sums[one.path] != one.sha256:
                raise InputError(
                    f"{path} has SHA-256 {sums[one.path]}, the published file {one.sha256}: "
                    "get it again, or read your own version with --file"
                )
    if not sums:
        wanted = source.files[0].path if source.files else "nothing: use --normalised"
        raise InputError(f"{folder} holds no file of {source.name}; it wants {wanted}")
    absent = tuple(one.path for one in source.files if one.path not in sums)
    return Fetched(folder, sums, absent)


def _have(one: RemoteFile, path: Path, client: httpx.Client, progress: Progress) -> str:
    """The file in its place; its SHA-256."""
    if path.is_file():
        held = sha256_of(path)
        if one.sha256 in (None, held):
            return held
        path.unlink()
    part = path.with_name(path.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _download(one, part, client, progress)
        held = sha256_of(part)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error}") from None
    if one.sha256 and held != one.sha256:
        part.unlink()
        raise SetupError(
            f"{one.url} gave a file with SHA-256 {held}, expected {one.sha256}: it was not kept. "
            f"Try again, or give --mirror FOLDER{_else()}"
        )
    part.replace(path)
    return held


def _download(one: RemoteFile, part: Path, client: httpx.Client, progress: Progress) -> None:
    tries = retry(
        retry=retry_if_exception_type((_Again, httpx.TransportError)),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=FIRST_WAIT_S, max=30),
        reraise=True,
    )
    try:
        tries(_attempt)(one, part, client, progress)
    except (_Again, httpx.HTTPError) as error:
        raise SetupError(
            f"{one.url} cannot be downloaded ({type(error).__name__}: {error}); what came is kept "
            f"and the next run goes on from there. Or give --mirror FOLDER{_else()}"
        ) from None


def _attempt(one: RemoteFile, part: Path, client: httpx.Client, progress: Progress) -> None:
    """One request for what is still lacking."""
    held = part.stat().st_size if part.exists() else 0
    if one.bytes and held > one.bytes:
        part.unlink()
        held = 0
    if one.bytes and held == one.bytes:
        return
    # Without identity, Range would count compressed bytes.
    headers = {"Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
    with client.stream("GET", one.url, headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            raise _Again("the server has no bytes after those we hold")
        if answer.status_code in _BUSY:
            raise _Again(f"HTTP {answer.status_code}")
        answer.raise_for_status()
        resumed = _resumes(answer, held)
        _write(one, part, held if resumed else 0, answer, progress)


def _resumes(answer: httpx.Response, held: int) -> bool:
    """Whether the body goes on where we stopped; a server may answer 200 with all of it."""
    if answer.status_code != httpx.codes.PARTIAL_CONTENT:
        return False
    if not answer.headers.get("Content-Range", "").startswith(f"bytes {held}-"):
        raise _Again(f"Content-Range {answer.headers.get('Content-Range')!r} was not asked for")
    return True


def _write(
    one: RemoteFile, part: Path, held: int, answer: httpx.Response, progress: Progress
) -> None:
    length = answer.headers.get("Content-Length")
    total = one.bytes or (held + int(length) if length and length.isdigit() else None)
    with part.open("ab" if held else "wb") as file:
        for chunk in answer.iter_bytes():
            file.write(chunk)
            held += len(chunk)
            progress(one.path, held, total)


def _silent(path: str, held: int, total: int | None) -> None:
    """No progress."""


def _else() -> str:
    """The way that needs no network, where this machine has the normalised tables."""
    try:
        return f" (here: --normalised {shared_data()})"
    except SetupError:
        return ""
