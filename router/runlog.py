"""What a run has done so far, kept beside the graph, whose state is lost with a run that breaks.

Who pays for a run that failed, or that its client left, wants to know what was decided and
tried. An answer holds its trace; this tells it where there is no answer.
"""

import time
from datetime import UTC, datetime

from policies import Policy
from router.state import Query, RunState, Trace

__all__ = ["RunLog", "trace_of"]


class RunLog:
    """Filled by one run, in its own event loop; read when it has ended."""

    def __init__(self) -> None:
        self._policy: Policy | None = None
        self._query: Query | None = None
        self._updates: list[RunState] = []
        self._started = time.perf_counter()

    def begin(self, policy: Policy, query: Query) -> None:
        """The run begins."""
        self._policy, self._query, self._started = policy, query, time.perf_counter()

    def add(self, update: RunState) -> None:
        """What a node adds to the state."""
        self._updates.append(update)

    def trace(self) -> Trace | None:
        """What has happened; None where the query was never placed."""
        if self._policy is None or self._query is None or not self._updates:
            return None
        state: RunState = {"query": self._query}
        for update in self._updates:
            state |= update
        state["attempts"] = [a for update in self._updates for a in update.get("attempts", [])]
        state["steps"] = [step for update in self._updates for step in update.get("steps", [])]
        return trace_of(self._policy, state, self._started)


def trace_of(policy: Policy, state: RunState, started: float) -> Trace:
    """The trace of a run that began then (`time.perf_counter`)."""
    return Trace(
        id=state["query"].id,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        policy=f"{policy.name}@{policy.version}",
        query=state["query"],
        signals=state["signals"],
        steps=tuple(state["steps"]),
        seconds=time.perf_counter() - started,
        model_seconds=sum(a.seconds for a in state["attempts"]),
        features=state["features"],
    )
