"""The graph, and nothing else: read it and you know the product.

    classify ─► retrieve ─► decide ─► act ─► verify ─┐
        └──────────────────►  ▲  │                   │
                              │  └─ STOP ─► END      │
                              └──────────────────────┘

`retrieve` looks passages up where that can move the decision (`router.knowledge.retrieving`).
Nodes name the next one themselves: a conditional edge costs another read of the whole state.
`decide` asks a policy; the limits of the request hold whatever it says. Nodes report
through LangGraph's stream writer, where somebody listens. The step
limit is our own count: it ends with the best attempt so far, where LangGraph's
`recursion_limit` would lose the state.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, StreamWriter

from policies import CaseBatch, OnlyArm, Policy, best_attempt
from router.arms.run import ArmRunner
from router.arms.spending import Tab
from router.bounds import escalated, seconds_left, time_limit
from router.cases import CaseBuilder, explain, spent_usd
from router.config import Settings
from router.errors import ConfigError
from router.knowledge.retrieving import ANSWERABILITY, Retriever, wanted
from router.models.pool import Models
from router.needs import is_plain
from router.offers import refusal
from router.paying import reserve, settle, settle_broken
from router.purse import Purse
from router.runlog import RunLog
from router.state import (
    ArmEstimate,
    Attempt,
    Decision,
    Event,
    Lookup,
    Query,
    RunState,
    Signals,
    Step,
    Verdict,
)
from router.verify.clusters import AnswerClusters

__all__ = ["Context", "Engine", "build_graph", "decide_once", "look_up", "with_lookup"]

ArmContext = Literal["none", "index"]
_PASSED_ON = {
    "status": "unchecked",
    "evidence": ("A model asked for by its name: what it says is passed on, unchecked.",),
}
Graph = CompiledStateGraph[RunState, "Context", RunState, RunState]


class SignalSource(Protocol):
    """Places queries on the plane of the two axes."""

    async def aclassify(self, query: Query) -> tuple[Mapping[str, list[float]], Signals]:
        """Feature blocks of one query, and its signals."""
        ...

    async def aclassify_many(
        self, queries: Sequence[Query]
    ) -> list[tuple[Mapping[str, list[float]], Signals]]:
        """The same for many queries at once."""
        ...


class Checker(Protocol):
    """Judges an attempt without knowing the answer."""

    def kind_for(self, query: Query, signals: Signals, context: ArmContext) -> str:
        """Which check an arm with that context will meet; known before it runs."""
        ...

    async def verify(self, query: Query, signals: Signals, attempt: Attempt, kind: Any) -> Verdict:
        """The verdict; never raises for bad content."""
        ...

    def clusters(self, query: Query, kind: Any) -> AnswerClusters:
        """Which of several answers are the same."""
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that is shared between runs."""

    settings: Settings
    models: Models
    signals: SignalSource
    retriever: Retriever
    runner: ArmRunner
    checker: Checker
    cases: CaseBuilder


@dataclass(frozen=True, slots=True)
class Context:
    """LangGraph's runtime context: what a run needs that is no data."""

    engine: Engine
    policy: Policy
    deadline: float
    """On `time.perf_counter`'s clock."""
    commit: bool = False
    """The caller shows text as it comes, so an unchecked answer that was shown is final."""
    purse: Purse | None = None
    """Who pays; None: nobody but `limits.max_cost_usd` bounds the run."""
    log: RunLog | None = None
    """Told of everything that the nodes do."""
    quiet: bool = False
    """Nobody watches: no events are written, which saves a turn of the graph's loop each."""


def build_graph() -> Graph:
    """Compile the graph. It holds no state and no clients, so one serves every run."""
    graph = StateGraph(RunState, context_schema=Context)
    graph.add_node("classify", classify)
    graph.add_node("retrieve", retrieve)
    graph.add_node("decide", decide)
    graph.add_node("act", act)
    graph.add_node("verify", verify)
    graph.add_edge(START, "classify")  # -> retrieve or decide
    graph.add_edge("retrieve", "decide")  # -> act or the end
    graph.add_edge("verify", "decide")  # act -> verify or decide
    return graph.compile()


async def classify(
    state: RunState, runtime: Runtime[Context]
) -> Command[Literal["retrieve", "decide"]]:
    """Signals and feature blocks of the query."""
    start = time.perf_counter()
    features, signals = await runtime.context.engine.signals.aclassify(state["query"])
    _writer(runtime)(Event(kind="signals", data=signals))
    update: RunState = {
        "features": features,
        "signals": signals,
        "attempts": [],
        "verdicts": [],
        "steps": [Step(node="classify", seconds=time.perf_counter() - start)],
    }
    _log(runtime, update)
    looked_for = _looked_for(runtime.context, state["query"], signals)
    return Command(update=update, goto="retrieve" if looked_for else "decide")


async def retrieve(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Passages, and whether they hold the answer, where the policy would look."""
    start = time.perf_counter()
    left_s = max(0.001, runtime.context.deadline - start)
    lookup = await runtime.context.engine.retriever.look_up(state["query"], left_s)
    _writer(runtime)(Event(kind="passages", data=lookup))
    step = Step(node="retrieve", seconds=time.perf_counter() - start, lookup=lookup)
    features = with_lookup(state["features"], lookup)
    return _log(runtime, {"lookup": lookup, "features": features, "steps": [step]})


async def look_up(context: Context, state: RunState) -> Lookup | None:
    """What was found for the query; None where nothing was looked for."""
    query = state["query"]
    if not _looked_for(context, query, state["signals"]):
        return None
    left_s = max(0.001, context.deadline - time.perf_counter())
    return await context.engine.retriever.look_up(query, left_s)


def _looked_for(context: Context, query: Query, signals: Signals) -> bool:
    """Whether passages are looked for before an arm is chosen."""
    readable = context.engine.cases.offers.reads_passages(query)
    return not is_plain(query) and wanted(context.policy.needs, query, signals, readable)


def with_lookup(features: Mapping[str, list[float]], lookup: Lookup) -> Mapping[str, list[float]]:
    """The feature blocks with what was judged of the passages."""
    if lookup.answerable is None:
        return features
    return {**features, ANSWERABILITY: [lookup.answerable]}


async def decide(state: RunState, runtime: Runtime[Context]) -> Command[Literal["act", "__end__"]]:
    """Ask the policy, under the request's limits."""
    start = time.perf_counter()
    context = runtime.context
    decision = decide_once(context, state)
    _writer(runtime)(Event(kind="decision", arm=decision.arm, data=decision))
    step = Step(node="decide", seconds=time.perf_counter() - start, decision=decision)
    update = _log(runtime, {"decision": decision, "steps": [step]})
    return Command(update=update, goto="__end__" if decision.arm is None else "act")


def decide_once(context: Context, state: RunState) -> Decision:
    """One decision. Limits come first; what the policy picks must be runnable.

    Raises `ConfigError` where the policy itself breaks (its name is in the message).
    """
    left_s = seconds_left(state["query"].bounds, context.deadline)
    decision = _decide(context, state, left_s)
    if left_s is not None and decision.arm is None and not state["attempts"]:
        # A predicted time must not leave a caller without an answer.
        return _decide(context, state, None)
    return decision


def _decide(context: Context, state: RunState, left_s: float | None) -> Decision:
    engine, policy, purse = context.engine, context.policy, context.purse
    tenant_usd = float("inf") if purse is None else purse.left_usd
    case, estimates = engine.cases.build(state, tenant_usd, left_s)
    _check_needs(policy, case)
    limit = _limit_hit(context, state)
    if limit is not None:
        return _stop(policy, limit, case, estimates)
    try:
        choice = policy.choose(case)
        choice.check(case)
        if not isinstance(policy, OnlyArm):  # who names a model wants no other
            choice = escalated(choice, case, state["query"].bounds)
        decision = explain(policy.name, choice, case.arms, estimates)
    except Exception as error:  # whatever a policy does wrong is said with its name
        what = str(error) or type(error).__name__
        raise ConfigError(f"policy {policy.name!r} failed: {what}") from error
    # Our own estimates decide, not the arrays that the policy had in its hands.
    if decision.arm is not None and not estimates[decision.arm].available:
        why_not = estimates[decision.arm].why_not
        why = f"the policy chose {decision.arm}, which cannot be run: {why_not}"
        return _stop(policy, why, case, estimates)
    return decision


def _check_needs(policy: Policy, case: CaseBatch) -> None:
    missing = sorted(policy.needs.features - set(case.features))
    if missing:
        raise ConfigError(
            f"policy {policy.name!r} needs the feature blocks {', '.join(missing)}; "
            f"there are {', '.join(sorted(case.features))}"
        )


def _limit_hit(context: Context, state: RunState) -> str | None:
    limits = context.engine.settings.limits
    if len(state["attempts"]) >= limits.max_steps:
        return f"the step limit is reached (limits.max_steps = {limits.max_steps})"
    if time.perf_counter() >= context.deadline:
        return f"the time limit is reached ({time_limit(limits, state['query'].bounds)})"
    unchecked = bool(state["attempts"]) and state["check"] == "none"
    last = state["attempts"][-1] if state["attempts"] else None
    if context.commit and unchecked and last is not None and (last.text or last.choices):
        return "the answer has been shown as it was written, so it stands"
    return None


def _stop(
    policy: Policy, reason: str, case: CaseBatch, estimates: Mapping[str, ArmEstimate]
) -> Decision:
    best = int(best_attempt(case)[0])
    return Decision(
        policy=policy.name,
        arm=None,
        attempt=best if best >= 0 else None,
        reasons=(reason,),
        arms=dict(estimates),
    )


async def act(state: RunState, runtime: Runtime[Context]) -> Command[Literal["verify", "decide"]]:
    """Run the chosen arm once, its worst case reserved before and settled after.

    Where the budget does not hold it, nothing is run, and the policy is asked again.
    """
    start = time.perf_counter()
    context, arm = runtime.context, state["decision"].arm or ""
    worst = state["decision"].arms[arm].worst_cost_usd or 0.0
    if context.purse is None:
        left = context.engine.cases.left(state).request_usd
        done = await _run(state, runtime, start, left, Tab())
        return Command(update=done, goto="verify")
    lease = await reserve(context.purse, arm, worst + _looked_up(state))
    if lease is None:
        why_not = refusal(worst, context.purse.left_usd)
        step = Step(node="act", seconds=time.perf_counter() - start, refused=f"{arm}: {why_not}")
        refused = _log(runtime, {"refused": {arm: why_not}, "steps": [step]})
        return Command(update=refused, goto="decide")
    tab = Tab()
    try:
        done = await _run(state, runtime, start, worst, tab)
    except BaseException:
        tab.usd += _looked_up(state)
        broken = Step(node="act", seconds=time.perf_counter() - start, broken=arm)
        _log(runtime, {"steps": [broken]})
        await settle_broken(context.purse, lease, tab)
        raise
    await settle(context.purse, lease, done["attempts"][-1])
    return Command(update=done, goto="verify")


async def _run(
    state: RunState, runtime: Runtime[Context], start: float, left_usd: float, tab: Tab
) -> RunState:
    context = runtime.context
    engine, name = context.engine, state["decision"].arm or ""
    arm = engine.settings.arms[name]
    query = state["query"]
    # Tools and images change what a right answer is: only what the asker states can judge it.
    plain = is_plain(query) and not query.checks
    check = "none" if plain else engine.checker.kind_for(query, state["signals"], arm.context)
    # Nothing could take the place of what a named model says: it is shown at once.
    checked = check != "none" and not query.as_it_is
    write = _writer(runtime)
    write(Event(kind="attempt", arm=name, checked=checked))
    attempt = await engine.runner.run(
        name,
        arm,
        state["query"],
        state["signals"],
        timeout_s=max(0.001, context.deadline - start),
        left_usd=left_usd,
        check=check,
        lookup=state.get("lookup"),
        tab=tab,
        **({} if context.quiet else _listeners(write, name, checked)),
    )
    engine.cases.took(state, attempt)
    attempt = _charged(state, attempt)
    write(Event(kind="attempt_done", arm=name, checked=checked, data=attempt))
    step = Step(node="act", seconds=time.perf_counter() - start, attempt=attempt)
    return _log(runtime, {"attempts": [attempt], "check": check, "steps": [step]})


def _listeners(write: StreamWriter, arm: str, checked: bool) -> dict[str, Any]:
    """What a running arm tells as it writes."""
    return {
        "on_text": lambda text: write(Event(kind="delta", text=text, arm=arm, checked=checked)),
        "on_reasoning": lambda text: write(Event(kind="reasoning", text=text, arm=arm)),
        "on_delta": lambda piece: write(Event(kind="choice", arm=arm, checked=checked, data=piece)),
    }


def _writer(runtime: Runtime[Context]) -> StreamWriter:
    """Where a node's events go."""
    return _unheard if runtime.context.quiet else runtime.stream_writer


def _unheard(_: Any) -> None:
    """Nobody watches."""


def _charged(state: RunState, attempt: Attempt) -> Attempt:
    """The first attempt pays for the search that led to it, whichever arm it is."""
    paid = _looked_up(state)
    if not paid:
        return attempt
    most = None if attempt.most_usd is None else attempt.most_usd + paid
    return attempt.model_copy(update={"cost_usd": attempt.cost_usd + paid, "most_usd": most})


def _looked_up(state: RunState) -> float:
    """USD of the search that no attempt has paid for yet."""
    return 0.0 if state["attempts"] else spent_usd(state)


async def verify(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Judge the last attempt."""
    start = time.perf_counter()
    attempt = state["attempts"][-1]
    if attempt.choices and not attempt.text:
        told = "The model calls tools: there is no text to check."
        verdict = Verdict(kind="none", passed=None, status="unchecked", evidence=(told,))
    else:
        verdict = await runtime.context.engine.checker.verify(
            state["query"], state["signals"], attempt, state["check"]
        )
        if state["query"].as_it_is and verdict.status == "not_applicable":
            verdict = verdict.model_copy(update=_PASSED_ON)
    _writer(runtime)(Event(kind="verdict", arm=attempt.arm, data=verdict))
    step = Step(node="verify", seconds=time.perf_counter() - start, verdict=verdict)
    return _log(runtime, {"verdicts": [verdict], "steps": [step]})


def _log(runtime: Runtime[Context], update: RunState) -> RunState:
    """What a node adds to the state, told to who keeps it where the state is lost."""
    if runtime.context.log is not None:
        runtime.context.log.add(update)
    return update
