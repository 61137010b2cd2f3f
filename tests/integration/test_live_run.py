"""A real process of `ockham eval run`, killed in the middle and started again."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from eval.bench.fake_model import FakeModel
from eval.runs.tries import read_tries
from router.outcomes import read_outcomes

OCKHAM = (sys.executable, "-c", "from router.cli import main; main()")
N = 12


class Gated(FakeModel):
    """Answers what `open_` admits; the rest hangs until the gate opens."""

    def __init__(self, admitted):
        super().__init__(self.say)
        self.admitted, self.gate, self.seen = admitted, threading.Event(), []

    def say(self, messages):
        text = messages[-1]["content"]
        if "fox" in text or "one hundred" in text:
            return "one two three"  # the router's health check
        question = text.split("\n")[0]
        self.seen.append(question)
        if len(self.seen) > self.admitted:
            self.gate.wait(60)
        return "The answer is \\boxed{1}"


@pytest.fixture
def fake(real_env, tmp_path):
    model = Gated(5)
    for name, value in {"API_BASE": model.api_base, "API_KEY": "k", "MAX_TOKENS": "64"}.items():
        real_env.setenv(f"OCKHAM_MODELS__SMALL__{name}", value)
    real_env.setenv("OCKHAM_MODELS__SMALL__INPUT_USD_PER_MILLION", "1")
    real_env.setenv("OCKHAM_MODELS__SMALL__OUTPUT_USD_PER_MILLION", "4")
    yield model
    model.gate.set()
    model.close()


def command(folder, *more):
    return [
        *OCKHAM, "eval", "run", "--benchmark", "reasoning-gym", "--arm", "small",
        "--limit", str(N), "--out", str(folder), "--concurrency", "2", "--json", *more,
    ]  # fmt: skip


def wait_until(ready, seconds=90):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def finished(folder):
    return sum(t.finished for t in read_tries(folder))


def started(fake, folder, process):
    """The admitted ones are in the journal, and two more are in flight."""
    assert process.poll() is None, process.stderr.read().decode()
    return len(fake.seen) == 7 and finished(folder) == 5


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_and_nothing_is_asked_twice_or_lost(fake, tmp_path, how):
    folder = tmp_path / "run"
    process = subprocess.Popen(command(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: started(fake, folder, process))
    os.kill(process.pid, how)
    process.communicate(timeout=30)
    assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    done_before = {t.question for t in read_tries(folder) if t.finished}
    in_flight = Counter(fake.seen[5:])
    fake.admitted = 10**6
    fake.gate.set()

    done = subprocess.run(command(folder), capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["complete"] and data["done"] == N and data["interrupted"] == 2

    asked = Counter(fake.seen)
    assert {q for q, n in asked.items() if n > 1} == set(in_flight), "only these were asked again"
    assert max(asked.values()) == 2 and sum(asked.values()) == N + 2
    tries = read_tries(folder)
    assert len({t.question for t in tries if t.finished}) == N and len(done_before) == 5
    lost = [t for t in tries if t.state == "interrupted"]
    assert {t.question for t in lost}.isdisjoint(done_before)
    assert all(t.charged_usd == t.reserved_usd > 0 for t in lost)
    assert data["cost_usd"] == pytest.approx(sum(t.charged_usd for t in tries))
    assert len(read_outcomes(folder / "outcomes").outcomes) == N
    assert (folder / "reasoning-gym-small.eval").is_file()


def test_two_processes_on_one_folder(fake, tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(command(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: started(fake, folder, process))
    second = subprocess.run(command(folder), capture_output=True, text=True, timeout=60)
    assert second.returncode == 2 and "another process runs in" in second.stderr
    look = subprocess.run(
        [*OCKHAM, "eval", "show", str(folder)], capture_output=True, text=True, timeout=60
    )
    assert look.returncode == 0 and re.search(r"5 of 12 samples", look.stdout)
    fake.gate.set()
    process.communicate(timeout=60)
    assert process.returncode == 0
