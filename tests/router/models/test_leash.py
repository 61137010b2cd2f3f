"""A command on the leash ends, with its children, however the asker ends."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

TREE = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
STUBBORN = (
    "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "subprocess.Popen(['sleep', '60']); time.sleep(60)"
)


def leash(code, env=None):
    process = subprocess.Popen(
        [sys.executable, "-m", "router.models.leash"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    order = {"command": [sys.executable, "-c", code], "env": env or {}}
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    return process, json.loads(process.stdout.readline())["pid"]


def group_of(pid):
    """Living processes of a process group."""
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(OSError):
            if os.getpgid(process.pid) == pid and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def wait(what, seconds=15.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("how", "code"),
    [("end of input", TREE), ("SIGTERM", TREE), ("end of input", STUBBORN)],
    ids=["end of input", "SIGTERM", "stubborn"],
)
def test_the_whole_group_ends(how, code):
    process, pid = leash(code)
    wait(lambda: len(group_of(pid)) == 2)
    if how == "SIGTERM":
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert group_of(pid) == []


def test_a_ctrl_c_is_left_to_the_asker():
    process, pid = leash(TREE)
    wait(lambda: len(group_of(pid)) == 2)
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None and len(group_of(pid)) == 2
    process.communicate(timeout=30)


def test_what_is_left_of_a_killed_command_is_ended_too():
    process, pid = leash(TREE)
    wait(lambda: len(group_of(pid)) == 2)
    os.kill(pid, signal.SIGKILL)
    process.wait(timeout=30)
    assert group_of(pid) == []
    process.communicate()


def test_the_environment_is_the_commands_own(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", "") or str(Path.cwd()))
    process, _ = leash(
        "import os, sys; sys.stderr.write(f\"{os.environ['KEY']} {os.environ.get('PYTHONPATH')}\")",
        {"KEY": "k"},
    )
    assert process.wait(timeout=30) == 0
    assert process.communicate(timeout=30)[1] == "k None"


def test_a_command_that_cannot_start_is_a_reason():
    order = json.dumps({"command": ["/nowhere/vllm"], "env": {}})
    done = subprocess.run(
        [sys.executable, "-m", "router.models.leash"],
        input=order + "\n", capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"error": "/nowhere/vllm: No such file or directory"}
