"""Fits the model of text aimed at the router (`ockham signals steering`).

    steering/aimed.txt      sentences and clauses aimed at a router: orders, claims, fields, hints
    steering/plain.txt      sentences that share their words and are not
    prompts/*.yaml          every sentence of the written prompts, and its parts: not aimed

All were written for this project. `heldout/` holds sentences by another hand for the test
(`eval/fit/injected.py`). Logistic regression with an L2 penalty; `STRENGTH` was
chosen by 5-fold log loss on the training lines.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.fit.prompts import PROMPTS, read_lines, read_prompts
from eval.sources.shared import checksums
from router.signals.aimed import BUCKETS, Aimed, buckets
from router.signals.steering import pieces_of

__all__ = ["STRENGTH", "Lines", "fit_aimed", "training_lines"]

STEERING = Path(__file__).with_name("steering")
STRENGTH = 30.0
PROMPTS_SHARE = 0.4
"""What the prompts' sentences weigh together; the written lines share the rest evenly."""

Say = Callable[[str], None]


class Lines(NamedTuple):
    """Sentences with their truth and their weight."""

    texts: tuple[str, ...]
    aimed: NDArray[np.bool_]
    weights: NDArray[np.float64]


def training_lines() -> Lines:
    """All that teaches, each sentence once."""
    aimed, plain = (read_lines(STEERING / f"{name}.txt") for name in ("aimed", "plain"))
    said = {m.content for p in read_prompts(PROMPTS) for m in p.query.messages}
    known = {*aimed, *plain}
    asked = sorted({s.strip() for text in said for s in pieces_of(text)} - known)
    parts = ((aimed, (1 - PROMPTS_SHARE) / 2), (plain, (1 - PROMPTS_SHARE) / 2))
    shares = (*parts, (asked, PROMPTS_SHARE))
    weights = [share / len(lines) for lines, share in shares for _ in lines]
    truth = np.arange(len(weights)) < len(aimed)
    return Lines((*aimed, *plain, *asked), truth, np.array(weights))


def fit_aimed(lines: Lines | None = None, say: Say = lambda _: None) -> Aimed:
    """Fitted on these lines, by default on all that teaches."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    say("fitting the model of text aimed at the router")
    stamp = {
        "data": checksums([*sorted(STEERING.glob("*.txt")), *sorted(PROMPTS.glob("*.yaml"))]),
        "strength": STRENGTH,
    }
    lines = lines or training_lines()
    rows = [buckets(text) for text in lines.texts]
    ends = np.cumsum([0, *map(len, rows)])
    values = np.concatenate([np.full(len(r), len(r) ** -0.5) for r in rows])
    matrix = csr_matrix((values, np.concatenate(rows), ends), shape=(len(rows), BUCKETS))
    fit = LogisticRegression(C=STRENGTH, max_iter=1000)
    fit.fit(matrix, lines.aimed, sample_weight=lines.weights * len(rows))
    scale = float(np.abs(fit.coef_).max()) / 127
    weights = np.round(fit.coef_[0] / scale).astype(np.int8)
    return Aimed(weights, scale, float(fit.intercept_[0]), stamp | {"n": len(rows)})
