"""The OpenAPI document against a running gateway: made-up requests, good and bad, find no server
error, no answer that the document does not describe, and no bad request that is taken.

`ockham bench fuzz` makes 5,000 cases; here it is what fits into a minute or two.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from eval.bench.fake_model import FakeModel
from router.paths import data_dir

from .gateway_process import GatewayProcess, fake_models

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
    "unsupported_method"
)


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(data_dir()))
    # A model may write anything that is text.
    fake = FakeModel(lambda _: "a\x00b \U0001f600 \x1b[31m \u202e", keeps_alive=True)
    process = GatewayProcess(
        tmp_path,
        {
            "models": fake_models(
                fake.api_base, fake.api_base, can=["tools", "images", "n", "logprobs"]
            ),
            "ledger": {"url": f"sqlite:///{tmp_path}/ledger.sqlite"},
            "limits": {"timeout_s": 20},
        },
    )
    process.wait_ready()
    yield process
    process.stop()
    fake.close()


def test_no_server_error_and_no_answer_that_is_not_described(served, tmp_path):
    tool = Path(sys.executable).with_name("schemathesis")
    command = [str(tool), "run", f"{served.url}/openapi.json", "--no-color", "--checks", CHECKS]
    command += ["--phases", "fuzzing", "--max-examples", "25", "--seed", "0", "--no-shrink"]
    command += ["--request-timeout", "60", "--suppress-health-check", "all", "--max-time", "100"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=170)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    made = re.search(r"([\d,]+) generated", done.stdout)
    assert made is not None and int(made[1].replace(",", "")) >= 100, done.stdout
