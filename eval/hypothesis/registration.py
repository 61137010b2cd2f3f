"""The pre-registration: what it says, where it was committed, and what has changed in it since.

Read from the file in the repository. Git says when it was first committed and what differs
now; in a place without git (a wheel, an archive) the page says that it cannot tell.
"""

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from router.errors import SetupError

__all__ = ["FILE", "Registration", "read_registration"]

FILE = Path(__file__).parents[1] / "preregistration.yaml"
_TIMEOUT = 20


@dataclass(frozen=True)
class Registration:
    """The file's content and its history."""

    data: Mapping[str, Any]
    text: str
    sha256: str
    commit: str | None
    """Of the first commit that held the file; None where git cannot tell."""
    committed: str | None
    first_sha256: str | None
    commits: tuple[str, ...]
    """Every commit that touched it, oldest first: `hash date subject`."""
    diff: str
    """From the first committed form to the file as it is; empty where nothing changed."""
    says: str
    """All that in a sentence."""

    def prediction(self, name: str) -> Mapping[str, Any]:
        """One prediction's entry."""
        found: Mapping[str, Any] = self.data["predictions"][name]
        return found

    def kind(self, *populations: str) -> Literal["exploratory", "confirmatory"]:
        """Confirmatory only where all populations are marked unseen."""
        states = {self.data["populations"][name]["status"] for name in populations}
        return "confirmatory" if states == {"unseen"} else "exploratory"

    @property
    def resamples(self) -> int:
        """Of every bootstrap."""
        return int(self.data["bootstrap"]["resamples"])

    @property
    def seed(self) -> int:
        """The one that is written in the file."""
        return int(self.data["bootstrap"]["seed"])


def read_registration(path: Path = FILE) -> Registration:
    """The file and its history.

    Raises:
        SetupError: there is no such file: without it no verdict can be given.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: cannot be read ({error.strerror})") from None
    text = raw.decode("utf-8")
    commits = tuple((_git(path, "log", "--follow", "--reverse", "--format=%H %as %s", "--",
                          path.name) or "").splitlines())  # fmt: skip
    sha = hashlib.sha256(raw).hexdigest()
    if not commits:
        says = (
            "Git is not here, so when the file was committed and whether it has changed since "
            "cannot be told: compare its SHA-256."
        )
        return Registration(yaml.safe_load(text), text, sha, None, None, None, (), "", says)
    first, date, _ = commits[0].split(" ", 2)
    old = _git(path, "show", f"{first}:./{path.name}")
    diff = (_git(path, "diff", first, "--", path.name) or "").strip()
    says = (
        "Nothing has changed in it since."
        if not diff
        else f"It has changed since: {_ways(len(commits) - 1)}; the difference and the reasons "
        "(the commits' subjects) stand below."
    )
    return Registration(
        data=yaml.safe_load(text),
        text=text,
        sha256=sha,
        commit=first,
        committed=date,
        first_sha256=None if old is None else hashlib.sha256(old.encode()).hexdigest(),
        commits=commits,
        diff=diff,
        says=says,
    )


def _ways(commits: int) -> str:
    if not commits:
        return "not yet committed"
    return "in one commit" if commits == 1 else f"in {commits} commits"


def _git(path: Path, *arguments: str) -> str | None:
    """What git prints in the file's folder; None where it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(path.parent), *arguments],
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
