"""Run one command, and end it with whoever asked for it.

Run as `python -m router.models.leash`. It reads one JSON line from standard input
(command, env), starts the command in a session of its own, prints one JSON line with its
process id, and waits. When standard input closes (the asker ended, however it ended), or
on SIGTERM, it ends the command's whole process group: a model server has children that
hold the memory. The key travels in `env`, never in argv.

Not covered: a SIGKILL to this process itself, which leaves the command running.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

__all__ = ["main"]

PATIENCE_S = 10.0
"""From asking the command to end to ending it."""
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables of this environment that would mislead another one's Python."""


def main() -> int:
    """Exit code: the command's own, or 1 with a JSON error line if it cannot start."""
    order = json.loads(sys.stdin.readline())
    env = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    # A Ctrl-C in a terminal reaches this whole group; the asker decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    try:
        child = subprocess.Popen(
            order["command"],
            env={**env, **order["env"]},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
        )
    except OSError as error:
        sys.stdout.write(json.dumps({"error": f"{order['command'][0]}: {error.strerror}"}) + "\n")
        return 1
    try:
        sys.stdout.write(json.dumps({"pid": child.pid}) + "\n")
        sys.stdout.flush()
        threading.Thread(target=_end_with_input, daemon=True).start()
        return child.wait()
    finally:
        _end(child)


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _end_with_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """The whole group: asked first, then killed, whatever is left of it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(PATIENCE_S)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


if __name__ == "__main__":
    raise SystemExit(main())
