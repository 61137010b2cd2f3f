"""What callers must not read: a provider's key that the provider quotes, places of files."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from router.config import load_settings
from router.errors import KnowledgeError
from router.knowledge.retrieving import Retriever
from router.state import Message, Query

KEY = "weirdenvkey0004"
ADMIN = "an-admin-key-of-ours"
ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hello there!"}]}


@pytest.fixture
def quoting():
    """An upstream that answers every request with `status` and what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            """Quiet."""

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            said = f"you sent {self.headers['authorization']}; {KEY} is no key of ours"
            body = json.dumps({"error": {"message": said, "code": "x"}}).encode()
            self.send_response(server.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status = 500
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [400, 500])
def test_a_key_of_the_environment_is_told_to_nobody(serve, quoting, clean_env, status, caplog):
    clean_env.setenv("OPENAI_API_KEY", KEY)
    quoting.status = status
    where = f"http://127.0.0.1:{quoting.server_address[1]}/v1"
    small = {"model": "openai/fake", "api_base": where, "api_key": None}
    served = serve(models={"small": small}, gateway={"admin_key": ADMIN})
    answer = httpx.post(f"{served.url}/v1/chat/completions", json=ASK, timeout=30)
    assert answer.status_code in (400, 503) and "you sent" in answer.text
    open_to_all = httpx.get(f"{served.url}/ready", timeout=30)
    signed = {"authorization": f"Bearer {ADMIN}"}
    in_full = httpx.get(f"{served.url}/ready", headers=signed, timeout=30)
    for told in (answer.text, open_to_all.text, in_full.text, caplog.text):
        assert KEY not in told
    assert open_to_all.json()["models"]["small"] == "down"
    assert "you sent ***" in in_full.json()["models"]["small"].replace("Bearer ", "")
    assert "you sent" in caplog.text, "the operator reads it in the log"


def test_ready_names_what_is_down_and_not_why(serve, fake_model):
    served = serve(fake_model, gateway={"admin_key": ADMIN})
    told = httpx.get(f"{served.url}/ready", timeout=30).json()
    assert told["models"]["small"] == told["ledger"] == "ready" and told["index"] == "down"
    signed = {"authorization": f"Bearer {ADMIN}"}
    whole = httpx.get(f"{served.url}/ready", headers=signed, timeout=30).json()
    assert whole["index"] == "no index: run `ockham index build`"
    wrong = {"authorization": "Bearer wrong"}
    assert httpx.get(f"{served.url}/ready", headers=wrong, timeout=30).json() == told


def test_a_missing_index_is_named_without_its_place(clean_env, tmp_path, caplog):
    from router.assembly import _load

    where = tmp_path / "an index of ours"
    settings = load_settings(knowledge={"path": str(where)})
    _, _, index, why_not = _load(settings)
    assert index is None
    assert why_not == "there is no knowledge index at knowledge.path: run `ockham index build`"
    assert str(where) in caplog.text


async def test_a_look_up_that_fails_names_no_place(caplog):
    class Broken:
        async def asearch(self, query, k=5):
            raise KnowledgeError("/srv/ockham/knowledge/v-1/vectors.f32 is damaged")

    query = Query(id="1", messages=(Message(role="user", content="Where is Bhutan?"),))
    lookup = await Retriever(Broken(), 3).look_up(query)
    assert lookup.error == "vectors.f32 is damaged"
    assert "/srv/ockham" in caplog.text
