"""Bytes to text: UTF-8 first, then what charset-normalizer makes of them.

What this does not do: guess at bytes that hold NUL: those are binary (UTF-16 has a mark).
"""

import codecs

from router.knowledge.documents.document import Unreadable

__all__ = ["decoded", "is_binary"]

_SAMPLE = 65_536
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(data: bytes) -> str:
    """The text, with line ends made one kind; Unreadable where the bytes are binary."""
    if is_binary(data):
        raise Unreadable("it is binary, not text")
    text = data.decode(_encoding(data), errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_binary(data: bytes) -> bool:
    """Does the beginning look like anything but text?"""
    return not data.startswith(_WIDE_MARKS) and b"\0" in data[:_SAMPLE]


def _encoding(data: bytes) -> str:
    if data.startswith(_WIDE_MARKS):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(data[:_SAMPLE]).best()
        return best.encoding if best else "cp1252"
    return "utf-8-sig"
