"""Looking something up before an arm is chosen: search, judge, follow up once.

    rule    search where the policy reads the block `answerability`, an arm that reads the index
            can be run, and P(the query needs facts) >= `LEAST_KNOWLEDGE`: arithmetic does not
            wait for an index. Passages that the asker brings are judged and never searched for.

Passages are data. They go to three places: the reader's prompt (between delimiters), the judge
of answerability (as words) and the trace. Signals never see them. The one thing that they can
move here is which words the follow-up search looks for (`router.knowledge.following`).

What this does not do: choose an arm, or read an answer out of the passages.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from policies import Needs
from router.errors import KnowledgeError
from router.knowledge.answerability import FOUND
from router.knowledge.following import first_query, follow_up, merged
from router.masking import masked, pathless
from router.state import Lookup, Passage, Query, Signals

__all__ = ["ANSWERABILITY", "LEAST_KNOWLEDGE", "Answerability", "Retriever", "Searcher", "wanted"]

ANSWERABILITY = "answerability"
"""The feature block, of shape (1,)."""
LEAST_KNOWLEDGE = 0.2
"""Half of where the threshold policy sees a need for facts (0.4): below it no policy here would
choose an index arm first, so a search would be paid for nothing."""
_HOUR = 3600.0
_LOG = logging.getLogger(__name__)

Answerability = Callable[[str, Sequence[Passage], int], float]
"""Question, passages, how many of the first are read -> P(those hold the answer)."""


class Searcher(Protocol):
    """What is needed of a knowledge index."""

    async def asearch(self, query: str, k: int = 5) -> tuple[Passage, ...]:
        """The k best passages, best first."""
        ...


def wanted(needs: Needs, query: Query, signals: Signals, readable: bool) -> bool:
    """Whether a look-up could move the decision. `readable`: an arm that reads passages runs."""
    if not readable or ANSWERABILITY not in needs.features | needs.optional:
        return False
    return query.passages is not None or signals.knowledge_demand >= LEAST_KNOWLEDGE


class Retriever:
    """Finds `k` passages and judges them. `judge` None: P(answerable) stays unknown.

    Args:
        usd_per_hour: price of the machine that searches; None: not priced.
    """

    def __init__(
        self,
        index: Searcher | None,
        k: int,
        judge: Answerability | None = None,
        usd_per_hour: float | None = None,
    ) -> None:
        self._index, self._k, self._judge = index, k, judge
        self._usd_per_hour = usd_per_hour

    async def look_up(self, query: Query, timeout_s: float | None = None) -> Lookup:
        """Passages of one query; what goes wrong with the index stands in `error`."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._found(query)
        except KnowledgeError as error:
            _LOG.warning("%s", masked(str(error)))
            found = Lookup(error=masked(pathless(str(error))))  # the caller reads it
        except TimeoutError:
            found = Lookup(error="the index did not answer in the request's time")
        seconds = time.perf_counter() - started
        paid = 0.0 if query.passages is not None else (self._usd_per_hour or 0.0) * seconds / _HOUR
        return found.model_copy(update={"seconds": seconds, "cost_usd": paid})

    async def _found(self, query: Query) -> Lookup:
        if query.passages is not None:
            brought = query.passages
            judged = await self._judged(query.text, brought, len(brought))
            return Lookup(passages=brought, answerable=judged, brought=True)
        if self._index is None:
            return Lookup(error="no index is open: run `ockham index build`")
        wide = max(self._k, FOUND)
        first = await self._index.asearch(first_query(query.text), wide)
        more = follow_up(query.text, first)
        second = () if more is None else await self._index.asearch(more, wide)
        shown = merged(first, second, self._k) if second else first[: self._k]
        behind = [passage for passage in second or first if passage not in shown]
        seen = (*shown, *behind)[:wide]
        return Lookup(
            passages=shown,
            # Of two hops the second question is what the passages have to answer.
            answerable=await self._judged(more or query.text, seen, len(shown)),
            follow_up=more,
            index=getattr(self._index, "fingerprint", None),
        )

    async def _judged(self, question: str, passages: Sequence[Passage], read: int) -> float | None:
        """Off the event loop: other streams must not wait for it."""
        if self._judge is None:
            return None
        if not passages:
            return 0.0
        return await asyncio.to_thread(self._judge, question, passages, read)
