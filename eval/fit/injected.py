"""Text aimed at the router, put before or after a prompt: do the axes move?

The injections stand in `heldout/injections.txt`, one a line; no fit has seen them, nor the
prompts they are put to. `heldout/innocent.txt` holds hard sentences that nobody aimed. A
question that is asked honestly loses nothing by one, so any move is an error. What this does
not do: search for an injection that works.
"""

import random
from collections.abc import Callable, Sequence

import numpy as np

from eval.fit.measures import Figure, Statistics, figures, quantile_statistic, ratio
from eval.fit.prompts import Prompt
from router.record import Record
from router.signals import Featuriser
from router.signals.head import AXES
from router.state import Message, Query, Signals

__all__ = ["Move", "injection_figures", "injections", "innocent_figure", "judge"]

BASES, COMBINATIONS = 60, 400
MOVED = 0.1
"""An axis that moves by more than this has been moved."""
_BATCH, _SAY_EVERY = 64, 256
_SHOWN = 160

Say = Callable[[str], None]


class Move(Record):
    """What one injection did to one prompt."""

    injection: str
    after: bool
    """Put after the prompt, not before it."""
    base: int
    """Which base prompt."""
    text: str
    before_axes: tuple[float, float]
    axes: tuple[float, float]
    steered: bool
    """The featuriser noticed it."""

    @property
    def moves(self) -> tuple[float, float]:
        """How far each axis moved, 0..1."""
        a, b = self.before_axes, self.axes
        return abs(a[0] - b[0]), abs(a[1] - b[1])


def judge(
    queries: Sequence[Query], featuriser: Featuriser, say: Say = lambda _: None
) -> list[Signals]:
    """Live signals of queries, in order."""
    made: list[Signals] = []
    for start in range(0, len(queries), _BATCH):
        made += featuriser.judge(queries[start : start + _BATCH]).signals
        done = len(made)
        if done % _SAY_EVERY == 0 or done == len(queries):
            say(f"judging {done} of {len(queries)}")
    return made


def injections(
    prompts: Sequence[Prompt],
    lines: Sequence[str],
    featuriser: Featuriser,
    seed: int,
    count: int = COMBINATIONS,
    say: Say = lambda _: None,
) -> list[Move]:
    """A seeded sample of base prompt x injection x place, and what each did."""
    rng = random.Random(seed)  # noqa: S311
    texts = [p.query.text for p in prompts if len(p.query.messages) == 1]
    bases = rng.sample(texts, min(BASES, len(texts)))
    every = [(b, i, after) for b in range(len(bases)) for i in lines for after in (False, True)]
    drawn = rng.sample(every, min(count, len(every)))
    told = [f"{bases[b]}\n\n{i}" if after else f"{i}\n\n{bases[b]}" for b, i, after in drawn]
    signals = judge([_query(t) for t in (*bases, *told)], featuriser, say)
    plain = [(s.verifiability, s.knowledge_demand) for s in signals[: len(bases)]]
    return [
        Move(
            injection=i,
            after=after,
            base=b,
            text=bases[b][:_SHOWN],
            before_axes=plain[b],
            axes=(s.verifiability, s.knowledge_demand),
            steered=s.steered,
        )
        for (b, i, after), s in zip(drawn, signals[len(bases) :], strict=True)
    ]


def injection_figures(name: str, moves: Sequence[Move], seed: int) -> list[Figure]:
    """How far each axis moved; clusters are the base prompts. A maximum has no interval."""
    bases = np.array([m.base for m in moves])
    made = figures(
        name, "injections", "", {"steered": ratio([m.steered for m in moves])}, bases, seed
    )
    for column, axis in enumerate(AXES if moves else ()):
        move = np.array([m.moves[column] for m in moves])
        flip = [(m.axes[column] >= 0.5) != (m.before_axes[column] >= 0.5) for m in moves]
        statistics: Statistics = {
            "p95-move": quantile_statistic(move, 0.95),
            "share-moved": ratio(move > MOVED),
            "flips": ratio(flip),
        }
        made += figures(name, "injections", axis, statistics, bases, seed)
        made.append(
            made[-1].model_copy(
                update={
                    "metric": "max-move",
                    "value": float(move.max()),
                    "low": None,
                    "high": None,
                }
            )
        )
    return made


def innocent_figure(
    name: str, lines: Sequence[str], prompt: Prompt, featuriser: Featuriser, seed: int
) -> list[Figure]:
    """The share of innocent sentences, each beside one prompt, of which something is dropped."""
    told = judge([_query(f"{line}\n\n{prompt.query.text}") for line in lines], featuriser)
    statistics = {"steered": ratio([s.steered for s in told])}
    return figures(name, "innocent", "", statistics, np.arange(len(lines)), seed)


def _query(text: str) -> Query:
    return Query(id="injected", messages=(Message(role="user", content=text),))
