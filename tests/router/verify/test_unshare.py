"""The command line of the second tier; what it holds back is tested with the sandbox."""

import pytest

from router.verify import bubblewrap
from router.verify.bubblewrap import Limits
from router.verify.unshare import command


@pytest.mark.parametrize("root", [True, False])
def test_the_walls_are_all_named(root: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "is_root", lambda: root)
    argv = command("unshare", {"/box/main.py": 7}, Limits(seconds=2, processes=9, file_bytes=55))
    assert (argv[0] == "setpriv") is root
    for flag in ("--user", "--mount", "--pid", "--net", "--ipc", "--uts", "--kill-child"):
        assert flag in argv
    script = argv[-1]
    assert "cat /proc/self/fd/7 > ./box/main.py" in script
    assert "size=55" in script
    assert "--nproc=9" in script
    # The old root is gone, and further user namespaces are, before the program starts.
    steps = [script.index(s) for s in ("pivot_root", "umount -l old", "max_user", "env -i")]
    assert steps == sorted(steps)
