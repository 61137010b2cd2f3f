"""Which files are documents: by rule, counted, and never round a loop of links."""

import os
from pathlib import Path

import pytest

from router.errors import KnowledgeError
from router.knowledge.documents.package import find_package_files
from router.knowledge.documents.walk import find_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a.md", "sub/b.py", ".git/c.md", "node_modules/d.md", "x/__pycache__/e.py",
                 "image.png", ".hidden.md", "sub/LICENSE", "p.egg-info/f.txt"):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("text")
    return root


def test_documents_are_found_in_order_and_the_rest_is_counted(tree: Path) -> None:
    found = find_files(tree)
    assert list(found.files) == ["a.md", "sub/LICENSE", "sub/b.py"]
    assert found.skipped == {
        "a hidden, cache or dependency folder": 4,
        "a hidden file": 1,
        "not a kind of document that is read": 1,
    }


def test_loops_and_links_out_of_the_folder_end(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("secret")
    (tree / "loop").symlink_to(tree)
    (tree / "sub" / "up").symlink_to("..")
    (tree / "self.md").symlink_to("self.md")
    (tree / "ping.md").symlink_to("pong.md")
    (tree / "pong.md").symlink_to("ping.md")
    (tree / "gone.md").symlink_to("nowhere.md")
    (tree / "out.md").symlink_to(tmp_path / "outside.md")
    (tree / "in.md").symlink_to("a.md")
    found = find_files(tree)
    assert list(found.files) == ["a.md", "in.md", "sub/LICENSE", "sub/b.py"]
    assert found.skipped["a link to a folder"] == 2
    assert found.skipped["a broken link"] == 4
    assert found.skipped["a link out of the folder"] == 1


def test_a_root_that_is_a_link_is_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(tree)
    assert list(find_files(tmp_path / "current").files) == ["a.md", "sub/LICENSE", "sub/b.py"]


def test_pipes_are_not_opened(tree: Path) -> None:
    os.mkfifo(tree / "pipe.md")
    assert find_files(tree).skipped["no regular file"] == 1
    with pytest.raises(KnowledgeError, match="neither a file nor a folder"):
        find_files(tree / "pipe.md")


def test_what_is_asked_for(tree: Path) -> None:
    assert list(find_files(tree, include=["*.md", "sub/*"], exclude=["*.py"]).files) == [
        "a.md",
        "sub/LICENSE",
    ]


def test_a_place_that_is_not_there_or_loops(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(KnowledgeError, match="none is not there"):
        find_files(tmp_path / "none")
    with pytest.raises(KnowledgeError, match="loop cannot be read: Too many levels"):
        find_files(tmp_path / "loop")


def test_a_package_is_listed_by_its_own_record() -> None:
    found = find_package_files("typer")
    assert "METADATA" in found.files
    assert "typer/main.py" in found.files
    assert all(file.is_file() for file in found.files.values())


def test_a_package_that_is_not_installed_says_so() -> None:
    with pytest.raises(KnowledgeError, match="'no-such-thing' is not installed"):
        find_package_files("no-such-thing")
