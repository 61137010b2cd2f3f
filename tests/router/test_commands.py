"""The command line's edges: one line of error, the right exit code, nothing started."""

import json
import subprocess
import sys

import pytest


def ockham(*args, stdin=None, env=None):
    code = "from router.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, input=stdin, timeout=60, env=env
    )


@pytest.mark.parametrize(
    ("args", "stdin", "code", "says"),
    [
        (["ask", ""], None, 2, "error: the query is empty"),
        (["ask", "-"], b"\x00\x01\x02", 2, "error: the query looks like binary"),
        (["ask", "-"], b"caf\xe9", 2, "error: the query is not UTF-8"),
        (["ask", "-"], b"x" * 1_000_000, 2, "limits.max_query_chars"),
        (["ask", "hi", "--config", "gone.yaml"], None, 2, "--config: no such file"),
        (["ask", "hi", "--policy", "best"], None, 2, "unknown policy 'best'"),
        (["route"], None, 2, "give a question or --file"),
        (["route", "x", "--file", "y"], None, 2, "give a question or --file"),
        (["route", "--file", "gone.jsonl"], None, 2, "cannot read gone.jsonl"),
        (["serve", "--host", "0.0.0.0"], None, 2, "gateway.api_keys: at least one key"),
        (["serve", "--port", "99999"], None, 2, "gateway.port"),
        (["nonsense"], None, 2, "No such command"),
    ],
)
def test_a_bad_call_is_one_line_and_a_code(clean_env, args, stdin, code, says):
    done = ockham(*args, stdin=stdin)
    assert done.returncode == code
    assert says in done.stderr.decode()
    assert done.stdout == b""
    assert "Traceback" not in done.stderr.decode()


def test_config_check_prints_what_is_in_force(clean_env, tmp_path):
    (tmp_path / "o.yaml").write_text("models: {small: {api_key: sk-1}}", encoding="utf-8")
    done = ockham("config", "check", "--config", str(tmp_path / "o.yaml"))
    assert done.returncode == 0
    assert json.loads(done.stdout)["models"]["small"]["api_key"] == "**********"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prices: {reference_model: nonsense}", b"prices.reference_model: 'nonsense'"),
        ("models: {large: {model: nonsense/x}}", b"models.large: no price is known"),
    ],
)
def test_config_check_knows_an_unpriced_model(clean_env, tmp_path, text, says):
    (tmp_path / "o.yaml").write_text(text, encoding="utf-8")
    for args in (["config", "check"], ["ask", "hi"]):
        done = ockham(*args, "--config", str(tmp_path / "o.yaml"))
        assert done.returncode == 2 and says in done.stderr


def test_config_check_names_every_bad_key(clean_env, tmp_path):
    (tmp_path / "o.yaml").write_text("limits: {max_steps: 0}\nnew: 1", encoding="utf-8")
    done = ockham("config", "check", "--config", str(tmp_path / "o.yaml"))
    assert done.returncode == 2
    assert b"limits.max_steps" in done.stderr and b"new: unknown key" in done.stderr
