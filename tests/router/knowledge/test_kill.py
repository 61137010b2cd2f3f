"""kill -9 at any moment: a reader finds the old or the new index whole, and a build goes on.

First after every single change of a file under the index, one after another (an audit hook in
the child counts them; a file opened and not yet written is a change); then at random moments;
then with the real encoder.
"""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from router.errors import KnowledgeError
from router.knowledge.index import KnowledgeIndex
from router.knowledge.passages import load_chunks, load_vectors
from router.knowledge.sources import read_sources, source_of
from router.knowledge.storage import current_version, read_manifest
from router.knowledge.survey import verify
from router.knowledge.update import Options, add_sources, update

CONFTEST = Path(__file__).with_name("conftest.py")
NURSERY = """
    # Forks a builder for each line "index docs n"; it kills itself after its n-th change of a file.
    import os, runpy, signal, sys
    from pathlib import Path
    import filelock, numpy, pydantic, markdown_it
    from router.knowledge.sources import source_of
    from router.knowledge.update import Options, add_sources
    fake = runpy.run_path(sys.argv[1])

    def build(index, docs, last):
        left = [last]
        def count(event, arguments):
            if event not in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"):
                return
            if not str(arguments[0]).startswith(index):
                return
            if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
                return
            left[0] -= 1
            if left[0] == 0:  # the hook comes before the call: wait until it has returned
                sys.setprofile(lambda frame, event, argument: event == "c_return" and os.kill(
                    os.getpid(), signal.SIGKILL))
        sys.addaudithook(count)
        add_sources(Path(index), fake["FakeEncoder"](), [source_of(docs)], Options(batch=8))

    for line in sys.stdin:
        index, docs, last = line.split()
        pid = os.fork()
        if pid == 0:
            try:
                build(index, docs, int(last))
            finally:
                os._exit(0)
        print(pid, flush=True)
        sys.stdin.readline()  # until then the builder stays a zombie at least: its id is its own
        print(os.waitpid(pid, 0)[1], flush=True)
"""

Build = Callable[..., bool]


@pytest.fixture(scope="module")
def nursery() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", textwrap.dedent(NURSERY), str(CONFTEST)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        yield child
        assert child.stdin
        child.stdin.close()


@pytest.fixture
def build(nursery: "subprocess.Popen[str]") -> Build:
    """Build in a process of its own; True if it was killed, after a change or a time."""
    assert nursery.stdin and nursery.stdout

    def run(index: Path, docs: Path, at_change: int = 0, after: float = 0) -> bool:
        assert nursery.stdin and nursery.stdout
        nursery.stdin.write(f"{index} {docs} {at_change}\n")
        nursery.stdin.flush()
        pid = int(nursery.stdout.readline())
        if after:
            time.sleep(after)
            os.kill(pid, signal.SIGKILL)
        nursery.stdin.write("reap\n")
        nursery.stdin.flush()
        return int(nursery.stdout.readline()) == signal.SIGKILL

    return run


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    for i in range(8):
        (root / f"{i:02}.md").write_text(f"# File {i}\n\nold words {i}\n\n## More\n\nold end {i}\n")
    return root


def change(docs: Path, word: str) -> None:
    """Half of the files say something else, one goes and one comes."""
    for i in range(0, 8, 2):
        (docs / f"{i:02}.md").write_text(f"# File {i}\n\n{word} words {i}\n")
    (docs / "07.md").unlink(missing_ok=True)
    (docs / f"{word}.md").write_text(f"# {word}\n\n{word}\n")


def held(index: Path, encoder: Any) -> frozenset[str]:
    """What a reader finds, having looked at all of it."""
    with KnowledgeIndex.open(index, encoder) as opened:
        assert opened.search("File 3", 3)
        size = opened.size
    assert verify(index).broken == []
    version = current_version(index)
    found = frozenset(c.text for c in load_chunks(version, read_manifest(version)))
    assert len(found) == size
    return found


def undisturbed(tmp_path: Path, docs: Path, encoder: Any) -> tuple[str, frozenset[str]]:
    report = add_sources(tmp_path / "calm", encoder, [source_of(str(docs))])
    return report.build.fingerprint, held(tmp_path / "calm", encoder)


def only_whole(index: Path) -> bool:
    left = {p.name for p in index.iterdir()} - {"CURRENT", ".lock", "sources.json"}
    return len(left) == 1 and left.pop().startswith("v-")


def test_killed_at_every_change_of_a_file(
    tmp_path: Path, docs: Path, encoder: Any, build: Build
) -> None:
    _, old = undisturbed(tmp_path, docs, encoder)
    first = tmp_path / "first"
    assert not build(first, docs)
    change(docs, "new")
    print_new, new = undisturbed(tmp_path, docs, encoder)
    at, seen = 1, set()
    while True:
        index = tmp_path / f"at-{at}"
        subprocess.run(["cp", "-r", first, index], check=True)
        killed = build(index, docs, at)
        found = held(index, encoder)
        assert found in (old, new), f"killed at change {at}"
        seen.add(found)
        report = update(index, encoder, Options(batch=8))
        assert report.build.fingerprint == print_new, f"killed at change {at}"
        assert only_whole(index)
        if not killed:
            break
        at += 1
    assert at > 15, "too few changes: is the hook still counting?"
    assert seen == {old, new}


def test_killed_at_every_change_of_the_first_build(
    tmp_path: Path, docs: Path, encoder: Any, build: Build
) -> None:
    calm, whole = undisturbed(tmp_path, docs, encoder)
    resumed, at = 0, 1
    while True:
        index = tmp_path / f"at-{at}"
        killed = build(index, docs, at)
        try:
            assert held(index, encoder) == whole
        except KnowledgeError as error:
            assert "no knowledge index at" in str(error)
        report = add_sources(index, encoder, [source_of(str(docs))], Options(batch=8))
        resumed += report.build.reused > 0
        assert report.build.fingerprint == calm, f"killed at change {at}"
        if not killed:
            break
        at += 1
    assert resumed > 3, "no build went on from another's shards"


def test_a_killed_add_is_finished_by_the_next_build(
    tmp_path: Path, docs: Path, encoder: Any, build: Build
) -> None:
    index = tmp_path / "index"
    other = tmp_path / "other.md"
    other.write_text("# Other\n\nAnother source.\n")
    add_sources(index, encoder, [source_of(str(other))])
    at = 1
    while len(read_sources(index)) < 2:
        assert build(index, docs, at)
        at += 1
    update(index, encoder)
    assert "Other: Another source." in held(index, encoder)
    assert verify(index).documents == 9


def test_killed_at_random_moments_while_others_read(
    tmp_path: Path, docs: Path, encoder: Any, new_encoder: Any, build: Build
) -> None:
    index = tmp_path / "index"
    started = time.perf_counter()
    build(index, docs)
    span = time.perf_counter() - started
    stop, trouble, looked = threading.Event(), [], []

    def read() -> None:
        mine = new_encoder()
        while not stop.is_set():
            try:
                with KnowledgeIndex.open(index, mine) as opened:
                    words = {p.text.split()[-2] for p in opened.search("words", 30)
                             if " words " in p.text} - {"old", "words"}  # fmt: skip
                    assert len(words) <= 1, words
                    looked.append(opened.fingerprint)
            except Exception as error:
                trouble.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    dice, killed = random.Random(8), 0
    try:
        for i in range(25):
            change(docs, f"w{i}")
            killed += build(index, docs, after=dice.uniform(0.001, span * 1.2))
            assert verify(index).broken == []
    finally:
        stop.set()
        reader.join()
    assert trouble == []
    assert killed > 6
    print_calm, words = undisturbed(tmp_path, docs, encoder)
    assert update(index, encoder).build.fingerprint == print_calm
    assert held(index, encoder) == words
    assert len(looked) > 10


REAL = """
    import sys
    from pathlib import Path
    from router.knowledge.sources import source_of
    from router.knowledge.update import Options, add_sources
    from router.signals.encoder import Encoder
    index, docs, data = map(Path, sys.argv[1:])
    add_sources(index, Encoder(data_dir=data), [source_of(str(docs))], Options(batch=8))
"""


def test_killed_with_the_real_encoder(tmp_path: Path) -> None:
    from router.signals.encoder import Encoder

    docs = Path(__file__).parents[3] / "router" / "knowledge" / "documents"
    index = tmp_path / "index"
    encoder = Encoder(data_dir=tmp_path / "data")
    calm = add_sources(tmp_path / "calm", encoder, [source_of(str(docs))], Options(batch=8))
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(REAL),
        str(index),
        str(docs),
        str(tmp_path / "data"),
    ]
    with subprocess.Popen(command) as child:
        while not len(list(index.glob(".partial-*/*.shard"))) >= 2:
            assert child.poll() is None
            time.sleep(0.005)
        child.kill()
    with pytest.raises(KnowledgeError, match="no knowledge index"):
        KnowledgeIndex.open(index, encoder)
    report = update(index, encoder, Options(batch=8))
    assert 16 <= report.build.reused < report.build.chunks
    assert report.build.embedded == report.build.chunks - report.build.reused
    one, other = current_version(tmp_path / "calm"), current_version(index)
    told = [load_vectors(v, read_manifest(v)) for v in (one, other)]
    assert np.allclose(told[0], told[1], atol=1e-5)
    assert read_manifest(one).corpus == read_manifest(other).corpus
    assert calm.build.fingerprint == report.build.fingerprint
    with KnowledgeIndex.open(index, encoder) as opened:
        found = opened.search("a child process that converts PDF files", 5)
    assert any("/convert" in p.source for p in found)
