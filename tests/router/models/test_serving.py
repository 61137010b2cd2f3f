"""A plan becomes a server; the hub is a fake here (a function in its place)."""

import huggingface_hub
import pytest

from router.config import load_settings
from router.errors import ModelUnavailable, SetupError
from router.models import machine
from router.models.launcher import EmbeddedServer, VllmServer
from router.models.plan import Plan
from router.models.serving import endpoint_of, fetch, server_for

from .test_machine import header


@pytest.fixture
def small(clean_env):
    return load_settings(models={"small": {"serve": "auto"}}).models["small"]


def plan(kind="vllm", **more):
    return Plan(kind=kind, model="m", context_tokens=4096, parallel=4, reasons=(), **more)


def test_what_is_missing_is_said_first(small):
    with pytest.raises(SetupError, match=r"models.small: run `make setup-gpu`"):
        server_for(plan(missing="run `make setup-gpu`"), "small", small)


def test_vllms_key_goes_through_the_environment(small):
    server = server_for(plan(command=("python", "x")), "small", small, port=7, api_key="a-key")
    assert isinstance(server, VllmServer) and server.port == 7
    order = server._order()
    assert "a-key" not in order["command"] and order["env"]["VLLM_API_KEY"] == "a-key"
    server.api_base = "http://127.0.0.1:7/v1"
    assert endpoint_of(server).model == "hosted_vllm/m"
    assert "a-key" not in repr(endpoint_of(server))


def test_llama_cpp_takes_the_plans_weights_and_context(small, tmp_path):
    path = tmp_path / "v.gguf"
    path.write_bytes(header("VibeThinker-3B", 7))
    server = server_for(plan("llama.cpp", weights=path), "small", small, port=9)
    assert isinstance(server, EmbeddedServer)
    order = server._order()
    assert (order["model"], order["context_tokens"], order["port"]) == (str(path), 4096, 9)


def fake_hub(monkeypatch, tmp_path, kind):
    path = tmp_path / "v-Q8_0.gguf"
    path.write_bytes(header("VibeThinker-3B", kind))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda repo, file: str(path))
    return path


def test_a_fetched_file_is_read_before_it_is_served(monkeypatch, tmp_path):
    path = fake_hub(monkeypatch, tmp_path, 7)
    assert fetch("a/b", path.name) == path
    fake_hub(monkeypatch, tmp_path, 15)
    with pytest.raises(SetupError, match="v-Q8_0.gguf of a/b is Q4_K_M, not Q8_0 or Q6_K"):
        fetch("a/b", path.name)


def test_a_hub_that_fails_is_a_reason(monkeypatch):
    def fail(repo, file):
        raise OSError("no route")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(SetupError, match="gguf_repo: cannot fetch f of a/b: no route"):
        fetch("a/b", "f")


def test_a_repositorys_weight_files_are_listed(monkeypatch):
    names = ["README.md", "v-Q8_0.gguf"]
    monkeypatch.setattr(huggingface_hub, "list_repo_files", lambda repo: names)
    assert machine._hub_gguf("a/b") == ("v-Q8_0.gguf",)
    monkeypatch.setattr(huggingface_hub, "list_repo_files", lambda repo: 1 / 0)
    assert machine._hub_gguf("a/b") == ()


async def test_vllm_that_cannot_start_names_its_log(small):
    server = server_for(plan(command=("/nowhere/python",)), "small", small, port=9)
    said = r"/nowhere/python: No such file or directory; see .*small.log"
    with pytest.raises(ModelUnavailable, match=said):
        await server.start()
    assert not server.running
    ends = server_for(plan(command=("/bin/false",)), "small", small, port=9)
    with pytest.raises(
        ModelUnavailable, match="vLLM could not serve: it ended before it listened; see"
    ):
        await ends.start()
    assert ends.log.exists()
