"""Building: nothing is embedded twice, nothing is half written, one builder at a time."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from router.errors import KnowledgeError
from router.knowledge.build import build_index
from router.knowledge.chunks import Chunk
from router.knowledge.index import KnowledgeIndex


class Interrupted(Exception):
    """Stands for anything that ends a build."""


def names(path: Path) -> set[str]:
    return {p.name for p in path.iterdir()}


def is_clean(path: Path) -> bool:
    """Only the pointer, one version and the lock."""
    left = names(path) - {"CURRENT", ".lock"}
    return len(left) == 1 and left.pop().startswith("v-")


def stop_after(shards: int) -> Any:
    calls = []

    def progress(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) > shards:
            raise Interrupted

    return progress


def test_a_build_reports_and_leaves_only_the_index(
    tmp_path: Path, encoder: Any, chunks: Any
) -> None:
    seen: list[tuple[int, int]] = []
    report = build_index(
        tmp_path, encoder, chunks, "c", progress=lambda *x: seen.append(x), batch=20
    )
    assert (report.chunks, report.embedded, report.reused, report.changed) == (50, 50, 0, True)
    assert seen == [(0, 50), (20, 50), (40, 50), (50, 50)]
    assert is_clean(tmp_path)


def test_an_up_to_date_index_is_left_alone(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    first = build_index(tmp_path, encoder, chunks, "c")
    second = build_index(tmp_path, encoder, chunks, "c")
    assert not second.changed
    assert (second.version, second.fingerprint) == (first.version, first.fingerprint)
    assert len(encoder.seen) == 50


def test_only_new_texts_are_embedded(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    build_index(tmp_path, encoder, chunks, "c1")
    encoder.seen.clear()
    moved = Chunk("elsewhere", "Moved", chunks[0].text)
    report = build_index(tmp_path, encoder, [moved, *chunks[5:], Chunk("n", "n", "new")], "c2")
    assert encoder.seen == ["new"]
    assert (report.chunks, report.embedded) == (47, 1)
    with KnowledgeIndex.open(tmp_path, encoder) as index:
        assert index.search(chunks[0].text, 1)[0].source == "elsewhere"
        assert index.search("new", 1)[0].text == "new"


def test_equal_texts_are_embedded_once(tmp_path: Path, encoder: Any) -> None:
    build_index(tmp_path, encoder, [Chunk(f"s{i}", "t", "same") for i in range(5)], "c")
    assert encoder.seen == ["same"]


def test_another_encoder_embeds_everything(
    tmp_path: Path, encoder: Any, new_encoder: Any, chunks: Any
) -> None:
    build_index(tmp_path, encoder, chunks, "c")
    other = new_encoder("fake-2")
    assert build_index(tmp_path, other, chunks, "c").embedded == 50
    assert is_clean(tmp_path)


def test_force_embeds_everything(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    build_index(tmp_path, encoder, chunks, "c")
    report = build_index(tmp_path, encoder, chunks, "c", force=True)
    assert (report.embedded, report.changed) == (50, True)


def test_an_interrupted_build_resumes(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    with pytest.raises(Interrupted):
        build_index(tmp_path, encoder, chunks, "c", progress=stop_after(2), batch=20)
    assert "CURRENT" not in names(tmp_path)
    report = build_index(tmp_path, encoder, chunks, "c", batch=20)
    assert (report.embedded, report.reused) == (10, 40)
    assert sorted(encoder.seen) == sorted(c.text for c in chunks)
    assert is_clean(tmp_path)


def test_an_interrupted_build_leaves_the_previous_index(
    tmp_path: Path, encoder: Any, chunks: Any, new_chunks: Any
) -> None:
    build_index(tmp_path, encoder, chunks, "c1")
    with pytest.raises(Interrupted):
        build_index(tmp_path, encoder, new_chunks(50, "new"), "c2", stop_after(2), batch=20)
    with KnowledgeIndex.open(tmp_path, encoder) as index:
        assert index.search("fact number 7 é", 1)[0].source == "corpus/7"


def test_rows_keep_their_texts_whatever_the_order(tmp_path: Path, encoder: Any) -> None:
    mixed = [Chunk(f"s{i}", "t", " ".join(f"w{i * j}" for j in range(i % 7 + 1)) + f" k{i}")
             for i in range(40)]  # fmt: skip
    build_index(tmp_path, encoder, mixed, "c", batch=7)
    with KnowledgeIndex.open(tmp_path, encoder) as index:
        assert [index.search(c.text, 1)[0].source for c in mixed] == [c.source for c in mixed]


def test_an_empty_corpus_is_refused(tmp_path: Path, encoder: Any) -> None:
    with pytest.raises(KnowledgeError, match="no passages"):
        build_index(tmp_path / "i", encoder, [], "c")
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize("rows", [np.ones((3, 64)), np.full((50, 64), np.nan)])
def test_an_encoder_that_returns_nonsense_is_refused(
    tmp_path: Path, encoder: Any, chunks: Any, rows: Any
) -> None:
    encoder.encode = lambda texts: rows
    with pytest.raises(KnowledgeError, match="unusable array"):
        build_index(tmp_path, encoder, chunks, "c")
    assert names(tmp_path) == {".lock"}


def test_a_second_builder_is_turned_away(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold(done: int, total: int) -> None:
        inside.set()
        leave.wait(20)

    builder = threading.Thread(target=build_index, args=(tmp_path, encoder, chunks, "c", hold))
    builder.start()
    try:
        assert inside.wait(20)
        with pytest.raises(KnowledgeError, match="another process is building"):
            build_index(tmp_path, encoder, chunks, "c")
    finally:
        leave.set()
        builder.join()
    assert is_clean(tmp_path)


def test_a_place_that_is_a_file_is_refused(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KnowledgeError, match="cannot write the index at"):
        build_index(tmp_path / "file", encoder, chunks, "c")


KILLED = """
    import runpy, sys, time
    from pathlib import Path
    from router.knowledge.build import build_index
    fake = runpy.run_path(sys.argv[1])
    encoder = fake["FakeEncoder"]()
    def slow(done, total):
        print(done, flush=True)
        if done >= 40:
            time.sleep(60)
    build_index(Path(sys.argv[2]), encoder, fake["make_chunks"](100), "c", slow, batch=10)
"""


def test_kill_9_in_mid_build_loses_nothing(tmp_path: Path, encoder: Any, new_chunks: Any) -> None:
    build_index(tmp_path, encoder, new_chunks(5), "old")
    conftest = Path(__file__).with_name("conftest.py")
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(conftest), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= 40:
                os.kill(child.pid, signal.SIGKILL)
                break
    (tmp_path / ".new-left-behind").mkdir()
    with KnowledgeIndex.open(tmp_path, encoder) as index:
        assert index.size == 5
    encoder.seen.clear()
    report = build_index(tmp_path, encoder, new_chunks(100), "c", batch=10)
    assert report.reused >= 40
    assert len(encoder.seen) == report.embedded <= 60
    assert is_clean(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, leave: int) -> None:
    """Someone else writes until only `leave` bytes are free."""
    with (place / "somebody-elses").open("wb") as file:
        file.write(b"\0" * (os.statvfs(place).f_bavail * os.statvfs(place).f_frsize - leave))


def test_a_disk_known_to_be_too_small_is_refused_before_embedding(
    small_disk: Path, encoder: Any, new_chunks: Any
) -> None:
    with pytest.raises(KnowledgeError, match=r"not enough disk space .* bytes are free"):
        build_index(small_disk / "index", encoder, new_chunks(40_000), "c")
    assert encoder.seen == []
    assert names(small_disk / "index") == {".lock"}


@pytest.mark.parametrize("leave", [0, 8192, 700_000])
def test_a_disk_that_fills_up_leaves_the_previous_index(
    small_disk: Path, encoder: Any, new_chunks: Any, leave: int
) -> None:
    path = small_disk / "index"
    build_index(path, encoder, new_chunks(50), "old")
    before = {p: p.read_bytes() for p in path.glob("v-*/*")}
    new, filled = new_chunks(2000, "new"), []

    def fill_once(done: int, total: int) -> None:
        if not filled:
            filled.append(fill(small_disk, leave))

    with pytest.raises(KnowledgeError, match=r"disk is full: cannot write .* bytes free"):
        build_index(path, encoder, new, "new", fill_once, batch=500)
    assert {p: p.read_bytes() for p in path.glob("v-*/*")} == before
    assert not [n for n in names(path) if n.startswith(".new") or n.endswith(".tmp")]
    with KnowledgeIndex.open(path, encoder) as index:
        assert index.size == 50
    (small_disk / "somebody-elses").unlink()
    done_before = len(set(encoder.seen))
    report = build_index(path, encoder, new, "new", batch=500)
    assert report.reused >= (500 if leave > 500_000 else 0)
    assert len(set(encoder.seen)) - done_before <= report.embedded
    assert is_clean(path)


LIMITED = """
    import resource, runpy, sys
    from pathlib import Path
    from router.errors import KnowledgeError
    from router.knowledge.build import build_index
    fake = runpy.run_path(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        build_index(Path(sys.argv[2]), fake["FakeEncoder"](), fake["make_chunks"](2000), "c")
    except KnowledgeError as error:
        sys.exit(f"KnowledgeError: {error}")
"""


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    conftest = Path(__file__).with_name("conftest.py")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), str(conftest), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "KnowledgeError: the disk is full: cannot write" in done.stderr
    assert not list(tmp_path.glob("v-*"))
    assert not list(tmp_path.rglob("*.tmp"))


def test_readers_never_see_half_an_index(tmp_path: Path, encoder: Any, new_chunks: Any) -> None:
    """Fifteen rebuilds, while another thread opens and searches as fast as it can."""
    build_index(tmp_path, encoder, new_chunks(30, "w0"), "c0")
    stop, trouble, opened = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            try:
                with KnowledgeIndex.open(tmp_path, encoder) as index:
                    assert len({p.text.split()[0] for p in index.search("number", 30)}) == 1
                    opened.append(index.fingerprint)
            except Exception as error:
                trouble.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(1, 16):
        build_index(tmp_path, encoder, new_chunks(30, f"w{i}"), f"c{i}")
        time.sleep(0.02)
    stop.set()
    reader.join()
    assert trouble == []
    assert len(set(opened)) > 1
