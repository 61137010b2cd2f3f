"""Cost per correct answer and latency of the small model, beside a hosted one: who loses where.

The arithmetic, for GPU price H (USD/h), s streams at once of A tokens/s together, token cap c:
    S(x)      the part of the traces longer than x tokens: 1 at 0, the cut part at each
              measured cap, straight lines between
    E(c)    = integral of S from 0 to c: expected tokens of one attempt (exact for S)
    attempt = H / 3600 * E(c) / A           the machine's price of one attempt, all streams busy
    idle    = attempt * (1 / busy - 1)      what it costs while nobody asks, a line of its own
    small   = (attempt + idle) / right(c)   per correct answer
    hosted  = (prompt * in + tokens * out) / right
    both    = (attempt + idle + left * hosted attempt) / (right(c) + left * right): small first, and
              what it leaves unanswered, left = 1 - right(c), goes to the hosted model
    latency = quantile of min(trace, c) / (A / s); of the small model alone, without a queue
Small loses where small > hosted; `both` loses in the very same cells (the unanswered part cancels
out), so the break-even price of the GPU is one number: H * hosted / small.

Assumed, and stated with every result: an unanswered question costs a whole attempt and is known to
be unanswered (on AIME25 wrong answers were 1 of 1,200); the hosted model is as good on the
remainder as on all (it is probably worse: then `both` costs more); A does not depend on the
cap; reading the prompt is free on the own machine. The interval is Wilson's, of right(c)
alone; samples of one problem are alike, so it is too narrow.

Not covered: a queue in front of the machine, caching, forced answers, other benchmarks.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Annotated, Literal

from pydantic import Field, model_validator

from eval.compare import share
from router.errors import InputError
from router.models.prices import hosted_price
from router.record import Record

__all__ = [
    "Cell",
    "Facts",
    "Hosted",
    "Offer",
    "Outcomes",
    "Serving",
    "cells",
    "expected_tokens",
    "offers",
    "quantile",
]

Verdict = Literal["wins", "close", "loses"]
Part = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Serving(Record):
    """A machine: tokens/s of all streams together, by streams at once."""

    name: str
    streams: Mapping[Annotated[int, Field(ge=1)], Rate] = Field(min_length=1)
    source: str


class AtCap(Record):
    """What one token cap gave."""

    right: Part
    cut: Part


class Outcomes(Record):
    """What the small model gave on one benchmark, by token cap."""

    benchmark: str
    n: int = Field(ge=1)
    caps: Mapping[Annotated[int, Field(ge=1)], AtCap] = Field(min_length=1)
    source: str

    @model_validator(mode="after")
    def _fewer_are_cut_at_a_higher_cap(self) -> "Outcomes":
        points = self.survival()
        if any(later > earlier for (_, earlier), (_, later) in pairwise(points)):
            raise ValueError("caps: the cut part must not grow with the cap")
        return self

    def survival(self) -> list[tuple[int, float]]:
        """(tokens, part of the traces that is longer), from 0 upwards."""
        return [(0, 1.0), *((cap, self.caps[cap].cut) for cap in sorted(self.caps))]


class Hosted(Record):
    """A hosted model and its accuracy on the same benchmark."""

    model: str
    right: float = Field(gt=0, le=1)
    source: str


class Facts(Record):
    """Everything that is calculated from."""

    serving: tuple[Serving, ...]
    outcomes: Outcomes
    hosted: tuple[Hosted, ...]
    hosted_tokens: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a hosted model charges for an attempt, and for a correct answer."""

    model: str
    attempt_usd: float
    right: float

    @property
    def correct_usd(self) -> float:
        """Per correct answer."""
        return self.attempt_usd / self.right


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of the grid. USD and seconds."""

    serving: str
    streams: int
    usd_per_hour: float
    cap: int
    hosted: str
    tokens: float
    right: float
    attempt_usd: float
    idle_usd: float
    small_usd: float
    """Per correct answer, idle time included."""
    small_low_usd: float
    small_high_usd: float
    hosted_usd: float
    both_usd: float
    both_right: float
    breakeven_usd_per_hour: float
    p50_s: float
    p95_s: float
    verdict: Verdict


def offers(hosted: Iterable[Hosted], tokens: int, prompt_tokens: int) -> list[Offer]:
    """Hosted models at LiteLLM's prices. Raises `InputError` for one without a price."""
    found = []
    for one in hosted:
        price = hosted_price(one.model)
        if price is None:
            raise InputError(f"--hosted: {one.model!r} is not in LiteLLM's price map")
        found.append(Offer(one.model, price.cost(prompt_tokens, tokens), one.right))
    return found


def expected_tokens(points: Sequence[tuple[int, float]], cap: int) -> float:
    """E(cap): the area under straight lines through `points`; `cap` is one of them."""
    return sum((b - a) * (s + t) / 2 for (a, s), (b, t) in pairwise(points) if b <= cap)


def quantile(points: Sequence[tuple[int, float]], cap: int, part: float) -> float:
    """The tokens that `part` of the attempts stay within, at that cap."""
    left = 1 - part
    for (a, s), (b, t) in pairwise(points):
        if b <= cap and t <= left < s:
            return a + (b - a) * (s - left) / (s - t)
    return float(cap)


def cells(
    serving: Iterable[Serving],
    outcomes: Outcomes,
    hosted: Sequence[Offer],
    *,
    usd_per_hour: Sequence[float],
    caps: Sequence[int],
    busy: float,
) -> list[Cell]:
    """The whole grid; caps of which nothing was right are left in, at infinite cost."""
    return [
        _cell(one, streams, price, cap, offer, outcomes, busy)
        for one in serving
        for streams, cap, price, offer in product(
            sorted(one.streams), caps, usd_per_hour, hosted
        )
    ]  # fmt: skip


def _cell(
    serving: Serving,
    streams: int,
    usd_per_hour: float,
    cap: int,
    offer: Offer,
    outcomes: Outcomes,
    busy: float,
) -> Cell:
    points, rate, right = outcomes.survival(), serving.streams[streams], outcomes.caps[cap].right
    tokens = expected_tokens(points, cap)
    attempt = usd_per_hour / 3600 * tokens / rate
    spent = attempt / busy
    sure = share(right, outcomes.n)
    small = _over(spent, right)
    best, worst = _over(spent, sure.high), _over(spent, sure.low)
    both_right = right + (1 - right) * offer.right
    return Cell(
        serving=serving.name,
        streams=streams,
        usd_per_hour=usd_per_hour,
        cap=cap,
        hosted=offer.model,
        tokens=tokens,
        right=right,
        attempt_usd=attempt,
        idle_usd=spent - attempt,
        small_usd=small,
        small_low_usd=best,
        small_high_usd=worst,
        hosted_usd=offer.correct_usd,
        both_usd=(spent + (1 - right) * offer.attempt_usd) / both_right,
        both_right=both_right,
        breakeven_usd_per_hour=offer.correct_usd * right * 3600 * rate * busy / tokens,
        p50_s=quantile(points, cap, 0.5) * streams / rate,
        p95_s=quantile(points, cap, 0.95) * streams / rate,
        verdict=_verdict(best, worst, offer.correct_usd),
    )


def _over(usd: float, right: float) -> float:
    return usd / right if right > 0 else math.inf


def _verdict(best: float, worst: float, hosted: float) -> Verdict:
    """`close` where the interval of the accuracy holds both outcomes."""
    if best > hosted:
        return "loses"
    return "close" if worst > hosted else "wins"
