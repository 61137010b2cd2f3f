"""One file to one document: which reader for which name.

What this does not do: decide which files of a folder are read (see `walk.py`).
"""

from email import message_from_string
from pathlib import Path

from router.knowledge.documents.code import code_document, python_document
from router.knowledge.documents.convert import CONVERTED, Converter
from router.knowledge.documents.document import (
    MAX_FILE_BYTES,
    MAX_TEXT_BYTES,
    Document,
    Empty,
    Unreadable,
)
from router.knowledge.documents.markdown import markdown_document
from router.knowledge.documents.prose import plain_document, rst_document
from router.knowledge.documents.records import csv_document, jsonl_document
from router.knowledge.documents.text import decoded

__all__ = ["READER", "check_size", "is_known", "read_document"]

READER = 1
"""Raise it when passages of unchanged files would come out different: they are read again."""

_TEXTS = {
    ".csv": csv_document,
    ".tsv": csv_document,
    ".jsonl": jsonl_document,
    ".ndjson": jsonl_document,
    ".md": markdown_document,
    ".markdown": markdown_document,
    ".mdx": markdown_document,
    ".rst": rst_document,
    ".txt": plain_document,
    ".text": plain_document,
    ".py": python_document,
    ".pyi": python_document,
}
_CODE = {".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".go", ".java", ".js", ".jsx", ".ts", ".tsx",
         ".kt", ".lua", ".php", ".pl", ".r", ".rb", ".rs", ".scala", ".sh", ".sql", ".swift",
         ".zig", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".json", ".xml", ".proto", ".cmake",
         ".tex"}  # fmt: skip
_BARE = {"readme", "license", "licence", "changelog", "changes", "news", "authors", "notice",
         "makefile", "dockerfile", "copying"}  # fmt: skip
_ABOUT = {"METADATA", "PKG-INFO"}


def is_known(path: Path) -> bool:
    """Would a folder's walk read a file of this name?"""
    suffix = path.suffix.lower()
    known = suffix in _TEXTS or suffix in _CODE or suffix in CONVERTED
    return known or path.name in _ABOUT or path.name.lower() in _BARE


def check_size(size: int) -> None:
    """Unreadable where the file is too large to be opened at all."""
    if size > MAX_FILE_BYTES:
        raise Unreadable(f"it has {size:,} bytes (the limit: {MAX_FILE_BYTES:,}): split it")


def read_document(path: Path, name: str, converter: Converter) -> Document:
    """The document; its title is its own, or `name`. Unreadable says why there is none."""
    try:
        size = path.stat().st_size
        check_size(size)
        if size == 0:
            raise Empty("it is empty")
        suffix = path.suffix.lower()
        if suffix in CONVERTED:
            if CONVERTED[suffix] == "html" and size > MAX_TEXT_BYTES:
                raise Unreadable(_too_much(size))
            return converter.read(path, name)
        if size > MAX_TEXT_BYTES:
            raise Unreadable(_too_much(size))
        return _text(path, suffix, name)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from error


def _text(path: Path, suffix: str, name: str) -> Document:
    text = decoded(path.read_bytes())
    if path.name in _ABOUT:
        return _package_metadata(text, name)
    if suffix in _TEXTS:
        return _TEXTS[suffix](text, name)
    return code_document(text, name) if suffix in _CODE else plain_document(text, name)


def _package_metadata(text: str, name: str) -> Document:
    """The long description of an installed distribution, in the markup it says it has."""
    message = message_from_string(text)
    told = str(message.get_payload()) or str(message.get("Description", ""))
    if not told.strip():
        raise Empty("it holds no description")
    title = f"{message.get('Name', name)} {message.get('Version', '')}".strip()
    kind = str(message.get("Description-Content-Type", "text/x-rst"))
    read = markdown_document if "markdown" in kind else rst_document
    made = read(told, title)
    sections = tuple(s._replace(trail=(title, *s.trail)) for s in made.sections)
    return Document("package", title, sections)


def _too_much(size: int) -> str:
    return f"it has {size:,} bytes of text (the limit: {MAX_TEXT_BYTES:,}): split it"
