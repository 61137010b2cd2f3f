"""The converters' child: what it reads, what it refuses, and that it reaches nothing."""

import os
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from router.knowledge.documents import converter as child_module
from router.knowledge.documents.convert import Converter
from router.knowledge.documents.document import Document, Unreadable
from router.knowledge.documents.passages import document_chunks


def told(document: Document) -> list[tuple[str, str]]:
    return [(c.source, c.text) for c in document_chunks(document, "doc", {})]


def test_a_pdf_is_cited_by_its_pages(tmp_path: Path, converter: Converter, make_pdf: Any) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(make_pdf(["The moon is made of rock", "Rivers run to the sea"], title="Facts"))
    assert told(converter.read(file, "a.pdf")) == [
        ("doc#p1", "Facts: The moon is made of rock"),
        ("doc#p2", "Facts: Rivers run to the sea"),
    ]


def test_a_docx_is_read_by_its_headings(
    tmp_path: Path, converter: Converter, make_docx: Any, word: Any
) -> None:
    table = "<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>".format(
        *(f"<w:tc>{word(t)}</w:tc>" for t in ("City", "River", "Ulm", "Danube"))
    )
    body = word("Guide", "Heading1") + word("Words.") + word("Rivers", "Heading2") + table
    made = told(converter.read(make_docx(tmp_path / "a.docx", body), "a.docx"))
    assert made[0] == ("doc#Guide", "Guide: Words.")
    assert made[1][0] == "doc#Rivers"
    assert "Ulm" in made[1][1] and made[1][1].startswith("Guide > Rivers: ")


def test_html_keeps_structure_and_drops_scripts(tmp_path: Path, converter: Converter) -> None:
    file = tmp_path / "a.html"
    file.write_text(
        "<html><head><title>Page</title><script>alert('evil')</script></head><body><h1>Top</h1>"
        "<p>See <a href='http://x.invalid/'>there</a> é.</p><h2>Sub</h2><pre>a\n b</pre>"
        "<table><tr><th>K</th><th>V</th></tr><tr><td>one</td><td>1</td></tr></table></body></html>",
        encoding="latin-1",
    )
    made = converter.read(file, "a.html")
    assert made.title == "Page"
    assert told(made) == [
        ("doc#Top", "Top: See there é."),
        ("doc#Sub", "Top > Sub: ```\na\n b\n```\n\nK: one; V: 1"),
    ]


def test_an_encrypted_pdf_says_so(tmp_path: Path, converter: Converter, make_pdf: Any) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(make_pdf(["secret"], password="hunter2"))
    with pytest.raises(Unreadable, match="encrypted: save a copy without a password"):
        converter.read(file, "a.pdf")


@pytest.mark.parametrize("data", [b"%PDF-1.4\nnothing", b"\x89PNG\r\n\x1a\n" * 40, b"%PDF-1.7"])
def test_a_broken_pdf_says_so(tmp_path: Path, converter: Converter, data: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(data)
    with pytest.raises(Unreadable, match="broken, or no PDF"):
        converter.read(tmp_path / "a.pdf", "a.pdf")


def test_a_pdf_without_text_says_so(tmp_path: Path, converter: Converter, make_pdf: Any) -> None:
    (tmp_path / "a.pdf").write_bytes(make_pdf([""]))
    with pytest.raises(Unreadable, match="hold no text .scanned"):
        converter.read(tmp_path / "a.pdf", "a.pdf")


def test_a_pdf_of_too_many_pages_is_refused(
    tmp_path: Path, make_pdf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "MAX_PAGES", 2)
    (tmp_path / "a.pdf").write_bytes(make_pdf(["x"] * 3))
    with pytest.raises(Unreadable, match="it has 3 pages .the limit: 2"):
        child_module.convert_pdf(tmp_path / "a.pdf")


def test_one_bad_page_leaves_the_others(
    tmp_path: Path, make_pdf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = child_module._page_text

    def fail(document: Any, number: int) -> str:
        if number == 1:
            raise ValueError("odd")
        return real(document, number)

    monkeypatch.setattr(child_module, "_page_text", fail)
    (tmp_path / "a.pdf").write_bytes(make_pdf(["first", "second", "third"]))
    made = child_module.convert_pdf(tmp_path / "a.pdf")
    assert [page.strip() for page in made["pages"]] == ["first", "", "third"]
    assert made["note"] == "pages that cannot be read: 2"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, converter: Converter) -> None:
    file = tmp_path / "bomb.docx"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as entry,
    ):
        for _ in range(300):
            entry.write(b" " * 1_000_000)
    assert file.stat().st_size < 400_000
    with pytest.raises(Unreadable, match="unpacks to 300,000,000 bytes"):
        converter.read(file, "bomb.docx")


@pytest.mark.parametrize(
    ("data", "match"),
    [(b"PK\x03\x04 cut short", "no ZIP file"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "encrypted")],
)
def test_a_broken_or_encrypted_docx_says_so(
    tmp_path: Path, converter: Converter, data: bytes, match: str
) -> None:
    (tmp_path / "a.docx").write_bytes(data)
    with pytest.raises(Unreadable, match=match):
        converter.read(tmp_path / "a.docx", "a.docx")


@pytest.fixture
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port, and everyone who ever connected to it."""
    met: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                connection.close()
                met.append(address)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], met
        stop.set()
        thread.join()


def test_no_document_makes_a_request(
    tmp_path: Path, converter: Converter, make_docx: Any, word: Any, listener: Any
) -> None:
    port, met = listener
    url = f"http://127.0.0.1:{port}/x"
    page = tmp_path / "a.html"
    page.write_text(
        f'<html><head><base href="{url}"><link rel="stylesheet" href="{url}.css"></head><body>'
        f'<img src="{url}.png" alt="p"><iframe src="{url}"></iframe><script src="{url}"></script>'
        "<p>Words</p></body></html>"
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = (
        f'<Relationship Id="rId9" Type="{office}/image" Target="{url}.png" TargetMode="External"/>'
        f'<Relationship Id="rId8" Type="{office}/image" Target="/etc/passwd" '
        'TargetMode="External"/>'
    )
    picture = (
        "<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData><pic:pic><pic:blipFill>"
        '<a:blip r:link="{}"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline>'
        "</w:drawing></w:r></w:p>"
    )
    body = word("Words") + picture.format("rId9") + picture.format("rId8")
    linked = make_docx(tmp_path / "a.docx", body, relation)
    for file in (page, linked):
        try:
            text = str(told(converter.read(file, file.name)))
        except Unreadable as error:
            text = str(error)
        assert "root:" not in text
    assert met == []
    socket.create_connection(("127.0.0.1", port)).close()  # the listener does hear


HOSTILE = """
    import socket, subprocess, sys
    from router.knowledge.documents import converter
    sys.addaudithook(converter._refuse)
    tries = [lambda: socket.create_connection(("127.0.0.1", {port})),
             lambda: socket.getaddrinfo("example.invalid", 80),
             lambda: subprocess.run(["true"]),
             lambda: open({file!r}, "w"),
             lambda: __import__("os").system("true"),
             lambda: __import__("os").remove({file!r})]
    for attempt in tries:
        try:
            attempt()
        except PermissionError as error:
            print("refused")
"""


def test_what_a_converter_may_not_do_is_refused(tmp_path: Path, listener: Any) -> None:
    import textwrap

    port, met = listener
    file = tmp_path / "precious"
    file.write_text("kept")
    code = textwrap.dedent(HOSTILE).format(port=port, file=str(file))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * 6
    assert file.read_text() == "kept"
    assert met == []


def test_a_converter_that_takes_too_long_is_ended_and_the_next_document_is_read(
    tmp_path: Path, make_pdf: Any
) -> None:
    (tmp_path / "a.pdf").write_bytes(make_pdf(["fine"]))
    with Converter(seconds=0.01) as quick:
        with pytest.raises(Unreadable, match=r"takes longer than 0\.01 s"):
            quick.read(tmp_path / "a.pdf", "a.pdf")
        quick._seconds = 60
        assert "fine" in str(quick.read(tmp_path / "a.pdf", "a.pdf"))


def test_a_converter_that_dies_says_so_and_is_replaced(tmp_path: Path, make_pdf: Any) -> None:
    (tmp_path / "a.pdf").write_bytes(make_pdf(["fine"]))
    with Converter() as mortal:
        first = mortal._started()
        os.kill(first.pid, signal.SIGSTOP)
        threading.Timer(0.2, os.kill, (first.pid, signal.SIGKILL)).start()
        with pytest.raises(Unreadable, match="died while reading"):
            mortal.read(tmp_path / "a.pdf", "a.pdf")
        assert "fine" in str(mortal.read(tmp_path / "a.pdf", "a.pdf"))


GREEDY = """
    import json, sys
    from pathlib import Path
    from router.knowledge.documents import converter
    converter._limit_memory()
    print(json.dumps(converter._reply(lambda path: {"pages": ["x" * (8 << 30)]}, Path("x"))))
"""


def test_memory_is_limited() -> None:
    import json
    import textwrap

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(GREEDY)], capture_output=True, text=True, check=True
    )
    assert "more than 3 GiB of memory" in json.loads(done.stdout)["error"]
