"""A minute of steady load: `ockham bench soak`, short. Memory has the bar of the long run only
there: a minute is too short to tell a slow leak from a heap that settles."""

import pytest

from eval.bench.soak import bench_soak

pytestmark = pytest.mark.timeout(180)


def test_a_minute_of_load_leaves_nothing_open(real_env):
    came = bench_soak(1.0, clients=2, distinct=50)
    faults = [fault for fault in came.faults if not fault.startswith("memory")]
    assert faults == []
    assert came.outcomes["answered"] > 50
    assert all(sample.tasks for sample in came.samples)
    first, last = came.samples[len(came.samples) // 3], came.samples[-1]
    assert last.rss_mib - first.rss_mib < 60, "60 MiB in 40 s is a leak whatever it is"
