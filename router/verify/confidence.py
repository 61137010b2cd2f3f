"""From evidence to P(the answer is right): a fitted map, and the file that holds it.

    log odds = bias + weights . (row - centre) / spread       logistic regression
    P        = isotonic(log odds)                             piecewise linear between knots

`ockham verify calibrate` fits it on answers whose truth is known (isotonic regression on
held-out log odds: Zadrozny and Elkan, 2002). It holds for answers like those; its stamp names
them, and eval/README.md says how far it can be trusted. What it does not do: change a verdict.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from router.errors import SetupError

__all__ = ["MATH_CONFIDENCE", "Confidence", "load_confidence"]

FORMAT = 1
MATH_CONFIDENCE = Path(__file__).with_name("math_confidence.json")


class Confidence(NamedTuple):
    """A fitted map; arrays are (columns,) and (knots,), knots in rising order."""

    columns: tuple[str, ...]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float
    knots: NDArray[np.float64]
    levels: NDArray[np.float64]
    stamp: Mapping[str, Any]

    def log_odds(self, rows: ArrayLike) -> NDArray[np.float64]:
        """(n,) before the isotonic map, of rows (n, columns)."""
        scaled = (np.asarray(rows, dtype=np.float64) - self.centre) / self.spread
        return np.asarray(scaled @ self.weights + self.bias, dtype=np.float64)

    def probability(self, rows: ArrayLike) -> NDArray[np.float64]:
        """(n,) P(right) of rows (n, columns)."""
        return np.interp(self.log_odds(rows), self.knots, self.levels)

    def save(self, path: Path) -> None:
        """Write the file that `load_confidence` reads."""
        body = {"format": FORMAT, "stamp": dict(self.stamp), "columns": list(self.columns)}
        for name in ("centre", "spread", "weights", "knots", "levels"):
            body[name] = [round(float(v), 6) for v in getattr(self, name)]
        path.write_text(json.dumps(body | {"bias": round(self.bias, 6)}, indent=1) + "\n")


@cache
def load_confidence(path: Path, columns: tuple[str, ...]) -> Confidence:
    """A map of these columns.

    Raises:
        SetupError: the file is missing, damaged, or made for other evidence.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != FORMAT or tuple(body["columns"]) != columns:
            raise ValueError("it was made for other evidence")
        parts = {
            name: np.array(body[name], dtype=np.float64)
            for name in ("centre", "spread", "weights", "knots", "levels")
        }
        return Confidence(columns, bias=float(body["bias"]), stamp=body["stamp"], **parts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"{path.name} cannot be read ({error}): run `ockham verify calibrate`"
        ) from error
