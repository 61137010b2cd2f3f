"""`ockham bench gateway`: every benched request went through the graph and through LiteLLM."""

import os
import shutil

import pytest

from eval.bench.gateway import MANY, bench_gateway, speedup
from eval.bench.servers import litellm_python
from router.errors import SetupError

LITELLM = os.environ.get("OCKHAM_LITELLM_PYTHON")
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("wrk") is None, reason="NO WRK HERE: apt install wrk"),
]


def test_every_benched_request_took_the_whole_way(real_env):
    came = bench_gateway(1, 2, reference=False)
    assert came.acknowledged > 20
    # At the end of each of the four loads, requests of up to MANY connections are cut off.
    assert came.acknowledged <= came.graph_runs <= came.acknowledged + 2 * (MANY + 1)
    assert came.acknowledged <= came.litellm_calls
    assert came.acknowledged <= came.upstream_calls
    assert all(row.errors == 0 for row in came.rows)


def test_the_reference_answers_the_same_prompts(real_env):
    if LITELLM is not None:
        real_env.setenv("OCKHAM_LITELLM_PYTHON", LITELLM)
    try:
        litellm_python()
    except SetupError as error:
        pytest.skip(f"NO LITELLM PROXY HERE: {error}")
    came = bench_gateway(1, 2)
    proxy = [row for row in came.rows if row.server == "LiteLLM proxy"]
    assert all(row.requests > 5 and row.errors == 0 for row in proxy)
    assert speedup(came, MANY) > 0
