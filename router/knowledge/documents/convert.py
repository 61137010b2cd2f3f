"""HTML, DOCX and PDF to documents, by a child process that may be ended at any time.

One child reads many documents, one after another. It is ended where it takes too long or dies
(a segmentation fault, its memory limit), and the next document gets a new one.

What this does not do: convert (see `converter.py`).
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from router.knowledge.documents.document import Block, Document, Section, Unreadable
from router.knowledge.documents.markdown import markdown_document
from router.knowledge.documents.prose import paragraphs

__all__ = ["CONVERTED", "SECONDS", "Converter"]

CONVERTED = {".html": "html", ".htm": "html", ".xhtml": "html", ".docx": "docx", ".pdf": "pdf"}
SECONDS = 300.0
"""For one document: some thousand pages of PDF on one slow core."""
_COMMAND = [sys.executable, "-P", "-m", "router.knowledge.documents.converter"]


class Converter:
    """The child, started with the first document. Close it, or use it as a context manager."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[str] | None = None

    def read(self, path: Path, name: str) -> Document:
        """The document at `path`; Unreadable says why there is none."""
        kind = CONVERTED[path.suffix.lower()]
        reply = self._ask({"path": str(path.absolute()), "kind": kind})
        if "error" in reply:
            raise Unreadable(str(reply["error"]))
        pages, title = reply["pages"], reply["title"] or name
        if kind == "pdf":
            return Document(kind, title, tuple(_pages(pages, title)), reply["note"])
        made = markdown_document(pages[0], title, kind, lines=False)
        return made._replace(title=title if reply["title"] else made.title)

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        child = self._started()
        assert child.stdin and child.stdout
        late = threading.Event()

        def end() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self._seconds, end)
        timer.daemon = True
        timer.start()
        try:
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if line.endswith("\n"):
            reply: dict[str, Any] = json.loads(line)
            return reply
        self.close()
        if late.is_set():
            raise Unreadable(f"reading it takes longer than {self._seconds:g} s")
        raise Unreadable("its converter died while reading it")

    def _started(self) -> "subprocess.Popen[str]":
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        return self._child

    def close(self) -> None:
        """End the child; a later `read` starts another."""
        if self._child is None:
            return
        child, self._child = self._child, None
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        child.wait()

    def __enter__(self) -> "Converter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pages(pages: list[str], title: str) -> "list[Section]":
    made = []
    for number, page in enumerate(pages, start=1):
        blocks = tuple(Block(b.text) for b in paragraphs(page.replace("\f", "\n").split("\n")))
        if blocks:
            made.append(Section((title,), blocks, place=f"p{number}", meta={"page": str(number)}))
    return made
