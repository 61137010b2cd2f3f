"""Real vLLM, on CPU: the protocol, the launcher, and what happens when things go wrong.

Two servers, shared with `test_vllm_sampling.py`: SmolLM2 for real text, and a tiny random Qwen2
with VibeThinker's keys and template (`make_models.py`). Nothing here is about speed or answers.

Not covered: a GPU, VibeThinker's weights.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import psutil
import pytest

from router.arms.run import ArmRunner
from router.config import load_settings
from router.errors import ModelAuthError
from router.knowledge.retrieving import Retriever
from router.models.check import STREAMS, check_model
from router.models.client import complete, request
from router.models.machine import HUB_ID
from router.models.pool import Models
from router.models.serving import endpoint_of
from router.query import make_query
from router.samples import AttemptStatus
from router.settings import ArmSettings
from router.state import Signals
from router.verify import Verifiers

from .conftest import OCKHAM
from .vllm_servers import (
    CPU,
    VLLM_PYTHON,
    WEIGHTS,
    metrics,
    needs_vllm,
    settings_for,
    tokens_of,
    works_on,
)

pytestmark = needs_vllm

SMI = Path(__file__).parents[1] / "router" / "models" / "smi"
STORY = [{"role": "user", "content": "Write a long story about a fox."}]


@pytest.fixture(autouse=True)
def _clean(real_env, hang_up):
    """None of the caller's settings or keys, and no connection left open."""


async def stream(server, tokens=24, messages=STORY, **kwargs):
    return await complete(endpoint_of(server), messages, max_tokens=tokens, timeout_s=100, **kwargs)


async def whole(server, messages=STORY, tokens=8, **more):
    where = endpoint_of(server)
    async with asyncio.timeout(100):
        return await request(where, messages, max_tokens=tokens, **more)


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
    """Told by what the engine wrote in all: how long it worked is the machine's business."""
    written = "generation_tokens_total"
    (before,) = await asyncio.to_thread(metrics, either, written)
    begun = asyncio.Event()
    tokens = 1500 if either.alias == "smollm2" else 60_000
    task = asyncio.create_task(stream(either, tokens, on_text=lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await works_on(either, 0, 60)
    (after,) = await asyncio.to_thread(metrics, either, written)
    assert 0 < after - before < tokens


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
    """kill -9 of the whole server: the attempts fail, nothing hangs, the model is down, and
    the command ends with the reason."""
    command, ready = serving
    assert (ready["kind"], ready["model"]) == ("vllm", "vibethinker-3b")
    small = {"api_base": ready["api_base"], "api_key": ready["api_key"]}
    models = Models(load_settings(models={"small": small}))
    await models.start()
    assert models.context_tokens("small") == ready["context_tokens"] == 65_536
    begun = asyncio.Event()
    run = asyncio.create_task(attempt_with(models, WHOLE, on_text=lambda _: begun.set()))
    sampling = asyncio.create_task(attempt_with(models, SAMPLED))
    await asyncio.wait_for(begun.wait(), 60)
    assert await some_have_ended(SimpleNamespace(**ready), 3)
    (vllm,) = (child.pid for child in psutil.Process(ready["pid"]).children())
    os.killpg(vllm, signal.SIGKILL)
    attempt, sampled = await asyncio.wait_for(asyncio.gather(run, sampling), 90)
    assert attempt.status is AttemptStatus.FAILED
    assert "broke off in the middle of its answer" in attempt.error
    assert (attempt.tokens_basis, attempt.completion_tokens > 0) == ("counted", True)
    the_sampling_failed(sampled, SAMPLED.method)
    # One stream that breaks takes no model out; that nobody listens any more does.
    again = await attempt_with(models, WHOLE)
    assert again.status is AttemptStatus.FAILED
    assert any(said in models.why_not("small") for said in ("broke off", "nothing answers"))
    assert await asyncio.to_thread(command.wait, 40) == 4
    said = command.stderr.read()
    assert (
        "ran on an H100 with random weights" in said
        and "error: models.small: the server ended" in said
    )


WHOLE = ArmSettings(model="small", max_tokens=8000)
SAMPLED = ArmSettings(
    model="small",
    max_tokens=200,
    method={"name": "majority", "k": 256, "parallel": 4, "early_stop": False},
)


SERVED = "request_success_total"


async def some_have_ended(server, number, seconds=60):
    """Whether so many requests were served beside those that opened the models."""
    (before,) = await asyncio.to_thread(metrics, server, SERVED)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (await asyncio.to_thread(metrics, server, SERVED))[0] >= before + number:
            return True
        await asyncio.sleep(0.05)
    return False


def the_sampling_failed(attempt, method):
    """Some samples had ended, those in flight failed, no other was started; all at its price."""
    told = Counter(str(s.status) for s in attempt.samples)
    print(f"killed in the middle of sampling: {dict(told)}")
    assert set(told) <= {"ok", "truncated", "no_answer", "failed", "not_run"}
    # One that only stalled (the engine is slow where the machine is busy) is followed by another.
    failed = [s.error for s in attempt.samples if s.status == "failed"]
    gone = [error for error in failed if "no token for" not in error]
    assert 1 <= len(gone) <= method.parallel
    assert told["not_run"] > 0 and told["truncated"] > 0
    assert len(attempt.samples) == method.k
    assert attempt.tokens_basis == "counted"
    assert attempt.cost_usd == pytest.approx(sum(s.cost_usd for s in attempt.samples))
    price = attempt.price
    cost = price.cost(attempt.prompt_tokens, attempt.completion_tokens)
    assert attempt.cost_usd == pytest.approx(cost)
    assert cost > 0
    assert f"{told['failed']} of {method.k} samples failed" in attempt.selection.reasons[-1]


async def attempt_with(models, arm, on_text=None):
    """One attempt of an arm of the small model."""
    signals = Signals(
        verifiability=0, knowledge_demand=0, domains={"open": 1.0}, chars=9, featuriser="none"
    )
    return await ArmRunner(models, Retriever(None, 3), Verifiers()).run(
        "small",
        arm,
        make_query("Write a long story about a fox.", max_chars=1000),
        signals,
        timeout_s=100,
        left_usd=1.0,
        on_text=on_text,
    )
