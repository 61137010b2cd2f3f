"""`Router`: the library's face. `ask`, `aask` and `astream` are one run of the graph underneath.

A router has a home event loop, where its clients live (`router.home`): a background thread's,
or the running loop where it is opened with `async with`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from policies import OnlyArm, Policy
from router.answer import conclude, returned
from router.bounds import most_seconds, time_limit
from router.concrete import as_asked, concrete_policy
from router.config import Settings, load_settings, make_policy
from router.embedding import PACKAGED, Embedded, Embedder
from router.errors import InputError, NoAnswerError
from router.home import Home
from router.models.prices import check_prices
from router.purse import Purse
from router.query import Askable, make_query
from router.runlog import RunLog
from router.state import Answer, Bounds, Decision, Event, Query, RunState, Signals
from router.watch import Watch

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from router.assembly import Assembly
    from router.graph import Checker, Context, Graph
    from router.models.pool import Models

__all__ = ["Router"]

PolicyChoice = Policy | str | None
RECURSION_BACKSTOP = 1000


class Router:
    """Routes queries to the smallest arm that will do, and explains it.

    Args:
        settings: from `load_settings`; `Router.from_config(...)` does both.
        policy: a policy object or name that replaces the configured one.
        assembly: ready-made parts (your own index, signals or checker) instead of those
            that the settings describe.
    """

    def __init__(
        self,
        settings: Settings,
        policy: PolicyChoice = None,
        *,
        assembly: "Assembly | None" = None,
    ) -> None:
        self.settings = settings
        check_prices(settings)
        self.policy = self._policy(policy) if policy is not None else settings.make_policy()
        self.watch = _watch(settings)
        self._home = Home()
        self._assembling = asyncio.Lock()
        self._assembly = assembly
        self._trying: Future[None] | None = None
        self._lends = False
        """Its parts are a successor's, who closes them."""

    @classmethod
    def from_config(
        cls, config: str | Path | None = None, *, policy: PolicyChoice = None, **overrides: Any
    ) -> Self:
        """Read the configuration (see `router.config`) and build a router. Starts nothing.

        Raises:
            ConfigError: naming every bad key.
        """
        return cls(load_settings(config, **overrides), policy)

    # -- asking ---------------------------------------------------------------------

    def ask(self, query: Askable, *, policy: PolicyChoice = None) -> Answer:
        """Route, run, check, escalate; blocks until the answer stands.

        Raises:
            InputError: the query cannot be used.
            NoAnswerError: every arm failed or could not be run.
        """
        return self._home.wait(self._answer(query, policy))

    async def aask(
        self,
        query: Askable,
        *,
        policy: PolicyChoice = None,
        purse: Purse | None = None,
        log: RunLog | None = None,
    ) -> Answer:
        """`ask` for async code; cancelling it stops the model's work.

        A `log` has the trace of a run that ends without an answer, too.

        Raises:
            BudgetError: the purse holds no arm's worst case, and nothing was answered.
        """
        return await self._home.carry_over(self._answer(query, policy, purse, log))

    async def astream(
        self,
        query: Askable,
        *,
        policy: PolicyChoice = None,
        commit: bool = False,
        purse: Purse | None = None,
        log: RunLog | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Everything that happens, as it happens; the last event holds the `Answer`.

        With `commit`, text of an unchecked arm that has been streamed is final: it is not
        thrown away for another arm's, even where it was cut at the token cap. A `purse` pays:
        it is asked in the router's own loop, before each arm, and settled after it, also where
        the run is left in the middle. A `log` has the trace of such a run.
        Leaving the loop early (`aclose`, cancellation) stops the model's work.
        """
        home, here = self._home.loop(), asyncio.get_running_loop()
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        if home is here:
            run: asyncio.Future[None] = here.create_task(
                self._drive(query, policy, queue.put_nowait, commit, purse, log)
            )
        else:

            def carry(event: Event | None) -> None:
                with suppress(RuntimeError):  # the caller's loop has closed: it has gone
                    here.call_soon_threadsafe(queue.put_nowait, event)

            run = asyncio.wrap_future(
                self._home.submit(self._drive(query, policy, carry, commit, purse, log))
            )
        try:
            while (event := await queue.get()) is not None:
                yield event
            await run
        finally:
            await _end(run)

    def concrete(self, name: str) -> OnlyArm:
        """The policy that passes a request through to one model, or runs one arm: see
        `router.concrete`.

        Raises:
            InputError: there is no such model or arm.
        """
        return concrete_policy(self.settings, name)

    async def aembed(
        self,
        texts: Sequence[str],
        model: str = PACKAGED,
        *,
        dimensions: int | None = None,
        purse: Purse | None = None,
    ) -> Embedded:
        """Vectors of texts, by the packaged encoder or a model of `embeddings.models`.

        Raises:
            InputError: no such model, no text, or dimensions that it cannot give.
            BudgetError: the purse does not hold the worst case.
        """
        if not texts or not all(texts):
            raise InputError("input: at least one text is needed, and none may be empty")
        work = self._embed(texts, model, dimensions, purse)
        return await self._home.carry_over(work)

    async def _embed(
        self, texts: Sequence[str], model: str, dimensions: int | None, purse: Purse | None
    ) -> Embedded:
        assembly = await self._assembled()
        if assembly.encoder is None:
            raise InputError("this router was assembled without an encoder")
        embedder = Embedder(self.settings, assembly.encoder)
        return await embedder.embed(texts, model, dimensions=dimensions, purse=purse)

    def route(self, query: Askable, *, policy: PolicyChoice = None) -> tuple[Signals, Decision]:
        """The first decision only: no server is started, no model is called."""
        return self.route_many([query], policy=policy)[0]

    def route_many(
        self, queries: Sequence[Askable], *, policy: PolicyChoice = None
    ) -> list[tuple[Signals, Decision]]:
        """`route` for many queries; they are embedded in batches."""
        return self._home.wait(self._decide(queries, policy))

    async def aroute(
        self, query: Askable, *, policy: PolicyChoice = None, purse: Purse | None = None
    ) -> tuple[Signals, Decision]:
        """`route` for async code. Of a `purse` only what is left is read."""
        return (await self._home.carry_over(self._decide([query], policy, purse)))[0]

    # -- opening and closing --------------------------------------------------------

    def open(self) -> Self:
        """Load and start everything now instead of at the first question."""
        self._home.wait(self._started())
        return self

    def close(self) -> None:
        """Stop the servers that were started here, and let go of all parts.

        The router can be used again: its parts are then built from the settings.
        """
        assembly, self._assembly = self._assembly, None
        self._home.cancel_all()
        if assembly is not None and not self._lends:
            assembly.close()
        self._home.close()
        self._assembling = asyncio.Lock()

    def successor(self, settings: Settings) -> "Router":
        """A router for other settings, to be opened in this one's place: it takes over the parts
        that they do not change, and closes them. Runs of this one go on.

        Raises:
            ConfigError: the settings name a policy or a price that there is not.
        """
        kept = None if self._assembly is None else self._assembly.adapted(settings)
        made = Router(settings, assembly=kept)
        self._lends = self._lends or kept is not None
        return made

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self._home.move_in()
        try:
            await self._started()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await self._home.move_out()

    @property
    def models(self) -> "Models":
        """The models of an open router: prices, endpoints, who is down and why.

        Raises:
            InputError: the router is not open yet.
        """
        return self._opened().engine.models

    def try_again(self) -> None:
        """Try models that are down again, in the background: for who watches without asking."""
        if self._assembly is not None and (self._trying is None or self._trying.done()):
            self._trying = self._home.submit(self._assembly.start())

    @property
    def checker(self) -> "Checker":
        """The verifiers of an open router.

        Raises:
            InputError: the router is not open yet.
        """
        return self._opened().engine.checker

    @property
    def index_why_not(self) -> str | None:
        """Why no passages can be looked up; None where they can."""
        return "starting" if self._assembly is None else self._assembly.index_why_not

    # -- inside ---------------------------------------------------------------------

    def _opened(self) -> "Assembly":
        if self._assembly is None:
            raise InputError("the router is not open: call open(), or use it in a `with` block")
        return self._assembly

    def _policy(self, policy: PolicyChoice) -> Policy:
        if policy is None:
            return self.policy
        return policy if isinstance(policy, Policy) else make_policy(policy)

    def _query(self, query: Askable) -> Query:
        return make_query(query, max_chars=self.settings.limits.max_query_chars)

    async def _answer(
        self,
        query: Askable,
        policy: PolicyChoice,
        purse: Purse | None = None,
        log: RunLog | None = None,
    ) -> Answer:
        answers: list[Answer] = []

        def keep(event: Event | None) -> None:
            if event is not None and event.kind == "answer":
                answers.append(event.data)

        await self._drive(query, policy, keep, purse=purse, log=log, quiet=True)
        return answers[0]

    async def _drive(
        self,
        query: Askable,
        policy: PolicyChoice,
        emit: Callable[[Event | None], None],
        commit: bool = False,
        purse: Purse | None = None,
        log: RunLog | None = None,
        quiet: bool = False,
    ) -> None:
        """One run on the home loop. Emits its events (`quiet`: the answer alone), then None,
        however it ends."""
        from router.graph import Context

        try:
            chosen = self._policy(policy)
            asked = as_asked(self._query(query), chosen)
            deadline = time.perf_counter() + most_seconds(self.settings.limits, asked.bounds)
            assembly = await self._ready_in_time(asked.bounds)
            started = time.perf_counter()
            if log is not None:
                log.begin(chosen, asked)
            context = Context(assembly.engine, chosen, deadline, commit, purse, log, quiet)
            with self._no_tracing():
                state = await _through(assembly.graph, asked, context, emit)
            left = float("inf") if purse is None else purse.left_usd
            answer = conclude(self.settings, chosen, state, started, left)
            if asked.conversation is not None:
                assembly.engine.cases.answered(asked, returned(answer))
            if self.watch is not None and chosen is self.policy:
                self.watch.see(answer)
            emit(Event(kind="answer", text=answer.answer, arm=answer.arm, data=answer))
        finally:
            emit(None)

    async def _decide(
        self, queries: Sequence[Askable], policy: PolicyChoice, purse: Purse | None = None
    ) -> list[tuple[Signals, Decision]]:
        chosen = self._policy(policy)
        asked = [as_asked(self._query(query), chosen) for query in queries]
        assembly = await self._assembled()
        return await assembly.decide(asked, chosen, purse)

    def _no_tracing(self) -> Any:
        """LangSmith's variables in the environment do nothing unless `tracing` is on."""
        if self.settings.tracing:
            return nullcontext()
        from langsmith import tracing_context

        return tracing_context(enabled=False)

    async def _assembled(self) -> "Assembly":
        """All parts, built once: clients and indexes, but no server started."""
        async with self._assembling:
            if self._assembly is None:
                from router.assembly import Assembly

                self._assembly = await Assembly.build(self.settings)
            return self._assembly

    async def _started(self) -> "Assembly":
        assembly = await self._assembled()
        await assembly.start()
        return assembly

    async def _ready_in_time(self, bounds: Bounds) -> "Assembly":
        """`_started`, within the request's own time limit."""
        if self._assembly is not None and self._assembly.engine.models.up:
            return self._assembly
        limit = most_seconds(self.settings.limits, bounds)
        starting = asyncio.ensure_future(self._started())
        await asyncio.wait({starting}, timeout=limit)
        if not starting.done():
            starting.cancel()
            said = time_limit(self.settings.limits, bounds)
            raise NoAnswerError(f"no model was ready within {said}; see the servers")
        return starting.result()


def _watch(settings: Settings) -> Watch | None:
    """The alarms that the settings ask for, on the arms of the large tier."""
    if settings.watch is None:
        return None
    arms = settings.arms.items()
    large = frozenset(n for n, arm in arms if settings.models[arm.model].tier == "large")
    return Watch(settings.watch, large)


async def _through(
    graph: "Graph", asked: Query, context: "Context", emit: Callable[[Event | None], None]
) -> RunState:
    """The state at the end of the graph; its events on the way, unless the run is quiet."""
    start: RunState = {"query": asked}
    config: RunnableConfig = {"recursion_limit": RECURSION_BACKSTOP}
    if context.quiet:  # no states are streamed, one after each node, that nobody reads
        return cast(RunState, await graph.ainvoke(start, config, context=context))
    state: Any = {}
    stream = graph.astream(start, config, context=context, stream_mode=["custom", "values"])
    async for mode, item in stream:
        if mode == "custom":
            emit(cast(Event, item))
        else:
            state = item
    return cast(RunState, state)


async def _end(run: "asyncio.Future[None]") -> None:
    """Cancel a run and wait for its clean-up.

    `wait`, because it does not pass a second cancellation on: that would cut the
    clean-up short, and the model would write on.
    """
    run.cancel()
    await asyncio.wait({run})
    if not run.cancelled():
        run.exception()  # retrieved: who awaits the run has had it, or has gone
