"""The bench of one's own server: what it asks, counts and keeps; a loopback server stands in."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from eval.bench.commands import app
from eval.bench.fake_model import FakeModel
from eval.bench.serving import Load, bench_serving, usd_per_million
from eval.breakeven_inputs import measured_serving
from router.errors import InputError, ModelUnavailable


class Server:
    """Answers whole: two tokens a word read, `max_tokens` written; counts its connections."""

    def __init__(self, status_of=lambda number: 200):
        self.bodies, self.keys, self.peers = [], [], set()
        self.most = self.now = 0
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.reply(200, {"data": [{"id": "mine"}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with outer.lock:
                    outer.bodies.append(body)
                    outer.keys.append(self.headers["authorization"])
                    outer.peers.add(self.client_address)
                    number = len(outer.bodies)
                    outer.now += 1
                    outer.most = max(outer.most, outer.now)
                time.sleep(0.05)
                with outer.lock:
                    outer.now -= 1
                words = len(body["messages"][0]["content"].split())
                usage = {"prompt_tokens": 2 * words, "completion_tokens": body["max_tokens"]}
                status = status_of(number)
                self.reply(status, {"usage": usage} if status == 200 else {"error": "no"})

            def reply(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        self.api_base = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server():
    made = []

    def make(*args):
        made.append(Server(*args))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def test_a_level_is_so_many_requests_at_once_of_prompts_that_share_nothing(server):
    one = server()
    load = Load(one.api_base, "m", "key-1", prompt_tokens=100, tokens=7, runs=2)
    report = await bench_serving(load, [1, 4])
    asked = one.bodies[2:]  # after the trial and the warm-up
    assert len(asked) == 2 * (1 + 4) and one.most == 4
    prompts = [body["messages"][0]["content"] for body in asked]
    assert len(set(prompts)) == len(prompts)
    assert {len(prompt.split()) for prompt in prompts} == {50}  # two tokens a word here
    assert {body["max_tokens"] for body in asked} == {7}
    assert all(body["ignore_eos"] for body in asked)
    assert set(one.keys) == {"Bearer key-1"}
    assert "key-1" not in str(report)
    alone, four = report.levels
    assert (alone.prompt_tokens, alone.tokens, len(four.tokens_per_s)) == (100, 7, 2)
    assert report.tokens_per_s == {1: alone.median, 4: four.median}
    # 7 tokens in 0.05 s and more: never faster than the server was.
    assert 0 < alone.median < 7 / 0.05 and 0 < four.median < 4 * 7 / 0.05
    assert alone.first_p50_s is None and report.stopped is None


async def test_no_connection_is_used_twice(server):
    """Servers close idle ones, and that was an error of a bench on a real one."""
    one = server()
    await bench_serving(Load(one.api_base, "m", tokens=2, runs=3), [2])
    assert len(one.peers) == len(one.bodies)


async def test_what_was_measured_is_kept_when_the_server_fails(server):
    one = server(lambda number: 200 if number <= 3 else 500)
    report = await bench_serving(Load(one.api_base, "m", tokens=2, runs=1), [1, 4, 8])
    assert set(report.tokens_per_s) == {1}
    assert report.stopped is not None and report.stopped.startswith("4 at once: --api-base")


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [(500, ModelUnavailable, "--api-base"), (401, InputError, "--api-key-env"),
     (400, InputError, "refuses the request")],
)  # fmt: skip
async def test_a_server_that_answers_nothing(server, status, error, says):
    one = server(lambda number: status)
    with pytest.raises(error, match=says):
        await bench_serving(Load(one.api_base, "m"), [1])


async def test_streams_tell_when_the_first_token_came():
    fake = FakeModel(lambda _: "four words are here")
    try:
        report = await bench_serving(Load(fake.api_base, "m", runs=1, streamed=True), [1, 2])
    finally:
        fake.close()
    for level in report.levels:
        assert level.tokens == 4
        assert 0 < level.first_p50_s <= level.p50_s


def test_the_command_and_the_break_even_that_reads_it(server, tmp_path):
    one = server()
    args = ["serving", "--api-base", one.api_base, "--streams", "1,2", "--tokens", "4",
            "--runs", "1", "--usd-per-hour", "2.5"]  # fmt: skip
    done = CliRunner().invoke(app, [*args, "--json"])
    path = tmp_path / "mine.json"
    path.write_text(done.stdout)
    body = json.loads(done.stdout)
    assert body["model"] == "mine"
    rate = body["tokens_per_s"]["2"]
    assert body["usd_per_million_tokens"]["2.5"]["2"] == usd_per_million(2.5, rate)
    machine = measured_serving(path)
    assert machine.streams[2] == rate and machine.source.startswith("ockham bench serving, 20")
    assert "USD per million" in CliRunner().invoke(app, args).stdout


def test_dollars_by_hand():
    # 3,600 tokens/s are 12.96 million an hour.
    assert usd_per_million(12.96, 3600) == pytest.approx(1.0)


@pytest.mark.parametrize("streams", ["", "0", "1,x"])
def test_streams_that_are_none(server, streams):
    done = CliRunner().invoke(
        app, ["serving", "--api-base", "http://127.0.0.1:9", "--streams", streams]
    )
    assert isinstance(done.exception, InputError) and "--streams" in str(done.exception)
