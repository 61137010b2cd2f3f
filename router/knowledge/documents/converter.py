"""The child process that reads HTML, DOCX and PDF (`python -m` this module).

Documents are other people's bytes, and their parsers are large. So they run here: memory is
limited, connections, new processes and files opened for writing are refused (an audit hook, which
nothing can take out again), and the parent ends us when we take too long (see `convert.py`).

Each line on standard input is a request `{"path", "kind"}`; each gets a line on standard output:
`{"pages": [markdown, ...], "title"}` or `{"error": reason}`.

markitdown's converters are called by themselves: no guessing of types, no plugins, no addresses.
PDF pages are split by pdfium, so that a passage can cite its page and one page's fault stays there.
"""

import json
import os
import sys
import zipfile
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from router.knowledge.documents.document import MAX_TEXT_BYTES, Unreadable

__all__ = ["MAX_PAGES", "MEMORY_BYTES", "convert_docx", "convert_html", "convert_pdf", "main"]

MEMORY_BYTES = 3 << 30
"""Address space of the child; what it needs for itself is under 1 GiB."""
MAX_PAGES = 5_000
_MAX_UNPACKED = 256_000_000
"""Of a DOCX, which is a ZIP: a file that unpacks to more is a bomb, or all pictures."""
_MAX_ENTRIES = 10_000
_DENIED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork",
           "os.remove", "os.rename", "os.rmdir", "os.mkdir", "shutil.", "urllib.")  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ENCRYPTED = "it is encrypted: save a copy without a password"


def main() -> None:
    """Answer requests until standard input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no reply
    _limit_memory()
    convert = {"html": convert_html, "docx": convert_docx, "pdf": convert_pdf}
    _warm_up()
    sys.addaudithook(_refuse)
    for line in sys.stdin:
        request = json.loads(line)
        reply = _reply(convert[request["kind"]], Path(request["path"]))
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _reply(convert: Callable[[Path], dict[str, Any]], path: Path) -> dict[str, Any]:
    try:
        reply = convert(path)
        if sum(len(page) for page in reply["pages"]) > MAX_TEXT_BYTES:
            raise Unreadable(f"it holds more than {MAX_TEXT_BYTES:,} characters of text")
        return reply
    except Unreadable as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": f"reading it takes more than {MEMORY_BYTES >> 30} GiB of memory"}
    except OSError as error:
        return {"error": f"it cannot be read: {error.strerror or error}"}
    except Exception as error:  # a parser's own error says best what is wrong
        told = str(error).strip().split("\n")[0][:200]
        return {"error": f"it is broken: {type(error).__name__} {told}".rstrip()}


def convert_html(path: Path) -> dict[str, Any]:
    """Headings, lists, tables and code of a page, scripts and styles gone."""
    converters = import_module("markitdown.converters")

    from router.knowledge.documents.text import decoded

    stream = BytesIO(decoded(path.read_bytes()).encode())
    made = converters.HtmlConverter().convert(
        stream, _stream_info(extension=".html", charset="utf-8")
    )
    return {"pages": [made.markdown], "title": (made.title or "").strip()}


def convert_docx(path: Path) -> dict[str, Any]:
    """Paragraphs, headings, lists and tables; pictures are left out."""
    converters = import_module("markitdown.converters")

    with path.open("rb") as stream:
        _check_zip(stream)
        made = converters.DocxConverter().convert(stream, _stream_info(extension=".docx"))
    return {"pages": [made.markdown], "title": (made.title or "").strip()}


def _check_zip(stream: Any) -> None:
    """Unreadable for what is no DOCX, or unpacks to more than any document needs."""
    if stream.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":  # OLE: what Word encrypts into
        raise Unreadable(f"{_ENCRYPTED} (or it is in Word's old format: save it as .docx)")
    stream.seek(0)
    try:
        entries = zipfile.ZipFile(stream).infolist()
    except (zipfile.BadZipFile, ValueError) as error:
        raise Unreadable(f"it is broken: no ZIP file ({error})") from error
    stream.seek(0)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _MAX_UNPACKED or len(entries) > _MAX_ENTRIES:
        raise Unreadable(
            f"it unpacks to {unpacked:,} bytes in {len(entries):,} files "
            f"(the limits: {_MAX_UNPACKED:,} and {_MAX_ENTRIES:,})"
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable(_ENCRYPTED)


def convert_pdf(path: Path) -> dict[str, Any]:
    """The text of each page; tables as markitdown finds them."""
    pdfium = import_module("pypdfium2")

    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        told = str(error)
        wrong = _ENCRYPTED if "assword" in told else f"it is broken, or no PDF: {told}"
        raise Unreadable(wrong) from error
    with document:
        if len(document) > MAX_PAGES:
            raise Unreadable(f"it has {len(document):,} pages (the limit: {MAX_PAGES:,})")
        pages = [_page(document, number) for number in range(len(document))]
        title = document.get_metadata_value("Title") or ""
    bad = [str(number) for number, page in enumerate(pages, start=1) if page is None]
    note = f"pages that cannot be read: {', '.join(bad)}" if bad else ""
    if not any(page and page.strip() for page in pages):
        told = note or "scanned? there is no OCR here"
        raise Unreadable(f"its {len(pages)} pages hold no text ({told})")
    return {"pages": [page or "" for page in pages], "title": title.strip(), "note": note}


def _page(document: Any, number: int) -> str | None:
    """One page's text; None where it cannot be read, which leaves the others."""
    try:
        return _page_text(document, number)
    except MemoryError:
        raise
    except Exception:  # whatever pdfium or pdfminer trip over
        return None


def _page_text(document: Any, number: int) -> str:
    converters = import_module("markitdown.converters")
    pdfium = import_module("pypdfium2")

    single, buffer = pdfium.PdfDocument.new(), BytesIO()
    with single:
        single.import_pages(document, [number])
        single.save(buffer)
    buffer.seek(0)
    return str(converters.PdfConverter().convert(buffer, _stream_info(extension=".pdf")).markdown)


def _stream_info(**known: str) -> Any:
    return import_module("markitdown").StreamInfo(**known)


def _warm_up() -> None:
    """Everything the converters import late is imported before anything is refused."""
    import logging
    import warnings

    for name in ("markitdown.converters", "pypdfium2"):
        import_module(name)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_DENIED):
        raise PermissionError(f"a document may not cause {event}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        raise PermissionError("a document may not cause a file to be written")


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows has no such limits
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
