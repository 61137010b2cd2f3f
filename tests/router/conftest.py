"""A router on fake hosted models: the real graph, client, policies and verifiers, and
signals from a plain function instead of the encoder (which has its own tests)."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from eval.bench.fake_model import FakeModel
from policies import NEEDS
from router.arms.run import ArmRunner
from router.assembly import Assembly
from router.cases import CaseBuilder
from router.config import Settings, load_settings
from router.facade import Router
from router.graph import Engine, build_graph
from router.knowledge.retrieving import Answerability, Retriever
from router.models.pool import Models
from router.state import Domain, Passage, Query, Signals
from router.verify import Verifiers

REGIONS: Mapping[Domain, tuple[float, float]] = {
    "math": (0.95, 0.05),
    "code": (0.9, 0.1),
    "logic": (0.8, 0.1),
    "knowledge": (0.1, 0.95),
    "open": (0.05, 0.1),
}
BHUTAN = Passage(
    source="fake/bt#Capital",
    title="Bhutan: Capital",
    text="Bhutan. Capital: name: Thimphu; time difference: UTC+6.",
    score=0.9,
)


def domain_of(text: str) -> Domain:
    """The fake featuriser: a few words decide."""
    if any(c.isdigit() for c in text):
        return "math"
    if "function" in text:
        return "code"
    return "knowledge" if text.lower().startswith(("what", "who", "where")) else "open"


class FakeSignals:
    """Signals from `domain_of`, without an encoder."""

    language = "en"

    async def aclassify(self, query: Query) -> tuple[Mapping[str, list[float]], Signals]:
        domain = domain_of(query.text)
        v, k = REGIONS[domain]
        signals = Signals(
            verifiability=v,
            knowledge_demand=k,
            domains={d: float(d == domain) for d in REGIONS},
            language=self.language,
            chars=len(query.text),
            featuriser="fake",
        )
        return {"axes": [v, k], "needs": [0.0] * len(NEEDS)}, signals

    async def aclassify_many(
        self, queries: Sequence[Query]
    ) -> list[tuple[Mapping[str, list[float]], Signals]]:
        return [await self.aclassify(q) for q in queries]


class FakeIndex:
    """One passage, whatever is asked."""

    def __init__(self, passages: Sequence[Passage] = (BHUTAN,)) -> None:
        self.passages = tuple(passages)
        self.closed = False

    async def asearch(self, query: str, k: int = 5) -> tuple[Passage, ...]:
        return self.passages[:k]

    def close(self) -> None:
        self.closed = True


MakeRouter = Callable[..., Router]


@pytest.fixture
def make_router(clean_env: pytest.MonkeyPatch) -> Any:
    """`make_router(small=fake, large=fake, index=FakeIndex(), **settings)`; closes them all."""
    opened: list[Router] = []

    def make(
        small: FakeModel | None = None,
        large: FakeModel | None = None,
        index: FakeIndex | None = None,
        policy: Any = None,
        language: str = "en",
        answerable: Answerability | None = None,
        **overrides: Any,
    ) -> Router:
        settings = fake_settings(small, large, overrides)
        models = Models(settings)
        signals = FakeSignals()
        signals.language = language
        checker = Verifiers()
        why_not = None if index is not None else "no index: run `ockham index build`"
        knowledge = settings.knowledge
        retriever = Retriever(index, knowledge.passages, answerable, knowledge.usd_per_hour)
        engine = Engine(
            settings=settings,
            models=models,
            signals=signals,
            retriever=retriever,
            runner=ArmRunner(models, retriever, checker),
            checker=checker,
            cases=CaseBuilder(settings, models, why_not),
        )
        router = Router(settings, policy, assembly=Assembly(engine, build_graph(), index))
        opened.append(router)
        return router

    yield make
    for router in opened:
        router.close()


def fake_settings(
    small: FakeModel | None, large: FakeModel | None, overrides: Mapping[str, Any]
) -> Settings:
    """The default configuration, its models pointed at fakes with a stated price."""
    models: dict[str, Any] = {}
    for name, fake, price in (("small", small, 1.0), ("large", large, 10.0)):
        base = fake.api_base if fake else "http://127.0.0.1:9/v1"
        models[name] = {
            "api_base": base,
            "api_key": "fake-key",
            "usd_per_hour": None,
            "input_usd_per_million": price,
            "output_usd_per_million": 4 * price,
            "stall_s": 5,
        }
    models["small"] |= {"context_tokens": 2048, "max_tokens": 384, "languages": ["en"]}
    if large is None:
        models.pop("large")
    chosen = dict(overrides)
    chosen["models"] = {**models, **chosen.get("models", {})}
    return load_settings(**chosen)


@pytest.fixture
def index() -> FakeIndex:
    """An index that holds one passage about Bhutan."""
    return FakeIndex()


@pytest.fixture
def embedding_server() -> Iterator[str]:
    """A loopback server that embeds the n-th text as [n, 0.5] and counts seven tokens."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            rows = [
                {"object": "embedding", "index": i, "embedding": [float(i), 0.5]}
                for i in range(len(asked["input"]))
            ]
            usage = {"prompt_tokens": 7, "total_tokens": 7}
            data = json.dumps({"object": "list", "data": rows, "model": "e", "usage": usage})
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
