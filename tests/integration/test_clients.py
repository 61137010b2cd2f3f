"""Clients that we did not write, unmodified, against a real `ockham serve` process.

The hosted models behind it are fakes on loopback (`eval/bench/fake_model.py`).
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel

from eval.bench.fake_model import FakeModel
from router.paths import data_dir

from .gateway_process import GatewayProcess, fake_models

README = Path(__file__).parents[2] / "README.md"
ASK = [{"role": "user", "content": "Hello there!"}]
HELLO = "Hello from the fake model."
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        },
    },
}  # fmt: skip
CALLED = (
    {
        "tool_calls": [
            {
                "index": 0, "id": "call_1", "type": "function",
                "function": {"name": "weather", "arguments": ""},
            }
        ]
    },
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '"Thimphu"}'}}]},
)  # fmt: skip


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def fake():
    model = FakeModel(keeps_alive=True)
    yield model
    model.hung_up.set()
    model.close()


@pytest.fixture(scope="module")
def served(fake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    patch = pytest.MonkeyPatch()
    patch.setenv("OCKHAM_DATA_DIR", str(data_dir()))
    config = {
        "models": fake_models(
            fake.api_base, fake.api_base, can=["tools", "images", "n", "logprobs"]
        ),
        "ledger": {"url": f"sqlite:///{folder}/ledger.sqlite"},
        "gateway": {"api_keys": ["right-key"]},
    }
    process = GatewayProcess(folder, config)
    process.wait_ready()
    yield process
    process.stop()
    patch.undo()


@pytest.fixture(autouse=True)
def plain(fake):
    """Each test's fake begins as it was."""
    fake.replay, fake.mode, fake.answer = None, "ok", lambda _: HELLO


@pytest.fixture
def client(served):
    import openai

    with openai.OpenAI(
        base_url=f"{served.url}/v1", api_key="right-key", max_retries=0, timeout=60
    ) as made:
        yield made


def test_the_openai_sdk(client):
    done = client.chat.completions.with_raw_response.create(
        model="ockham/auto", messages=ASK, temperature=0.2, user="me", seed=7, store=False
    )
    parsed = done.parse()
    assert parsed.choices[0].message.content == HELLO
    assert parsed.usage.total_tokens > 0 and parsed._request_id
    headers = done.headers
    assert headers["x-ockham-route"] and headers["x-ockham-model"].endswith("fake-large")
    assert float(headers["x-ockham-cost-usd"]) > 0
    assert headers["x-ockham-trace-id"] == parsed.model_extra["ockham"]["trace_id"]


def test_the_openai_sdk_streams(client):
    stream = client.chat.completions.create(
        model="ockham/auto", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == HELLO
    assert chunks[-1].usage.total_tokens > 0
    with client.chat.completions.stream(model="ockham/auto", messages=ASK) as events:
        assert events.get_final_completion().choices[0].message.content == HELLO


async def test_the_openai_sdk_without_blocking(served):
    import openai

    async with openai.AsyncOpenAI(
        base_url=f"{served.url}/v1", api_key="right-key", max_retries=0
    ) as made:
        both = await asyncio.gather(
            *(made.chat.completions.create(model="ockham/auto", messages=ASK) for _ in range(3))
        )
        assert {one.choices[0].message.content for one in both} == {HELLO}
        stream = await made.chat.completions.create(model="ockham/auto", messages=ASK, stream=True)
        text = "".join([c.choices[0].delta.content or "" async for c in stream])
        assert text == HELLO


def test_the_openai_sdk_parses_structured_output(client, fake):
    fake.answer = lambda _: '{"name": "Ada", "age": 36}'
    done = client.chat.completions.parse(model="ockham/auto", messages=ASK, response_format=Person)
    assert done.choices[0].message.parsed == Person(name="Ada", age=36)


def test_the_openai_sdk_calls_tools(client, fake):
    fake.replay = CALLED
    done = client.chat.completions.create(model="ockham/auto", messages=ASK, tools=[TOOL])
    call = done.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "weather", {"city": "Thimphu"},
    )  # fmt: skip
    assert done.choices[0].finish_reason == "tool_calls"
    fake.replay = None
    turns = [
        *ASK,
        done.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "Rain."},
    ]
    after = client.chat.completions.create(model="ockham/auto", messages=turns, tools=[TOOL])
    assert after.choices[0].message.content == HELLO
    assert fake.requests[-1]["messages"][-1]["content"] == "Rain."


def test_the_openai_sdk_streams_tool_calls(client, fake):
    fake.replay = CALLED
    with client.chat.completions.stream(model="ockham/auto", messages=ASK, tools=[TOOL]) as events:
        done = events.get_final_completion()
    call = done.choices[0].message.tool_calls[0]
    assert call.id == "call_1" and json.loads(call.function.arguments) == {"city": "Thimphu"}
    assert done.choices[0].finish_reason == "tool_calls"


def test_several_choices_and_log_probabilities(client, fake):
    done = client.chat.completions.create(model="ockham/auto", messages=ASK, n=2, logprobs=True)
    assert [c.message.content for c in done.choices] == [HELLO, HELLO]
    assert done.choices[0].logprobs.content


def test_an_image_reaches_the_model(client, fake):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    turn = {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}
    client.chat.completions.create(model="ockham/auto", messages=[turn])
    assert fake.requests[-1]["messages"][-1]["content"][1]["type"] == "image_url"


def test_the_responses_api(client, fake):
    done = client.responses.create(
        model="ockham/auto", input="Hello there!", instructions="Be kind.", max_output_tokens=99
    )
    assert done.output_text == HELLO and done.status == "completed"
    assert done.usage.total_tokens > 0 and not done.store
    fake.answer = lambda _: '{"name": "Ada", "age": 36}'
    parsed = client.responses.parse(model="ockham/auto", input="Who?", text_format=Person)
    assert parsed.output_parsed == Person(name="Ada", age=36)


def test_the_responses_api_streams(client):
    with client.responses.stream(model="ockham/auto", input="Hello there!") as events:
        kinds = [event.type for event in events]
        done = events.get_final_response()
    assert done.output_text == HELLO
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed" and "response.output_text.delta" in kinds


def test_the_responses_api_calls_tools(client, fake):
    fake.replay = CALLED
    flat = {"type": "function", **TOOL["function"], "strict": False}
    done = client.responses.create(model="ockham/auto", input="Rain?", tools=[flat])
    call = done.output[-1]
    assert (call.type, call.name, call.call_id) == ("function_call", "weather", "call_1")
    with client.responses.stream(model="ockham/auto", input="Rain?", tools=[flat]) as events:
        streamed = events.get_final_response()
    assert streamed.output[-1].arguments == call.arguments
    fake.replay = None
    turns = [
        {"role": "user", "content": "Rain?"},
        {k: v for k, v in call.model_dump().items() if v is not None},
        {"type": "function_call_output", "call_id": call.call_id, "output": "Yes."},
    ]
    after = client.responses.create(model="ockham/auto", input=turns, tools=[flat])
    assert after.output_text == HELLO


def test_the_openai_sdk_lists_models(client):
    names = [model.id for model in client.models.list()]
    assert "ockham/auto" in names and "small" in names
    assert client.models.retrieve("ockham/auto").id == "ockham/auto"


def test_the_openai_sdk_knows_the_errors(client, served, fake):
    import openai

    create = client.chat.completions.create
    with pytest.raises(openai.NotFoundError):
        create(model="gpt-4", messages=ASK)
    with pytest.raises(openai.BadRequestError) as refused:
        create(model="ockham/auto", messages=ASK, prediction={"type": "content", "content": "x"})
    assert refused.value.param == "prediction" and refused.value.code == "unsupported_parameter"
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        client.responses.create(model="ockham/auto", input="x", previous_response_id="resp_1")
    with (
        openai.OpenAI(base_url=f"{served.url}/v1", api_key="wrong", max_retries=0) as other,
        pytest.raises(openai.AuthenticationError),
    ):
        other.models.list()
    fake.mode = "error"
    with pytest.raises(openai.InternalServerError) as failed:
        create(model="ockham/auto", messages=ASK)
    assert failed.value.status_code == 503
    with pytest.raises(openai.APIError):
        list(create(model="ockham/auto", messages=ASK, stream=True))
    # A server that failed is left alone for some seconds, and then asked again.
    assert httpx.get(f"{served.url}/ready").status_code == 503
    fake.mode = "ok"
    served.wait_ready()


def test_the_openai_sdk_embeds(client):
    made = client.embeddings.create(model="ockham/embed", input=["Hello there!", "Bye."])
    as_floats = client.embeddings.create(
        model="ockham/embed", input="Hello there!", encoding_format="float"
    )
    assert len(made.data) == 2 and made.usage.total_tokens > 0
    assert made.data[0].embedding == pytest.approx(as_floats.data[0].embedding, abs=1e-6)


@pytest.fixture
def chat_openai(served):
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model="ockham/auto", base_url=f"{served.url}/v1", api_key="right-key", max_retries=0
    )


def test_langchain(chat_openai, fake):
    assert chat_openai.invoke("Hello there!").content == HELLO
    assert "".join(chunk.content for chunk in chat_openai.stream("Hello there!")) == HELLO
    fake.answer = lambda _: '{"name": "Ada", "age": 36}'
    made = chat_openai.with_structured_output(Person, method="json_schema").invoke("Who?")
    assert made == Person(name="Ada", age=36)


def test_langchain_binds_tools(chat_openai, fake):
    fake.replay = CALLED
    calls = chat_openai.bind_tools([TOOL]).invoke("Rain?").tool_calls
    assert calls[0]["name"] == "weather" and calls[0]["args"] == {"city": "Thimphu"}


def test_litellm_as_a_client(served):
    import litellm

    own = {
        "model": "openai/ockham/auto", "api_base": f"{served.url}/v1", "api_key": "right-key",
        "messages": ASK,
    }  # fmt: skip
    assert litellm.completion(**own).choices[0].message.content == HELLO
    chunks = litellm.completion(**own, stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == HELLO


INSPECT = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes

task = Task(dataset=[Sample(input="Hello there!", target="fake model")], scorer=includes())
(log,) = eval(task, model="openai-api/ockham/ockham/auto", log_dir=sys.argv[1], display="none")
assert log.status == "success", log.error
assert log.results.scores[0].metrics["accuracy"].value == 1.0
"""


def test_an_inspect_run(served, tmp_path):
    """Inspect wants a newer `openai` than LiteLLM takes, so it finds one in a folder of its own."""
    own = README.parent / ".venv-clients"
    if not (own / "openai").is_dir():
        pytest.skip(f"no newer openai in {own.name}: run `make setup-clients`")
    env = {
        **os.environ, "OCKHAM_API_KEY": "right-key", "OCKHAM_BASE_URL": f"{served.url}/v1",
        "PYTHONPATH": f"{own}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", INSPECT, str(tmp_path)],
        env=env, capture_output=True, text=True, timeout=170, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readmes_curl_lines(served):
    text = README.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^curl .*$", text, re.MULTILINE)
    assert lines
    for line in lines:
        own = line.replace("localhost:8080", served.url.removeprefix("http://"))
        own = own.replace(
            "curl ", "curl -sS --fail-with-body -H 'authorization: Bearer right-key' ", 1
        )
        done = subprocess.run(own, shell=True, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)


def test_every_request_has_one_row(served, client, fake):
    before = len(fake.requests)
    ids = [
        client.chat.completions.create(model="ockham/auto", messages=ASK).model_extra["ockham"][
            "trace_id"
        ]
        for _ in range(3)
    ]
    assert len(fake.requests) == before + 3 and len(set(ids)) == 3
    for ident in ids:
        kept = (
            httpx.get(
                f"{served.url}/ockham/traces/{ident}", headers={"authorization": "Bearer right-key"}
            )
            .raise_for_status()
            .json()
        )
        assert kept["id"] == ident and kept["ending"] == "answered"
