"""However a call ends, it is settled: status, tokens, error."""

import asyncio
from dataclasses import replace

import pytest

from router.errors import (
    BadResponse,
    ContextOverflow,
    ModelAuthError,
    ModelDied,
    ModelTimeout,
    ModelUnavailable,
    ModelUnreachable,
)
from router.models.client import complete, request
from router.models.completion import Completion, Endpoint
from router.models.loading import load_litellm

pytestmark = pytest.mark.usefixtures("hang_up")

ASK = [{"role": "user", "content": "Say hello."}]


def endpoint(fake, **kwargs) -> Endpoint:
    return Endpoint("large", "hosted_vllm/fake-large", fake.api_base, "a-secret-key", **kwargs)


async def call(where: Endpoint, **kwargs) -> Completion:
    return await complete(
        where, ASK, max_tokens=50, timeout_s=kwargs.pop("timeout_s", 20), **kwargs
    )


async def test_a_whole_answer(fake_model):
    heard = []
    done = await call(endpoint(fake_model, temperature=0.5, stop=("END",)), on_text=heard.append)
    assert done.error is None
    assert done.text == "".join(heard) == "Hello from the fake model."
    assert (done.finish, done.prompt_tokens, done.completion_tokens) == ("stop", 11, 5)
    assert done.tokens_basis == "reported"
    assert 0 < done.first_token_seconds <= done.seconds
    sent = fake_model.requests[0]
    assert (sent["max_tokens"], sent["temperature"], sent["stop"]) == (50, 0.5, ["END"])
    assert "top_p" not in sent


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm"])
async def test_who_asks_is_told_to_a_server_of_ones_own(fake_model, provider):
    where = replace(endpoint(fake_model, params={"user": "me"}), model=f"{provider}/fake-large")
    assert (await call(where)).error is None
    assert fake_model.requests[0]["user"] == "me"
    assert "allowed_openai_params" not in fake_model.requests[0]


async def test_the_token_cap(fake_model):
    fake_model.mode = "length"
    done = await call(endpoint(fake_model))
    assert (done.error, done.finish) == (None, "length")


@pytest.mark.parametrize("holds", [False, True])
async def test_every_token_has_its_log_probability(fake_model, holds):
    """Also those whose text the server holds back: LiteLLM drops chunks without text."""
    fake_model.logprob_of, fake_model.holds_text = (lambda _: -0.5), holds
    done = await call(endpoint(fake_model, logprobs=1))
    assert "".join(token.text for token in done.tokens) == done.text
    assert len(done.tokens) == done.completion_tokens == 5


async def test_a_stream_that_is_listened_to_is_hung_up_on(fake_model):
    fake_model.logprob_of, fake_model.mode = (lambda _: -0.5), "endless"
    begun = asyncio.Event()
    run = asyncio.create_task(call(endpoint(fake_model, logprobs=1), on_text=lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 20)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert await asyncio.to_thread(fake_model.hung_up.wait, 10)


@pytest.mark.parametrize(
    ("mode", "error", "says"),
    [
        ("cut", ModelDied, "broke off"),
        ("reset", ModelDied, "broke off"),
        ("bad_json", ModelDied, "broke off"),
        ("garbage", BadResponse, "no chat completion"),
        ("empty", BadResponse, "no chat completion"),
        ("auth", ModelAuthError, "the key was rejected"),
        ("busy", ModelUnavailable, "rate limit"),
        ("error", ModelUnavailable, "cannot be reached or refuses"),
        ("overflow", ContextOverflow, "does not fit"),
    ],
)
async def test_every_failure_is_named(fake_model, mode, error, says):
    fake_model.mode = mode
    done = await call(endpoint(fake_model))
    assert isinstance(done.error, error)
    assert says in str(done.error)
    assert str(done.error).startswith("models.large: ")
    assert "a-secret-key" not in str(done.error)
    assert done.finish == "error"
    assert done.tokens_basis == "counted"


async def test_a_cut_stream_is_charged_for_what_came(fake_model):
    fake_model.mode = "cut"
    done = await call(endpoint(fake_model))
    assert done.text == "Hello from"
    assert done.completion_tokens == 2
    assert done.prompt_tokens > 0


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "anthropic"])
@pytest.mark.parametrize("mode", ["error", "busy", "auth", "overflow"])
async def test_an_error_status_costs_nothing(fake_model, mode, provider):
    fake_model.mode = mode
    where = Endpoint("large", f"{provider}/x", fake_model.api_base, "a-secret-key")
    done = await call(where)
    assert done.error is not None
    assert done.prompt_tokens == done.completion_tokens == 0


@pytest.mark.parametrize("mode", ["empty", "garbage"])
async def test_what_cannot_be_read_may_have_been_charged(fake_model, mode):
    fake_model.mode = mode
    done = await call(endpoint(fake_model))
    assert done.error is not None and done.tokens_basis == "counted"
    assert done.prompt_tokens > 0


async def test_a_line_that_breaks_before_the_answer_may_have_been_charged():
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        done = await call(Endpoint("small", "openai/x", f"http://127.0.0.1:{port}/v1", "k"))
    assert done.error is not None and not isinstance(done.error, ModelUnreachable)
    assert done.prompt_tokens > 0


async def test_nothing_listens():
    done = await call(Endpoint("small", "hosted_vllm/x", "http://127.0.0.1:9/v1", "k"))
    assert isinstance(done.error, ModelUnreachable)
    assert done.completion_tokens == done.prompt_tokens == 0


@pytest.mark.parametrize("mode", ["hang", "stall"])
async def test_a_slow_server(fake_model, mode):
    fake_model.mode = mode
    done = await call(endpoint(fake_model, stall_s=0.5))
    assert isinstance(done.error, ModelTimeout)
    assert "0.5 s" in str(done.error)
    assert done.seconds < 15


async def test_the_whole_call_has_a_limit_too(fake_model):
    fake_model.mode = "endless"
    done = await call(endpoint(fake_model), timeout_s=0.6)
    assert isinstance(done.error, ModelTimeout)
    assert done.completion_tokens > 0
    assert fake_model.hung_up.wait(5)


async def test_cancelling_hangs_up(fake_model):
    fake_model.mode = "endless"
    started = asyncio.Event()
    task = asyncio.create_task(call(endpoint(fake_model), on_text=lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(fake_model.hung_up.wait, 5)


async def test_a_beginning_has_no_price_and_callbacks_learn_the_whole_ones(fake_model, monkeypatch):
    """LiteLLM would price each stream before it has begun."""
    litellm = load_litellm()
    priced, told = [], asyncio.Queue()
    calculate = litellm.cost_calculator.completion_cost

    def counted(*args, **more):
        priced.append(more)
        return calculate(*args, **more)

    monkeypatch.setattr(litellm.cost_calculator, "completion_cost", counted)
    assert (await call(endpoint(fake_model))).error is None
    assert priced == []

    class Listener(litellm.integrations.custom_logger.CustomLogger):
        async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
            told.put_nowait(kwargs["response_cost"])

    monkeypatch.setattr(litellm, "callbacks", [Listener()])
    where = replace(endpoint(fake_model), params={
        "input_cost_per_token": 0.5, "output_cost_per_token": 0.25,
    })  # fmt: skip
    stream = await request(
        where, ASK, max_tokens=50, stream=True, stream_options={"include_usage": True}
    )
    async for _ in stream:
        pass
    cost = await asyncio.wait_for(told.get(), 10)
    assert cost == pytest.approx(11 * 0.5 + 5 * 0.25)
