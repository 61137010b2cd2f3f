"""The second tier: the same walls as bubblewrap's, built with util-linux alone.

What: a command line for machines without bubblewrap where an ordinary user may make
namespaces. A shell, root only in its own user namespace, mounts a new root (read-only /usr,
private /tmp, own /proc, five devices), leaves the old one, forbids further user namespaces
and starts the program in a second user namespace, where it is nobody and has no capability.
What not: it runs nothing itself, and there is no half of it: where one mount fails, so does
the trial run, and nothing is ever run with the host's files in sight.
"""

import shlex
from collections.abc import Mapping

from router.verify.bubblewrap import MAIN, NOBODY, Limits, as_nobody, interpreter, rlimits, usr_tool

__all__ = ["TOOLS", "command"]

TOOLS = ("unshare", "pivot_root", "mount", "umount", "setpriv", "setsid", "prlimit", "sh")
_DEVICES = "null zero full random urandom"
_START = (
    f"import os; os.closerange(3, 64); exec(compile(open('{MAIN}', 'rb').read(), '{MAIN}', 'exec'))"
)
"""The files of the program came in as open ones; it must not find them so."""


def command(unshare: str, fds: Mapping[str, int], limits: Limits) -> list[str]:
    """The whole command line; the content of each open file appears under its path."""
    namespaces = [
        usr_tool(unshare) or unshare, "--user", "--map-root-user", "--mount", "--pid", "--fork",
        "--kill-child", "--net", "--ipc", "--uts", "--cgroup", "--propagation", "private",
    ]  # fmt: skip
    return [*as_nobody(), *namespaces, "--", "/bin/sh", "-euc", _script(unshare, fds, limits)]


def _script(unshare: str, fds: Mapping[str, int], limits: Limits) -> str:
    python = interpreter() or "/usr/bin/python3"
    local = python.startswith("/usr/local/")
    hidden = "/usr/src" if local else "/usr/src /usr/local"
    libraries = "LD_LIBRARY_PATH=/usr/local/lib" if local else ""
    copies = "\n".join(f"cat /proc/self/fd/{fd} > .{path}" for path, fd in fds.items())
    program = [
        usr_tool(unshare) or unshare, "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}",
        "--", usr_tool("setsid") or "setsid", *rlimits(limits), usr_tool("setpriv") or "setpriv",
        "--no-new-privs", "--", python, "-I", "-B", "-X", "utf8", "-c", _START,
    ]  # fmt: skip
    return f"""
mount -t tmpfs -o mode=755,nosuid,nodev root /tmp
cd /tmp
mkdir usr proc dev tmp box old
mount --bind /usr usr
mount -o remount,bind,ro,nosuid,nodev usr
for hide in {hidden}; do
    if [ -d "$hide" ]; then mount -t tmpfs -o ro,nosuid,nodev hidden ".$hide"; fi
done
for link in lib lib64 bin sbin; do ln -s "usr/$link" "$link"; done
for device in {_DEVICES}; do : > "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
{copies}
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t tmpfs -o mode=1777,nosuid,nodev,size={limits.file_bytes} tmp tmp
pivot_root . old
cd /
umount -l old
rmdir old
echo 1 > /proc/sys/user/max_user_namespaces
mount -o remount,bind,ro,nosuid,nodev / /
cd /tmp
code=0
env -i PATH=/usr/bin HOME=/tmp LANG=C.UTF-8 {libraries} {shlex.join(program)} || code=$?
exit $code
"""
