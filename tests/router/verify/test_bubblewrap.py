"""The command line of the sandbox, and hints where it cannot run."""

from pathlib import Path

import pytest

from router.verify import bubblewrap
from router.verify.bubblewrap import Limits, command, interpreter, refusal


def built(monkeypatch: pytest.MonkeyPatch, *, root: bool) -> list[str]:
    monkeypatch.setattr(bubblewrap, "is_root", lambda: root)
    return command("/usr/bin/true", {"/box/main.py": 7}, Limits(seconds=2, processes=9))


def test_root_drops_to_nobody_first(monkeypatch: pytest.MonkeyPatch) -> None:
    argv = built(monkeypatch, root=True)
    assert argv[0] == "setpriv"
    assert {"--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"} <= set(argv[:8])


def test_an_ordinary_user_starts_bubblewrap_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert built(monkeypatch, root=False)[0] == "/usr/bin/true"


def test_the_walls_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    argv = built(monkeypatch, root=False)
    told = " ".join(argv)
    for flag in (
        "--unshare-all",
        "--unshare-user",
        "--die-with-parent",
        "--clearenv",
        "--cap-drop ALL",
    ):
        assert flag in told
    assert "--ro-bind-data 7 /box/main.py" in told
    assert "--nproc=9" in told
    assert "--cpu=3" in told
    bound = [argv[i + 1] for i, flag in enumerate(argv) if flag in ("--bind", "--ro-bind")]
    assert bound == ["/usr"]
    # Pid 1 stays in the process group that is killed; only the program leaves it.
    assert "--new-session" not in argv
    assert argv[argv.index("--") + 1].endswith("/setsid")
    assert argv.index("--remount-ro") > argv.index("--clearenv")


def test_the_interpreter_lies_under_usr() -> None:
    found = interpreter()
    assert found is not None
    assert Path(found).resolve().is_relative_to("/usr")


def test_a_refusal_names_the_setting_that_is_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    off = tmp_path / "unprivileged_userns_clone"
    off.write_text("0\n")
    setting = "kernel.unprivileged_userns_clone=1"
    monkeypatch.setattr(bubblewrap, "_SYSCTLS", ((str(off), "0", setting),))
    assert setting in refusal("No permissions to create a new namespace")
    off.write_text("1\n")
    assert refusal("weather") == "bubblewrap cannot start: weather"
