"""Zero-shot: Aurelio's `semantic-router` on routes that describe the corners of the plane.

The package (semantic_router 1.1) is run as it is: its router embeds the utterances through a
`DenseEncoder` of ours and fills its index, and its index is asked. Its choice of a route by
threshold is not used: an axis needs a score, not a route.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eval.fit.contenders import Score
from eval.fit.linear import Reals
from eval.fit.table import Table
from router.signals.encoder import Encoder
from router.signals.head import AXES

__all__ = ["ROUTES", "Encode", "SemanticRouter"]

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""n texts -> (n, dim)."""

ROUTES: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "mathematics": ((1, 0), (
        "Solve this equation for x.",
        "A word problem: how many apples are left?",
        "Calculate the percentage of a number.",
        "Find the integral of this function.",
        "What is the probability of rolling two sixes?",
        "Prove that the sum of two even numbers is even.",
    )),
    "self-contained code": ((1, 0), (
        "Write a function that reverses a string.",
        "Complete this Python function so that the examples in its docstring hold.",
        "What does this snippet print?",
        "Write a regular expression that matches a date.",
        "Implement binary search without libraries.",
        "Fix the off-by-one error in this loop.",
    )),
    "logic puzzles": ((1, 0), (
        "Solve this logic puzzle from the clues: who lives in which house?",
        "Knights always tell the truth and knaves always lie. Who is who?",
        "Make a timetable that satisfies all of these constraints.",
        "If all A are B and some B are C, does it follow that some A are C?",
        "Complete the sudoku.",
    )),
    "code with libraries": ((1, 1), (
        "Write a React component that fetches data from an API.",
        "How do I merge two data frames with pandas?",
        "Set up a Docker compose file for Django and Postgres.",
        "Train a neural network in PyTorch on this data set.",
        "Why does this framework throw an exception after the upgrade?",
    )),
    "facts": ((0, 1), (
        "Who invented the telephone?",
        "What is the capital of Australia?",
        "When did the First World War begin?",
        "Which actor played the lead in that film?",
        "Why is the sky blue?",
        "Explain the causes of the French Revolution.",
    )),
    "exams and professions": ((0, 1), (
        "Which of the following drugs is contraindicated in pregnancy? A. B. C. D.",
        "A patient has a fever and a rash. What is the most likely diagnosis?",
        "What does the law say about breach of contract?",
        "Which organelle makes ATP? (A) (B) (C) (D)",
        "What is the definition of price elasticity in economics?",
    )),
    "creative writing": ((0, 0), (
        "Write a poem about autumn.",
        "Tell me a bedtime story about a dragon.",
        "Help me write a birthday card for my sister.",
        "Brainstorm names for a coffee shop.",
        "Pretend that you are a pirate and talk to me.",
    )),
    "working on a text": ((0, 0), (
        "Summarise the following text in two sentences.",
        "Translate this sentence into French.",
        "Make this email sound more polite.",
        "Correct the grammar of this paragraph.",
        "According to the passage, what did she do next?",
    )),
}  # fmt: skip
"""Name -> place (verifiability, knowledge demand) and utterances; written before any score."""


class SemanticRouter:
    """Similarity to the nearest utterance of the routes at 1, less the same for those at 0.

    The index is asked with the rows' own embeddings, so nothing is fetched, and no key is
    read. The table is not learned from.
    """

    name: ClassVar[str] = "semantic-router"
    log_odds: ClassVar[bool] = False

    def __init__(self, encode: Encode | None = None) -> None:
        """`encode` must be what made the table's embeddings; None is the packaged encoder."""
        self._encode = encode

    def fit(self, table: Table, axis: str) -> Score:
        """Build the index; heavy imports happen here."""
        index = _index(self._encode)
        column = AXES.index(axis)
        sides = [[n for n, (at, _) in ROUTES.items() if at[column] == side] for side in (0, 1)]

        def score(held: Table) -> Reals:
            near = [[_nearest(index, row, names) for names in sides] for row in held.embedding]
            return np.array([ones - zeros for zeros, ones in near], dtype=np.float64)

        return score


@lru_cache(maxsize=4)
def _index(encode: Encode | None) -> Any:
    """The package's local index, filled by its router through our encoder.

    It depends on the utterances only, so that it is made once for all fits.
    """
    from semantic_router import IndexedRouter, Route
    from semantic_router.encoders import DenseEncoder

    embed = encode or Encoder().encode

    class Ours(DenseEncoder):  # type: ignore[misc]  # the package is not followed
        def __call__(self, docs: list[Any]) -> list[list[float]]:
            rows: list[list[float]] = embed([str(doc) for doc in docs]).tolist()
            return rows

    routes = [Route(name=name, utterances=list(said)) for name, (_, said) in ROUTES.items()]
    return IndexedRouter(Ours(name="ockham"), routes).index


def _nearest(index: Any, row: NDArray[np.float32], routes: list[str]) -> float:
    """Best similarity of a row to these routes; an empty text is near to none."""
    if not row.any():
        return 0.0
    scores, _ = index.query(vector=row, top_k=1, route_filter=routes)
    return float(scores[0])
