"""Build the parts of a router from its settings, in parallel where they are slow.

`build` loads the encoder, the head and the index: enough to decide. `start` also brings
up the models: enough to answer. Heavy packages (torch, faiss, LiteLLM, LangGraph) are
imported here and below, never by `import router`.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from policies import Policy
from router.arms.run import ArmRunner
from router.bounds import most_seconds
from router.cases import CaseBuilder
from router.config import Settings
from router.embedding import TextEncoder
from router.errors import KnowledgeError
from router.graph import (
    Context,
    Engine,
    Graph,
    build_graph,
    decide_once,
    look_up,
    with_lookup,
)
from router.knowledge.answerability import answerability
from router.knowledge.opening import PassageIndex, open_index
from router.knowledge.retrieving import Retriever
from router.masking import masked, pathless
from router.models.pool import Models
from router.paths import data_dir
from router.purse import Purse
from router.signals.aside import ProcessSignals, SignalsAside, ThreadedSignals, make_featuriser
from router.signals.encoder import Encoder
from router.state import Decision, Query, RunState, Signals
from router.verify import Verifiers
from router.verify.runner import make_runner

__all__ = ["Assembly"]

_LOG = logging.getLogger(__name__)
_NO_PART = frozenset(
    {"policy", "limits", "prices", "gateway", "ledger", "embeddings", "watch", "tracing",
     "telemetry", "audits", "shadow"}
)  # fmt: skip
"""Settings that no part of an assembly is made of: they are read at each run."""


@dataclass(slots=True)
class Assembly:
    """Everything a router runs on."""

    engine: Engine
    graph: Graph
    index: PassageIndex | None
    encoder: TextEncoder | None = None
    """What embeds texts for callers."""

    @classmethod
    async def build(cls, settings: Settings) -> Self:
        """Load what deciding needs. No server is started.

        Raises:
            SetupError: the encoder or the head is missing or they do not fit together.
        """
        models = Models(settings)
        signals, encoder, index, why_not = await asyncio.to_thread(_load, settings)
        checker = Verifiers(make_runner(settings.sandbox.runner), encoder.encode)
        knowledge = settings.knowledge
        retriever = Retriever(index, knowledge.passages, answerability, knowledge.usd_per_hour)
        engine = Engine(
            settings=settings,
            models=models,
            signals=signals,
            retriever=retriever,
            runner=ArmRunner(models, retriever, checker),
            checker=checker,
            cases=CaseBuilder(settings, models, why_not),
        )
        return cls(engine, build_graph(), index, encoder)

    async def start(self) -> None:
        """Bring up the models. Cheap when they are up."""
        await self.engine.models.start()

    async def decide(
        self, queries: Sequence[Query], policy: Policy, purse: Purse | None = None
    ) -> list[tuple[Signals, Decision]]:
        """The first decision of each query's run, without running it."""
        context = Context(self.engine, policy, 0.0, purse=purse)
        placed = await self.engine.signals.aclassify_many(queries)
        fresh = [_fresh(q, *made) for q, made in zip(queries, placed, strict=True)]
        return [(state["signals"], await _decided(context, state)) for state in fresh]

    @property
    def index_why_not(self) -> str | None:
        """Why no passages can be looked up; None where they can."""
        return self.engine.cases.offers.index_why_not

    def adapted(self, settings: Settings) -> Self | None:
        """The same parts under other settings; None where those change one of the parts."""
        old = self.engine.settings
        parts = (name for name in type(old).model_fields if name not in _NO_PART)
        if any(getattr(old, name) != getattr(settings, name) for name in parts):
            return None
        cases = CaseBuilder(settings, self.engine.models, self.index_why_not)
        engine = replace(self.engine, settings=settings, cases=cases)
        return replace(self, engine=engine)

    def close(self) -> None:
        """Stop the servers and the checker's processes, let go of the index."""
        self.engine.models.stop()
        for part in (self.engine.checker, self.engine.signals):
            if isinstance(part, Verifiers | SignalsAside):
                part.close()
        if self.index is not None:
            self.index.close()


async def _decided(context: Context, state: RunState) -> Decision:
    """The first decision, with what was looked up for it; its time begins now."""
    seconds = most_seconds(context.engine.settings.limits, state["query"].bounds)
    context = replace(context, deadline=time.perf_counter() + seconds)
    lookup = await look_up(context, state)
    if lookup is None:
        return decide_once(context, state)
    features = with_lookup(state["features"], lookup)
    decision = decide_once(context, {**state, "lookup": lookup, "features": features})
    return decision.model_copy(update={"lookup": lookup})


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


def _load(settings: Settings) -> tuple[SignalsAside, Encoder, PassageIndex | None, str | None]:
    """Signals, encoder and index; the index may be missing, and then says why."""
    own, place = settings.signals, data_dir()
    encoder = Encoder(own.encoder, place)
    featuriser = make_featuriser(encoder, own.head)
    signals: SignalsAside = (
        ProcessSignals(own.processes, own.encoder, own.head, place, featuriser)
        if own.processes
        else ThreadedSignals(featuriser)
    )
    signals.warm()
    if not any(arm.context == "index" for arm in settings.arms.values()):
        return signals, encoder, None, "no arm uses the index"
    try:
        index = open_index(settings.knowledge, encoder)
    except KnowledgeError as error:
        # Callers are told it too, and not where the files are: the log says that.
        _LOG.warning("%s", masked(str(error)))
        told = str(error).replace(str(settings.knowledge.folder), "knowledge.path")
        return signals, encoder, None, masked(pathless(told))
    encoder.encode(["warm up"])  # searching does not go through the processes
    return signals, encoder, index, None
