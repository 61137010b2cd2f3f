"""The files of a folder that are documents; what is passed over is counted, by rule.

Links to folders are not followed (so a loop cannot be entered), links to files only where they
stay inside the folder. Hidden files, version control, caches and build outputs are passed over.

What this does not do: open anything but the first bytes of a file.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from router.errors import KnowledgeError
from router.knowledge.documents.read import is_known

__all__ = ["Found", "find_files"]

_FOLDERS = {"node_modules", "__pycache__", "site-packages", "venv", "env", "target", "_vendor"}
_ENDS = (".egg-info",)


class Found(NamedTuple):
    """Names relative to the root (with `/`), their files, and how many others there are, by why."""

    files: dict[str, Path]
    skipped: Counter[str]


def find_files(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Found:
    """Every document under `root`, in order of name; a file that is named itself is one."""
    try:
        mode = root.stat().st_mode
    except FileNotFoundError:
        raise KnowledgeError(f"{root} is not there") from None
    except OSError as error:
        raise KnowledgeError(f"{root} cannot be read: {error.strerror}") from error
    if stat.S_ISREG(mode):
        return Found({root.name: root}, Counter())
    if not stat.S_ISDIR(mode):
        raise KnowledgeError(f"{root} is neither a file nor a folder")
    skipped: Counter[str] = Counter()
    files = {}
    top = root.resolve()
    for path in _walk(top, skipped):
        name = path.relative_to(top).as_posix().encode("utf-8", "replace").decode()
        if _wanted(name, include, exclude):
            files[name] = path
        else:
            skipped["not asked for"] += 1
    return Found(dict(sorted(files.items())), skipped)


def _wanted(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    asked = not include or any(fnmatch(name, pattern) for pattern in include)
    return asked and not any(fnmatch(name, pattern) for pattern in exclude)


def _walk(root: Path, skipped: Counter[str]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        skipped[f"a folder that cannot be read ({error.strerror})"] += 1

    for folder, folders, names in os.walk(root, onerror=refuse):
        kept = []
        for name in sorted(folders):
            if (Path(folder) / name).is_symlink():
                skipped["a link to a folder"] += 1
            elif name.startswith(".") or name in _FOLDERS or name.endswith(_ENDS):
                skipped["a hidden, cache or dependency folder"] += 1
            else:
                kept.append(name)
        folders[:] = kept
        for name in names:
            path = Path(folder) / name
            why = _why_not(path, root)
            if why:
                skipped[why] += 1
            else:
                yield path


def _why_not(path: Path, root: Path) -> str:
    if path.name.startswith("."):
        return "a hidden file"
    if not is_known(path):
        return "not a kind of document that is read"
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            return "a link out of the folder"
        if not stat.S_ISREG(path.stat().st_mode):
            return "no regular file"
    except (OSError, RuntimeError):  # a loop of links, or one that leads nowhere
        return "a broken link"
    return ""
