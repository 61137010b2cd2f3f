"""`ockham models` as far as it starts nothing."""

import json

import pytest
from typer.testing import CliRunner

from router.errors import ConfigError, InputError
from router.models.commands import app


@pytest.fixture(autouse=True)
def _clean(clean_env, tmp_path):
    clean_env.setenv("HF_HUB_OFFLINE", "1")
    clean_env.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    clean_env.setenv("PATH", str(tmp_path))  # no nvidia-smi
    return clean_env


def run(*args):
    return CliRunner().invoke(app, list(args), catch_exceptions=True)


def test_a_dry_run_prints_command_and_reason():
    done = run("serve", "--dry-run")
    assert done.exit_code == 0
    assert "no CUDA GPU: no nvidia-smi on this machine" in done.output
    assert "no VibeThinker-3B GGUF file on disk; none can be fetched: HF_HUB_OFFLINE" in done.output
    assert "no quality result" in done.output
    assert "-m router.models.llama_server" in done.output


def test_a_dry_run_as_json():
    body = json.loads(run("serve", "small", "--dry-run", "--json", "--port", "8123").output)
    assert (body["kind"], body["port"], body["context_tokens"]) == ("embedded", 8123, 2048)


def test_the_cuda_branch_is_shown_without_the_key(_clean, tmp_path):
    tool = tmp_path / "nvidia-smi"
    line = "0, GPU-1, NVIDIA A100-SXM4-80GB, 81920, 81050, 8.0"
    tool.write_text(f"#!/bin/sh\necho '{line}'\n")
    tool.chmod(0o755)
    weights = tmp_path / "hub" / "models--WeiboAI--VibeThinker-3B" / "snapshots" / "1"
    weights.mkdir(parents=True)
    (weights / "m.safetensors").touch()
    _clean.setenv("OCKHAM_MODELS__SMALL__API_KEY", "a-secret-key")
    _clean.setenv("OCKHAM_VLLM_PYTHON", str(tmp_path / "gone" / "python"))
    out = run("serve", "--dry-run", "--port", "8123").output
    assert "vllm: vibethinker-3b, context 131,072, 121 requests at once" in out
    assert "CUDA_VISIBLE_DEVICES=GPU-1 HF_HUB_OFFLINE=1" in out
    assert "vllm.entrypoints.openai.api_server --model WeiboAI/VibeThinker-3B" in out
    assert "first: no vLLM at" in out and "never with the model's own" in out
    assert "a-secret-key" not in out


@pytest.mark.parametrize("command", ["serve", "check"])
def test_an_unknown_model_is_named(command):
    done = run(command, "tiny")
    assert isinstance(done.exception, InputError)
    assert str(done.exception) == "no model 'tiny' (models: small, large)"


def test_a_configured_file_that_is_none_is_named(_clean, tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"junk")
    _clean.setenv("OCKHAM_MODELS__SMALL__GGUF", str(tmp_path / "x.gguf"))
    done = run("serve", "--dry-run")
    assert isinstance(done.exception, ConfigError)
    assert "models.small.gguf:" in str(done.exception)


def test_a_repository_must_look_like_one(_clean):
    _clean.setenv("OCKHAM_MODELS__SMALL__GGUF_REPO", "not a repository")
    assert "models.small.gguf_repo" in str(run("serve", "--dry-run").exception)


def test_a_large_model_is_not_served_here():
    assert "models.large is large" in str(run("serve", "large").exception)
