"""Opening checks what is quick to check; `check_files` reads every byte."""

from pathlib import Path
from typing import Any

import pytest

from router.errors import KnowledgeError
from router.knowledge import mapped
from router.knowledge.build import build_index
from router.knowledge.index import KnowledgeIndex
from router.knowledge.mapped import check_files, check_quickly, sample_digest
from router.knowledge.search_files import SEARCH, is_searchable
from router.knowledge.storage import Manifest, current_version, read_manifest, stored_file


@pytest.fixture
def path(tmp_path: Path, encoder: Any, new_chunks: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index whose files all count as large."""
    monkeypatch.setattr(mapped, "WHOLE_BYTES", -1)
    monkeypatch.setattr("router.knowledge.search_files.WHOLE_BYTES", -1)
    monkeypatch.setattr(mapped, "_BLOCK", 64)
    monkeypatch.setattr(mapped, "_BLOCKS", 5)
    build_index(tmp_path / "index", encoder, new_chunks(300), "corpus-1")
    return tmp_path / "index"


def damage(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 0x01
    file.write_bytes(bytes(data))


def test_nothing_is_wrong_with_a_whole_version(path: Path, encoder: Any) -> None:
    version = current_version(path)
    assert check_files(version, read_manifest(version)) == []
    KnowledgeIndex.open(path, encoder).close()


@pytest.mark.parametrize("name", ["vectors.f32", "passages.jsonl", "lexical.weights.npy"])
def test_the_ends_of_a_large_file_are_seen_at_once(path: Path, encoder: Any, name: str) -> None:
    damage(current_version(path) / name, -1)
    with pytest.raises(KnowledgeError, match=rf"{name} is damaged or cut short"):
        KnowledgeIndex.open(path, encoder)


@pytest.mark.parametrize("harm", ["cut", "longer", "missing"])
def test_the_size_of_a_large_file_is_seen_at_once(path: Path, encoder: Any, harm: str) -> None:
    file = current_version(path) / "vectors.f32"
    data = file.read_bytes()
    file.write_bytes(data[:-4] if harm == "cut" else data + b"\0\0\0\0")
    if harm == "missing":
        file.unlink()
    with pytest.raises(KnowledgeError, match="run `ockham index build`"):
        KnowledgeIndex.open(path, encoder)


def test_a_byte_between_the_samples_is_found_by_reading_all(path: Path, encoder: Any) -> None:
    version = current_version(path)
    damage(version / "vectors.f32", 1000)
    KnowledgeIndex.open(path, encoder).close()  # what opening does not see, said in `mapped`
    (fault,) = check_files(version, read_manifest(version))
    assert fault == "vectors.f32: its content differs"
    (version / "vectors.f32").unlink()
    (fault,) = check_files(version, read_manifest(version))
    assert "cannot be read" in fault


def test_a_byte_anywhere_in_a_file_of_some_megabytes_is_seen_at_once(tmp_path: Path) -> None:
    file = tmp_path / "vectors.f32"
    file.write_bytes(bytes(5 << 20))
    sample, whole = sample_digest(file), stored_file(file)
    manifest = Manifest(format=2, encoder="e", corpus="c", n=1, dim=1, files={file.name: whole})
    check_quickly(tmp_path, manifest, {file.name: sample})
    damage(file, 5000)
    assert sample_digest(file) == sample
    with pytest.raises(KnowledgeError, match=r"vectors\.f32 is damaged"):
        check_quickly(tmp_path, manifest, {file.name: sample})


def test_an_index_from_before_the_search_files_is_rebuilt_without_embedding(
    tmp_path: Path, encoder: Any, chunks: Any
) -> None:
    place = tmp_path / "index"
    build_index(place, encoder, chunks, "corpus-1")
    version = current_version(place)
    manifest = read_manifest(version)
    old = {n: f for n, f in manifest.files.items() if n in ("passages.jsonl", "vectors.f32")}
    older = manifest.model_copy(update={"files": old})
    (version / "manifest.json").write_text(older.model_dump_json())
    assert not is_searchable(version, older) and SEARCH not in old
    with pytest.raises(KnowledgeError, match="are not embedded again"):
        KnowledgeIndex.open(place, encoder)
    encoder.seen.clear()
    report = build_index(place, encoder, chunks, "corpus-1")
    assert (report.changed, report.embedded, encoder.seen) == (True, 0, [])
    KnowledgeIndex.open(place, encoder).close()
