"""The documentation of an installed distribution: its long description, its text files, and its
modules' docstrings, found through its own list of files. Nothing of it is imported.

What this does not do: follow an editable install to its source tree; add that folder itself.
"""

from collections import Counter
from importlib import metadata
from pathlib import Path

from router.errors import KnowledgeError
from router.knowledge.documents.walk import Found

__all__ = ["find_package_files"]

_TEXTS = {".md", ".markdown", ".rst", ".txt", ".py"}
_ABOUT = (".dist-info", ".egg-info")
_PASSED_OVER = {"tests", "test", "testing", "_vendor", "vendored", "__pycache__"}


def find_package_files(name: str) -> Found:
    """Names as the distribution lists them; KnowledgeError where it is not installed."""
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        raise KnowledgeError(
            f"the package {name!r} is not installed in this environment: its documentation is "
            "read from the installed files"
        ) from None
    files: dict[str, Path] = {}
    skipped: Counter[str] = Counter()
    for file in distribution.files or ():
        if file.parts[0].endswith(_ABOUT):
            if file.name in ("METADATA", "PKG-INFO") and len(file.parts) == 2:
                files[file.name] = Path(str(file.locate()))
        elif file.suffix.lower() not in _TEXTS:
            skipped["not a kind of document that is read"] += 1
        elif _PASSED_OVER & set(file.parts) or ".." in file.parts:
            skipped["tests, other people's code, or outside the package"] += 1
        else:
            files[file.as_posix()] = Path(str(file.locate()))
    return Found(dict(sorted(files.items())), skipped)
