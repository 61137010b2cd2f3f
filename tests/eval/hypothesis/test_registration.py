import shutil
import subprocess

import pytest

from eval.hypothesis.registration import FILE, read_registration
from router.errors import SetupError


def git(folder, *arguments):
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *name, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    shutil.copy(FILE, tmp_path / FILE.name)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "write it down")
    return tmp_path


def test_unchanged_is_said(repository):
    found = read_registration(repository / FILE.name)
    assert len(found.commit) == 40
    assert found.sha256 == found.first_sha256
    assert found.diff == ""
    assert "Nothing has changed" in found.says


def test_a_change_is_shown_with_its_commit(repository):
    file = repository / FILE.name
    file.write_text(file.read_text().replace("lower > 1.25", "lower > 1.00"))
    found = read_registration(file)
    assert "+    supported_if: lower > 1.00" in found.diff  # not committed yet, and shown
    assert "not yet committed" in found.says
    git(repository, "commit", "-qam", "lower the bar: because")
    found = read_registration(file)
    assert found.sha256 != found.first_sha256
    assert "lower the bar: because" in found.commits[1]
    assert "changed since: in one commit" in found.says


def test_without_git_the_page_says_so(tmp_path):
    shutil.copy(FILE, tmp_path / FILE.name)
    found = read_registration(tmp_path / FILE.name)
    assert found.commit is None
    assert "cannot be told" in found.says


def test_without_the_file_there_is_no_verdict(tmp_path):
    with pytest.raises(SetupError, match="cannot be read"):
        read_registration(tmp_path / "none.yaml")


def test_only_unseen_populations_confirm():
    found = read_registration()
    assert found.kind("outcomes_aggregates") == "confirmatory"
    assert found.kind("mmlupro") == "exploratory"
    assert found.kind("zeroeval", "mmlupro") == "exploratory"
