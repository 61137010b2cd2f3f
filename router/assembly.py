"""Build the parts of a router from its settings, in parallel where they are slow.

`build` loads the encoder, the head and the index: enough to decide. `start` also brings
up the models: enough to answer. Heavy packages (torch, faiss, LiteLLM, LangGraph) are
imported here and below, never by `import router`.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from policies import Policy
from router.arms.run import ArmRunner
from router.cases import CaseBuilder
from router.config import Settings
from router.errors import KnowledgeError
from router.graph import Context, Engine, Graph, build_graph, decide_once
from router.knowledge.index import KnowledgeIndex
from router.models.pool import Models
from router.paths import data_dir
from router.signals.encoder import Encoder
from router.signals.features import Featuriser
from router.signals.head import HEAD_PATH, load_head
from router.state import Decision, Query, RunState, Signals
from router.verify import Verifiers
from router.verify.runner import make_runner

__all__ = ["Assembly", "ThreadedSignals"]

Placed = tuple[Mapping[str, list[float]], Signals]


class ThreadedSignals:
    """The featuriser off the event loop: torch would block it for tens of milliseconds."""

    def __init__(self, featuriser: Featuriser) -> None:
        self._featuriser = featuriser

    async def aclassify(self, query: Query) -> Placed:
        """Feature blocks, each of shape (d,), and the signals of one query."""
        return (await self.aclassify_many([query]))[0]

    async def aclassify_many(self, queries: Sequence[Query]) -> list[Placed]:
        """The same for many queries, embedded in one batch."""
        return await asyncio.to_thread(self._classify, queries)

    def _classify(self, queries: Sequence[Query]) -> list[Placed]:
        judged = self._featuriser.judge(queries)
        return [
            ({name: block[i].tolist() for name, block in judged.blocks.items()}, signals)
            for i, signals in enumerate(judged.signals)
        ]


@dataclass(slots=True)
class Assembly:
    """Everything a router runs on."""

    engine: Engine
    graph: Graph
    index: KnowledgeIndex | None

    @classmethod
    async def build(cls, settings: Settings) -> Self:
        """Load what deciding needs. No server is started.

        Raises:
            SetupError: the encoder or the head is missing or they do not fit together.
        """
        models = Models(settings)
        featuriser, index, why_not = await asyncio.to_thread(_load, settings)
        engine = Engine(
            settings=settings,
            models=models,
            signals=ThreadedSignals(featuriser),
            runner=ArmRunner(models, index, settings.knowledge.passages),
            checker=Verifiers(make_runner(settings.sandbox.runner)),
            cases=CaseBuilder(settings, models, why_not),
        )
        return cls(engine, build_graph(), index)

    async def start(self) -> None:
        """Bring up the models. Cheap when they are up."""
        await self.engine.models.start()

    async def decide(
        self, queries: Sequence[Query], policy: Policy
    ) -> list[tuple[Signals, Decision]]:
        """The first decision of each query's run, without running it."""
        context = Context(self.engine, policy, time.perf_counter() + 3600)
        placed = await self.engine.signals.aclassify_many(queries)
        return [
            (signals, decide_once(context, _fresh(query, features, signals)))
            for query, (features, signals) in zip(queries, placed, strict=True)
        ]

    def close(self) -> None:
        """Stop the servers and the checker's processes, let go of the index."""
        self.engine.models.stop()
        if isinstance(self.engine.checker, Verifiers):
            self.engine.checker.close()
        if self.index is not None:
            self.index.close()


def _fresh(query: Query, features: Mapping[str, list[float]], signals: Signals) -> RunState:
    """The state of a run that has only been classified."""
    return {
        "query": query,
        "features": features,
        "signals": signals,
        "attempts": [],
        "verdicts": [],
        "steps": [],
    }


def _load(settings: Settings) -> tuple[Featuriser, KnowledgeIndex | None, str | None]:
    """Encoder, head and index; the index may be missing, and then says why."""
    encoder = Encoder(settings.signals.encoder, data_dir())
    featuriser = Featuriser(encoder, load_head(settings.signals.head or HEAD_PATH))
    featuriser.load()
    path = settings.knowledge.path or data_dir() / "knowledge"
    if not any(arm.context == "index" for arm in settings.arms.values()):
        return featuriser, None, "no arm uses the index"
    try:
        return featuriser, KnowledgeIndex.open(path, encoder), None
    except KnowledgeError as error:
        return featuriser, None, str(error)
