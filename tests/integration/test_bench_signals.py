"""`ockham bench signals`: every row is there and measured; no test asserts a time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from eval.bench.signals import memory, texts

NAMES = [
    "decision",
    "sentence-transformers, embed only",
    "semantic-router, same model on torch",
    "decision, seen before",
]


@pytest.mark.timeout(600)  # it fits the small heads that it compares: a minute of work
def test_all_rows_are_measured() -> None:
    command = "bench signals --runs 1 --queries 20 --threads 1 --walk 20 --json"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ockham")), *command.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    body = json.loads(done.stdout.splitlines()[-1])
    assert [row["name"] for row in body["rows"]] == NAMES
    assert all(0 < row["p50"] <= row["p99"] for row in body["rows"])
    assert [row["batch_per_s"] is not None for row in body["rows"]] == [True, True, False, False]
    assert body["loop_late_ms"]["longest"] >= body["loop_late_ms"]["median"]
    assert [mark["queries"] for mark in body["memory"]] == [2, 5, 10, 20]
    # The quantised rows that are shipped rank as the exact ones do.
    for axis in ("verifiability", "knowledge_demand"):
        assert abs(body["auroc"][axis]["shipped"] - body["auroc"][axis]["torch"]) < 0.005


def test_queries_are_short_and_repeat_in_order() -> None:
    some = texts(2_000)
    assert max(map(len, some)) <= 120
    distinct = list(dict.fromkeys(some))
    assert 20 < len(distinct) < 2_000
    assert some[len(distinct)] == some[0]


def test_memory_is_read_along_the_way() -> None:
    marks = memory(20)
    assert [m.queries for m in marks] == [2, 5, 10, 20]
    assert all(m.mib > 10 for m in marks)
