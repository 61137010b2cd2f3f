"""Fit and score P(the passages hold the answer): questions whose fact is, or is not, in the index.

Negatives are real: over five folds a fifth of the countries and a fifth of the Factbook's
fields are taken out of the index (`eval.knowledge.subsets`), and the same templates are asked.
What is fitted is asked of other countries *and* other fields than what is scored.

    label     does one of the first k passages hold the answer, by content? Each question gives
              a row for k = 3 and one for k = 5: the fit is for both
    AUROC     of that label, and of "the fact is in the index" (nothing deleted), each with a
              bootstrap over countries; deleted countries and deleted fields also apart

The fit is scikit-learn's logistic regression on standardised signs, one with the search's
scores and one on words alone. What this does not do: choose signs by the scored part.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap
from eval.knowledge.questions import FactQuestion, draw, generate, holds
from eval.knowledge.split import part_of
from eval.knowledge.subsets import FOLDS, fold_of, left_out, load, subset
from eval.metrics.calibration import auroc, brier, ece
from router.knowledge.answerability import FOUND, MOST, READ, SIGNS, WORD_SIGNS, Fit, signs
from router.knowledge.index import KnowledgeIndex, TextEncoder

__all__ = [
    "Row",
    "Scored",
    "asked_of",
    "fits_of",
    "gather",
    "probabilities",
    "scores",
    "stored",
]

PARTS = ("fit", "score")
REGULARISATION = 1.0
"""scikit-learn's C: its default; some twenty signs on thousands of rows need little."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One question asked of one index."""

    question: str
    code: str
    field: str
    hard: bool
    part: str
    gone: str
    """What was taken out of the index: "country", "field", "both", or ""."""
    read: int
    """Of the passages found, how many a reader gets."""
    held: bool
    signs: dict[str, float]


class Scored(NamedTuple):
    """One slice. `held` is against the passages, `indexed` against the index."""

    name: str
    n: int
    base: float
    held: Interval
    indexed: Interval
    ece: float
    brier: float


def is_fit_field(field: str) -> bool:
    """Half of the asked fields are fitted on, the other half scored."""
    return fold_of("half", field) % 2 == 0


def asked_of(part: str, n: int, fold: int, seed: int) -> tuple[FactQuestion, ...]:
    """The part's countries and its half of the fields; another draw in each fold."""
    fields = [
        q
        for q in generate(seed)
        if part_of(q.code) == part and is_fit_field(q.field) == (part == "fit")
    ]
    return draw(fields, n, seed * FOLDS + fold)


def gather(
    path: Path,
    encoder: TextEncoder,
    per_fold: int,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> list[Row]:
    """Rows of both parts from all folds of the Factbook index at `path`."""
    chunks, vectors = load(path)
    rows: list[Row] = []
    for fold in range(FOLDS):
        keep = [not left_out(chunk.source, fold, seed) for chunk in chunks]
        with (
            tempfile.TemporaryDirectory() as folder,
            subset(Path(folder), encoder, chunks, vectors, keep) as index,
        ):
            for part in PARTS:
                rows += _asked(index, asked_of(part, per_fold, fold, seed), part, fold, seed)
        if progress:
            progress(f"fold {fold + 1} of {FOLDS}: {len(rows)} questions asked")
    return rows


def fits_of(rows: Sequence[Row]) -> dict[str, Fit]:
    """`scored` and `words`, from the rows of the part `fit`."""
    mine = [row for row in rows if row.part == "fit"]
    return {"scored": _fit(mine, SIGNS), "words": _fit(mine, WORD_SIGNS)}


def probabilities(rows: Sequence[Row], fit: Fit) -> Floats:
    """P of each row."""
    return np.array([fit.probability(row.signs) for row in rows], dtype=np.float64)


def scores(rows: Sequence[Row], fit: Fit, seed: int = 0) -> list[Scored]:
    """The part `score`, for each number that is read: all; hard and easy; by what was taken out."""
    return [
        s._replace(name=f"{s.name}, {read} read")
        for read in READ
        for s in _sliced([r for r in rows if r.part == "score" and r.read == read], fit, seed)
    ]


def _sliced(mine: Sequence[Row], fit: Fit, seed: int) -> list[Scored]:
    slices: dict[str, Callable[[Row], bool]] = {
        "all": lambda r: True,
        "easy": lambda r: not r.hard,
        "hard": lambda r: r.hard,
        "kept or country gone": lambda r: r.gone in ("", "country"),
        "kept or field gone": lambda r: r.gone in ("", "field"),
    }
    parts = {name: [row for row in mine if keep(row)] for name, keep in slices.items()}
    return [_scored(name, part, fit, seed) for name, part in parts.items() if part]


def stored(fits: dict[str, Fit]) -> dict[str, Any]:
    """As answerability.json holds them."""
    return {
        name: fit._asdict()
        | {k: [round(v, 6) for v in getattr(fit, k)] for k in ("mean", "scale", "weight")}
        | {"bias": round(fit.bias, 6)}
        for name, fit in fits.items()
    }


def _asked(
    index: KnowledgeIndex, questions: Sequence[FactQuestion], part: str, fold: int, seed: int
) -> Iterator[Row]:
    for q in questions:
        passages = index.search(q.prompt, FOUND)
        held = [holds(q, p.source, p.title, p.text) for p in passages]
        gone = left_out(q.source, fold, seed)
        for read in READ:
            found = signs(q.prompt, passages, read)
            yield Row(q.prompt, q.code, q.field, q.hard, part, gone, read, any(held[:read]), found)


def _fit(rows: Sequence[Row], names: Sequence[str]) -> Fit:
    from sklearn.linear_model import LogisticRegression

    x = np.array([[row.signs[name] for name in names] for row in rows])
    y = np.array([row.held for row in rows])
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=REGULARISATION, max_iter=2000).fit(
        np.clip((x - mean) / scale, -MOST, MOST), y
    )
    return Fit(
        tuple(names),
        tuple(mean.tolist()),
        tuple(scale.tolist()),
        tuple(model.coef_[0].tolist()),
        float(model.intercept_[0]),
    )


def _scored(name: str, rows: Sequence[Row], fit: Fit, seed: int) -> Scored:
    p = probabilities(rows, fit)
    held = np.array([row.held for row in rows], dtype=np.float64)
    indexed = np.array([not row.gone for row in rows], dtype=np.float64)
    country = np.array([row.code for row in rows])
    return Scored(
        name,
        len(rows),
        float(held.mean()),
        bootstrap(lambda w: auroc(p, held, w), country, seed=seed),
        bootstrap(lambda w: auroc(p, indexed, w), country, seed=seed),
        ece(p, held),
        brier(p, held),
    )
