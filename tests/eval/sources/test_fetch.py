"""Fetching over a real loopback server: resume, cut connections, wrong bytes, a mirror."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from eval.sources import fetch as module
from eval.sources.fetch import fetch, from_mirror, raw_dir
from eval.sources.source import RemoteFile, Source
from router.errors import InputError, SetupError

BODY = bytes(range(256)) * 4096  # 1 MiB
SUM = hashlib.sha256(BODY).hexdigest()


class Server:
    """What the handler does, and what it was asked."""

    def __init__(self) -> None:
        self.body = BODY
        self.cuts = 0  # so many answers break off half-way
        self.busy = 0  # so many answers are 503
        self.ranges = True
        self.status: int | None = None
        self.asked: list[str | None] = []
        self.url = ""


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            server.asked.append(asked)
            if server.busy or server.status:
                server.busy = max(0, server.busy - 1)
                self.send_response(server.status or 503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if asked and server.ranges and start >= len(server.body):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = start if server.ranges else 0
            body = server.body[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if start:
                end = len(server.body) - 1
                self.send_header("Content-Range", f"bytes {start}-{end}/{len(server.body)}")
            self.end_headers()
            if server.cuts:
                server.cuts -= 1
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler(state))
    state.url = f"http://127.0.0.1:{listening.server_address[1]}/table.csv"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OCKHAM_SHARED_DATA", str(tmp_path / "none"))
    for name in ("NO_PROXY", "no_proxy"):  # a proxy of the machine must not see loopback
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.0)
    return tmp_path


def made(url: str, sha256: str | None = SUM, size: int | None = None) -> Source:
    return Source(
        name="made-up",
        home="https://example.org",
        commit="0",
        licence="MIT",
        pairs=(("a", "b"),),
        files=(RemoteFile(path="in/table.csv", url=url, sha256=sha256, bytes=size),),
    )


def kept() -> Path:
    return raw_dir("made-up") / "in" / "table.csv"


def test_a_file_arrives_whole_and_its_sum_is_told(server: Server) -> None:
    seen: list[tuple[str, int, int | None]] = []
    got = fetch(made(server.url), lambda *now: seen.append(now))
    assert kept().read_bytes() == BODY
    assert got.folder == raw_dir("made-up")
    assert got.checksums == {"in/table.csv": SUM}
    assert seen[-1] == ("in/table.csv", len(BODY), len(BODY))
    assert not kept().with_name("table.csv.part").exists()


def test_what_is_there_is_not_asked_for_again(server: Server) -> None:
    fetch(made(server.url))
    fetch(made(server.url))
    assert len(server.asked) == 1


def test_a_cut_connection_is_resumed_where_it_broke(server: Server) -> None:
    server.cuts = 2
    fetch(made(server.url))
    assert kept().read_bytes() == BODY
    half, quarter = len(BODY) // 2, len(BODY) * 3 // 4
    assert server.asked == [None, f"bytes={half}-", f"bytes={quarter}-"]


def test_a_later_run_goes_on_from_the_part_file(server: Server) -> None:
    server.cuts = 99
    with pytest.raises(SetupError, match="next run goes on from there"):
        fetch(made(server.url))
    part = kept().with_name("table.csv.part")
    held = part.stat().st_size
    assert 0 < held < len(BODY) and not kept().exists()
    server.cuts = 0
    fetch(made(server.url))
    assert kept().read_bytes() == BODY
    assert server.asked[-1] == f"bytes={held}-"


def test_a_server_without_ranges_starts_the_file_again(server: Server) -> None:
    server.cuts, server.ranges = 1, False
    fetch(made(server.url))
    assert kept().read_bytes() == BODY


def test_wrong_bytes_are_not_kept(server: Server) -> None:
    server.body = b"wrong" + BODY
    with pytest.raises(SetupError, match=rf"SHA-256 .*expected {SUM}.*not kept.*--mirror"):
        fetch(made(server.url))
    assert not kept().exists()
    assert not kept().with_name("table.csv.part").exists()


def test_a_stale_part_is_not_glued_to_the_new_file(server: Server) -> None:
    part = kept().with_name("table.csv.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (len(BODY) + 7))
    fetch(made(server.url, size=len(BODY)))
    assert kept().read_bytes() == BODY
    part.write_bytes(b"x" * (len(BODY) + 7))
    kept().unlink()
    fetch(made(server.url))  # length unknown: the server's 416 tells it
    assert kept().read_bytes() == BODY


def test_a_part_that_is_whole_needs_no_request(server: Server) -> None:
    part = kept().with_name("table.csv.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY)
    fetch(made(server.url, size=len(BODY)))
    assert server.asked == [] and kept().read_bytes() == BODY


def test_a_damaged_file_is_replaced(server: Server) -> None:
    kept().parent.mkdir(parents=True)
    kept().write_bytes(b"half")
    fetch(made(server.url))
    assert kept().read_bytes() == BODY


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.busy = 2
    fetch(made(server.url))
    assert len(server.asked) == 3


def test_a_missing_page_is_an_error_at_once(server: Server) -> None:
    server.status = 404
    with pytest.raises(SetupError, match=r"404.*--mirror"):
        fetch(made(server.url))
    assert len(server.asked) == 1


def test_no_server_at_all_says_what_else_can_be_done(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = place / "shared"
    for name in ("queries", "questions"):
        (shared / name).mkdir(parents=True)
    monkeypatch.setenv("OCKHAM_SHARED_DATA", str(shared))
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    with pytest.raises(SetupError, match=rf"--mirror FOLDER \(here: --normalised {shared}\)"):
        fetch(made("http://127.0.0.1:9/table.csv"))


def test_a_file_without_a_known_sum_is_taken_and_its_sum_recorded(server: Server) -> None:
    assert fetch(made(server.url, sha256=None)).checksums == {"in/table.csv": SUM}


def test_a_source_without_files_points_at_the_normalised_table() -> None:
    bare = made("http://127.0.0.1:9/").model_copy(update={"files": ()})
    with pytest.raises(SetupError, match="only its normalised table"):
        fetch(bare)


def test_a_mirror_is_read_in_place(place: Path) -> None:
    (place / "in").mkdir()
    (place / "in" / "table.csv").write_bytes(BODY)
    got = from_mirror(made("http://unused.invalid/"), place)
    assert got == (place, {"in/table.csv": SUM}, ())


def test_a_mirror_with_other_bytes_is_refused(place: Path) -> None:
    (place / "in").mkdir()
    (place / "in" / "table.csv").write_bytes(b"other")
    with pytest.raises(InputError, match=r"SHA-256.*--file"):
        from_mirror(made("http://unused.invalid/"), place)


def test_a_mirror_names_what_it_lacks(place: Path) -> None:
    both = made("http://unused.invalid/")
    both = both.model_copy(
        update={"files": (*both.files, RemoteFile(path="b.csv", url="http://unused.invalid/b"))}
    )
    with pytest.raises(InputError, match=r"no file of made-up.*in/table.csv"):
        from_mirror(both, place)
    (place / "b.csv").write_bytes(b"x")
    assert from_mirror(both, place).absent == ("in/table.csv",)
