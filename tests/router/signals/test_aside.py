"""Queries placed beside the event loop: in threads, and in a process that may be killed."""

import asyncio
import os
import signal
import time

import pytest

from router.paths import data_dir
from router.query import make_query
from router.signals import Featuriser
from router.signals.aside import ProcessSignals, ThreadedSignals

ASKED = "Who founded Thimphu, and what is 12 * 7?"


@pytest.fixture
def process(featuriser: Featuriser):
    made = ProcessSignals(1, "all-MiniLM-L6-v2", None, data_dir(), featuriser)
    made.warm()
    yield made
    made.close()


def query(text: str = ASKED):
    return make_query(text, max_chars=9999)


def test_a_process_says_what_a_thread_says(process, featuriser):
    asked = [query(), query("Hello there!")]
    there = asyncio.run(process.aclassify_many(asked))
    here = asyncio.run(ThreadedSignals(featuriser).aclassify_many(asked))
    for (blocks, signals), (own, expected) in zip(there, here, strict=True):
        assert blocks.keys() == own.keys()
        assert all(blocks[name] == pytest.approx(own[name], abs=1e-4) for name in own)
        assert signals.featuriser == expected.featuriser
        assert signals.verifiability == pytest.approx(expected.verifiability, abs=1e-4)


def test_a_process_that_was_killed_loses_no_query(process):
    async def ask():
        return [await process.aclassify(query(f"What is {n} * 7?")) for n in range(3)]

    before = asyncio.run(ask())
    killed = process._workers._crew
    (worker,) = [t._target.__self__ for t in killed._threads]
    os.kill(worker._process.pid, signal.SIGKILL)
    after = asyncio.run(ask())
    assert [b[1].domain for b in after] == [b[1].domain for b in before]


async def test_who_goes_away_leaves_the_process_to_the_next(process):
    gone = asyncio.ensure_future(process.aclassify(query("x" * 5000)))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    start = time.monotonic()
    assert (await process.aclassify(query()))[1].chars == len(ASKED)
    assert time.monotonic() - start < 60


def test_a_head_that_does_not_fit_is_said_when_it_warms_up(featuriser, tmp_path):
    (tmp_path / "head.json").write_text("{}")
    made = ProcessSignals(1, "all-MiniLM-L6-v2", tmp_path / "head.json", data_dir(), featuriser)
    with pytest.raises(Exception, match=r"head\.json"):
        made.warm()
    made.close()
