"""What a GGUF weight file says about itself, and where such files lie.

The quantisation is read from the file's header (`general.file_type`), not from its name:
names are free. Header layout: the GGUF specification of ggml, versions 2 and 3; file
types: llama.cpp's `llama_ftype`.

Not here: the tensors. A file with a good header may still be damaged; its server says so.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["MAGIC", "GgufFile", "find_gguf", "read_gguf"]

MAGIC = b"GGUF"
MAX_TEXT = 1 << 24
"""Longest string of a header: a longer one is a damaged file."""
MAX_ITEMS = 1 << 22
FILE_TYPES: Mapping[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 25: "IQ4_NL", 30: "IQ4_XS", 32: "BF16",
}  # fmt: skip
_NUMBERS: Mapping[int, str] = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?",
    10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_TEXT, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class GgufFile:
    """One weight file: where, how large, what it says that it is."""

    path: Path
    size: int
    name: str
    """`general.name`, or the file's own name where it has none."""
    quantisation: str
    """llama.cpp's word (Q8_0, Q4_K_M, ...), "unknown" where the header does not say."""

    @property
    def is_vibethinker_3b(self) -> bool:
        """Whether its name, or the file's, is VibeThinker-3B's."""
        words = f"{self.name} {self.path.name}".lower()
        return "vibethinker" in words and "3b" in words


def read_gguf(path: Path) -> GgufFile | None:
    """The header of a file; None where it cannot be read or is no GGUF file."""
    try:
        with path.open("rb") as file:
            if file.read(4) != MAGIC:
                return None
            facts = _header(file)
        size = path.stat().st_size
    except (OSError, ValueError, struct.error):
        return None
    name, kind = facts.get("general.name"), facts.get("general.file_type")
    return GgufFile(
        path=path,
        size=size,
        name=name if isinstance(name, str) and name else path.name,
        quantisation=FILE_TYPES.get(kind, "unknown") if isinstance(kind, int) else "unknown",
    )


def find_gguf(patterns: Iterable[tuple[Path, str]]) -> tuple[GgufFile, ...]:
    """Every readable GGUF file under (folder, glob) places, in their order."""
    paths = dict.fromkeys(p for folder, glob in patterns for p in sorted(folder.glob(glob)))
    return tuple(found for path in paths if (found := read_gguf(path)) is not None)


def _header(file: BinaryIO) -> dict[str, Any]:
    """The single values of the header. Arrays (vocabularies) are read past."""
    version, _, count = _number(file, "<I"), _number(file, "<Q"), _number(file, "<Q")
    if version < 2 or count > MAX_ITEMS:
        raise ValueError("no GGUF header of version 2 or later")
    facts: dict[str, Any] = {}
    for _ in range(count):
        key, kind = _text(file), _number(file, "<I")
        facts[key] = _value(file, kind)
    return facts


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _TEXT:
        return _text(file)
    if kind != _ARRAY:
        return _number(file, _NUMBERS.get(kind, ""))
    inner, items = _number(file, "<I"), _number(file, "<Q")
    if items > MAX_ITEMS:
        raise ValueError("an array of a damaged header")
    if inner in _NUMBERS:
        file.seek(items * struct.calcsize(_NUMBERS[inner]), 1)
    else:
        for _ in range(items):
            _value(file, inner)
    return None


def _number(file: BinaryIO, form: str) -> Any:
    if not form:
        raise ValueError("an unknown type of value")
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _text(file: BinaryIO) -> str:
    length = _number(file, "<Q")
    if length > MAX_TEXT:
        raise ValueError("a string of a damaged header")
    return file.read(length).decode("utf-8", "replace")
