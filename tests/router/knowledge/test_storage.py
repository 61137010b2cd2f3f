"""Storage: whole files or none, and one pointer that always names a whole version."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.errors import KnowledgeError
from router.knowledge import storage
from router.knowledge.storage import (
    current_version,
    free_bytes,
    new_version,
    read_manifest,
    remove_all,
    storage_errors,
    write_file,
)


def version(path: Path, text: bytes = b"x") -> Path:
    return new_version(path, "enc", "corpus", (1, 1), {"a": [text], "b": [text, text]})


def broken() -> Iterator[bytes]:
    yield b"half"
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_version_is_written_and_named(tmp_path: Path) -> None:
    made = version(tmp_path)
    assert current_version(tmp_path) == made
    manifest = read_manifest(made)
    assert (manifest.n, manifest.files["b"].bytes) == (1, 2)
    assert {p.name for p in tmp_path.iterdir()} == {"CURRENT", made.name}


def test_a_second_version_replaces_the_first(tmp_path: Path) -> None:
    first, second = version(tmp_path), version(tmp_path, b"y")
    assert current_version(tmp_path) == second
    assert not first.exists()
    assert read_manifest(second).fingerprint != ""


def test_a_failing_write_leaves_the_old_version_and_nothing_else(tmp_path: Path) -> None:
    first = version(tmp_path)
    with pytest.raises(KnowledgeError, match=r"disk is full.*bytes free"):
        new_version(tmp_path, "enc", "corpus", (1, 1), {"a": broken()})
    assert current_version(tmp_path) == first
    assert {p.name for p in tmp_path.iterdir()} == {"CURRENT", first.name}


def test_a_failing_switch_leaves_the_old_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = version(tmp_path)
    real = storage.write_file

    def refuse(file: Path, parts: list[bytes]) -> storage.StoredFile:
        if file.name == "CURRENT":
            raise KnowledgeError("refused")
        return real(file, parts)

    monkeypatch.setattr(storage, "write_file", refuse)
    with pytest.raises(KnowledgeError, match="refused"):
        version(tmp_path)
    assert current_version(tmp_path) == first
    assert {p.name for p in tmp_path.iterdir()} == {"CURRENT", first.name}


def test_a_failure_after_the_switch_keeps_what_current_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = storage.write_file

    def late(file: Path, parts: list[bytes]) -> storage.StoredFile:
        stored = real(file, parts)
        if file.name == "CURRENT":
            raise KeyboardInterrupt
        return stored

    monkeypatch.setattr(storage, "write_file", late)
    with pytest.raises(KeyboardInterrupt):
        version(tmp_path)
    assert read_manifest(current_version(tmp_path)).n == 1


def test_write_file_keeps_the_old_content_on_failure(tmp_path: Path) -> None:
    write_file(tmp_path / "f", [b"old"])
    with pytest.raises(KnowledgeError):
        write_file(tmp_path / "f", broken())
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("content", [b"", b"../../etc", b"v-a/../..", b"\xff\xfe\x00"])
def test_a_damaged_pointer_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(KnowledgeError, match="ockham index build"):
        current_version(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"format": 99}'])
def test_a_damaged_manifest_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(KnowledgeError, match="ockham index build"):
        read_manifest(tmp_path)


def test_other_errors_name_the_place(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="cannot write the index"), storage_errors(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_free_bytes_of_a_place_that_is_not_there_yet(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0


def test_remove_all_takes_files_folders_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("")
    (tmp_path / "f").write_text("")
    remove_all([tmp_path / "d", tmp_path / "f", tmp_path / "none"])
    assert not list(tmp_path.iterdir())
