"""`ockham bench scaling`: a replay of pools, drawing them first, errors, what is written."""

import json

import pytest
from typer.testing import CliRunner

import eval.runs.session
import eval.scaling.draw
from eval.bench.commands import app
from eval.live import Ended, Limits
from router.errors import ConfigError, InputError
from router.outcomes import write_outcomes

from ..conftest import add, fake_router  # noqa: TID252  tests are no package
from .synthetic import realistic

PNG = b"\x89PNG"


def ockham(*args, code=0):
    done = CliRunner().invoke(app, ["scaling", *(str(a) for a in args)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


QUICK = ("--orders", 4, "--bootstrap", 50)


def test_the_command_replays_a_pool(tmp_path):
    write_outcomes(realistic(10, 4), tmp_path / "p")
    out = tmp_path / "deep" / "out"
    done = ockham("--pool", tmp_path / "p", *QUICK, "--out", out)
    assert (out / "scaling.png").read_bytes().startswith(PNG)
    body = json.loads((out / "scaling.json").read_text())
    assert body["benchmarks"][0]["questions"] == 10 and body["plan"]["orders"] == 4
    assert "early-stop" in done.stdout and "oracle (sees the scores)" in done.stdout
    assert "in 0 of 160 walks" in done.stdout
    assert "Measured on tiny-1m alone: this says nothing about larger models." in done.stdout
    printed = json.loads(ockham("--pool", tmp_path / "p", *QUICK, "--json").stdout)
    assert printed["benchmarks"] == body["benchmarks"]


def test_the_command_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match="--pool to replay samples, or --benchmark to draw them"):
        ockham()
    with pytest.raises(InputError, match="--out: say in which folder"):
        ockham("--benchmark", "sums")
    with pytest.raises(InputError, match="--temperature: a greedy model"):
        ockham("--benchmark", "sums", "--out", tmp_path, "--temperature", 0)


@pytest.fixture
def live(sums, clean_env, fake_model, monkeypatch, tmp_path):
    """The sums benchmark before a fake small model, configured by a file."""
    fake_model.answer = add
    monkeypatch.setattr(eval.runs.session, "Router", fake_router)
    own = {"api_base": fake_model.api_base, "api_key": "k", "max_tokens": 64}
    own |= {"input_usd_per_million": 1, "output_usd_per_million": 4}
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps({"models": {"small": own}}), encoding="utf-8")
    base = ("--benchmark", "sums", "--config", file, "--out", tmp_path / "d", "--limit", 3)
    return (*base, "--k", 2, *QUICK)


def asked(fake):
    return [r for r in fake.requests if "What is" in r["messages"][-1]["content"]]


def test_the_command_draws_then_replays_and_goes_on(live, tmp_path, fake_model):
    body = json.loads(ockham(*live, "--json").stdout)
    assert len(asked(fake_model)) == 6
    assert {r["temperature"] for r in asked(fake_model)} == {0.7}
    (one,) = body["benchmarks"]
    assert (one["questions"], one["k"], one["single"]["value"]) == (3, 2, 1.0)
    settings = tmp_path / "d" / "settings" / "scaling-plain.yaml"
    assert settings.stat().st_mode & 0o077 == 0
    again = json.loads(ockham(*live, "--json").stdout)
    assert len(asked(fake_model)) == 6
    assert again["benchmarks"] == body["benchmarks"]


def test_ctrl_c_leaves_what_was_drawn(live, fake_model, monkeypatch):
    def stopped(coroutine):
        coroutine.close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(eval.scaling.draw.asyncio, "run", stopped)
        done = ockham(*live, code=130)
    assert "run the same command again" in done.stderr
    ockham(*live)
    assert len(asked(fake_model)) == 6


def test_failures_in_a_row_end_it_by_their_own_code(live, fake_model, monkeypatch):
    async def failing(run, limits, show):
        assert limits == Limits(4)
        return Ended("failing", None, "20 samples failed")

    monkeypatch.setattr(eval.scaling.draw, "run_session", failing)
    assert "20 samples failed" in ockham(*live, code=5).stderr


def test_settings_that_overrule_the_temperature_are_named(live, clean_env):
    clean_env.setenv("OCKHAM_MODELS__SMALL__TEMPERATURE", "0")
    with pytest.raises(ConfigError, match="TEMPERATURE stands above --temperature"):
        ockham(*live)


def test_an_unknown_model_is_named(live):
    with pytest.raises(InputError, match="--model: no model 'tiny'; there are: small, large"):
        ockham(*live, "--model", "tiny")
