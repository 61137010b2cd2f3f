"""Written example prompts, to show a query's nearest neighbours to people.

A few hundred of the prompts that were written for the fit, with their labels and the
encoder's rows (int8, one scale a row), in `exemplars.json` beside this file. They explain and
they feed the confidence; they do not vote on the axes.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError
from router.state import Exemplar

__all__ = ["EXEMPLARS_PATH", "Exemplars", "load_exemplars"]

EXEMPLARS_PATH = Path(__file__).with_name("exemplars.json")
_FORMAT = 1
_SHOWN_CHARS = 160
_LEVELS = 127

_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Exemplars:
    """Texts, labels (n, 2) of 0, 1 or NaN, and L2-normalised rows (n, dim)."""

    encoder: str
    texts: tuple[str, ...]
    labels: _Floats
    rows: _Floats

    @classmethod
    def of(cls, encoder: str, texts: Sequence[str], labels: _Floats, rows: _Floats) -> "Exemplars":
        """Exemplars whose rows are what `save` and `load_exemplars` keep of them."""
        return cls(encoder, tuple(texts), labels, _rounded(rows))

    @property
    def fingerprint(self) -> str:
        """A checksum of texts, labels and rows."""
        digest = hashlib.sha256("\0".join((self.encoder, *self.texts)).encode())
        digest.update(np.ascontiguousarray(_quantised(self.rows)).tobytes())
        digest.update(np.ascontiguousarray(np.nan_to_num(self.labels, nan=-1), "<f4").tobytes())
        return digest.hexdigest()[:8]

    def similarity(self, embedding: _Floats) -> _Floats:
        """(m, n) cosines of m rows with all exemplars."""
        return np.asarray(embedding @ self.rows.T, dtype=np.float32)

    def nearest(self, similarity: _Floats, count: int = 3) -> tuple[Exemplar, ...]:
        """The nearest exemplars of one row of `similarity`, nearest first."""
        order = np.argsort(-similarity, kind="stable")[:count]
        return tuple(
            Exemplar(
                text=self.texts[i][:_SHOWN_CHARS],
                similarity=float(np.clip(similarity[i], -1, 1)),
                verifiability=_label(self.labels[i, 0]),
                knowledge_demand=_label(self.labels[i, 1]),
            )
            for i in order
        )

    def save(self, path: Path) -> None:
        """Write the artefact (eval only)."""
        body = {
            "format": _FORMAT,
            "encoder": self.encoder,
            "prompts": [
                [_label(v), _label(k), text]
                for text, (v, k) in zip(self.texts, self.labels, strict=True)
            ],
            "dim": int(self.rows.shape[1]),
            "rows": base64.b64encode(_quantised(self.rows).tobytes()).decode(),
        }
        path.write_text(json.dumps(body, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def load_exemplars(path: Path = EXEMPLARS_PATH) -> Exemplars:
    """The shipped exemplars; SetupError naming the file where it is missing or damaged."""
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != _FORMAT:
            raise ValueError(f"format {body['format']}, expected {_FORMAT}")
        prompts, dim = body["prompts"], int(body["dim"])
        packed = np.frombuffer(base64.b64decode(body["rows"], validate=True), dtype=np.int8)
        rows = _normalised(packed.reshape(len(prompts), dim).astype(np.float32))
        labels = np.array([[_number(v), _number(k)] for v, k, _ in prompts], dtype=np.float32)
        texts, encoder = tuple(str(text) for _, _, text in prompts), str(body["encoder"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"the exemplars {path} cannot be used: {error}; reinstall Ockham, "
            "or make them with `ockham signals train`"
        ) from error
    return Exemplars(encoder, texts, labels, rows)


def _rounded(rows: _Floats) -> _Floats:
    return _normalised(_quantised(rows).astype(np.float32))


def _quantised(rows: _Floats) -> NDArray[np.int8]:
    peak = np.abs(rows).max(axis=1, keepdims=True)
    scaled = np.divide(rows * _LEVELS, peak, out=np.zeros_like(rows), where=peak > 0)
    return np.asarray(np.rint(scaled), dtype=np.int8)


def _normalised(rows: _Floats) -> _Floats:
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0), np.float32)


def _label(value: float) -> int | None:
    return None if np.isnan(value) else int(value)


def _number(value: int | None) -> float:
    return float("nan") if value is None else float(value)
