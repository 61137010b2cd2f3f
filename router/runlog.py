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
        self._state: RunState = {"attempts": [], "steps": []}
        self._started = time.perf_counter()

    def begin(self, policy: Policy, query: Query) -> None:
        """The run begins."""
        self._policy, self._started = policy, time.perf_counter()
        self._state["query"] = query

    def add(self, update: RunState) -> None:
        """What a node adds to the state."""
        before = self._state
        self._state = {**before, **update}
        self._state["attempts"] = [*before["attempts"], *update.get("attempts", [])]
        self._state["steps"] = [*before["steps"], *update.get("steps", [])]

    def trace(self) -> Trace | None:
        """What has happened; None where the query was never placed."""
        if self._policy is None or "signals" not in self._state:
            return None
        return trace_of(self._policy, self._state, self._started)


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
