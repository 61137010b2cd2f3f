"""The small head: five domains and two calibrated axes, linear in [embedding, cues].

Fitted by `eval/fit/signals.py`, shipped as `head.json` beside this file, and stamped with
what it was fitted on. It belongs to one encoder, and says so. At inference it is numpy and
a matrix product: no scikit-learn, no pickle.

The axes' calibration (Platt 1999: a logistic of the raw score, fitted on families the raw
score had not seen) is a scale and a shift, so it is folded into the weights.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError
from router.signals.cues import CUES
from router.state import DOMAINS

__all__ = ["AXES", "HEAD_PATH", "Head", "HeadOutput", "load_head"]

AXES = ("verifiability", "knowledge_demand")
HEAD_PATH = Path(__file__).with_name("head.json")
_FORMAT = 1


class HeadOutput(NamedTuple):
    """Probabilities: axes (n, 2) in `AXES` order, domains (n, 5) in `DOMAINS` order."""

    axes: NDArray[np.float32]
    domains: NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """Weights of shape (2 or 5, dim + cues), biases, and the stamp of the fit."""

    encoder: str
    axes_weights: NDArray[np.float32]
    axes_bias: NDArray[np.float32]
    domain_weights: NDArray[np.float32]
    domain_bias: NDArray[np.float32]
    stamp: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, embedding: NDArray[np.float32], cues: NDArray[np.float32]) -> HeadOutput:
        """Score rows; a width that the weights do not have is a ValueError of numpy's."""
        rows = np.concatenate([embedding, cues], axis=1)
        axes = _sigmoid(rows @ self.axes_weights.T + self.axes_bias)
        domains = _softmax(rows @ self.domain_weights.T + self.domain_bias)
        return HeadOutput(axes, domains)

    @property
    def fingerprint(self) -> str:
        """A checksum of everything that changes a score."""
        digest = hashlib.sha256(self.encoder.encode())
        for part in (self.axes_weights, self.axes_bias, self.domain_weights, self.domain_bias):
            digest.update(np.ascontiguousarray(part, dtype="<f4").tobytes())
        return digest.hexdigest()[:8]

    def check_encoder(self, fingerprint: str) -> None:
        """Refuse to score embeddings of another encoder."""
        if fingerprint != self.encoder:
            raise SetupError(
                f"the signals head was fitted on the encoder {self.encoder}, but the setting "
                f"`signals.encoder` gives {fingerprint}: change it back, or fit a head of its "
                "own with `ockham signals train --encoder ... --out ...`"
            )

    def save(self, path: Path) -> None:
        """Write the artefact (eval only); float32 values survive the round trip."""
        body = {
            "format": _FORMAT,
            "encoder": self.encoder,
            "cues": list(CUES),
            "stamp": dict(self.stamp),
            "axes": _rows(AXES, self.axes_weights, self.axes_bias),
            "domains": _rows(DOMAINS, self.domain_weights, self.domain_bias),
        }
        path.write_text(_pretty(body), encoding="utf-8")


def load_head(path: Path = HEAD_PATH) -> Head:
    """The fitted head; SetupError naming the file where it is missing or not usable."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != _FORMAT:
            raise ValueError(f"format {body['format']}, expected {_FORMAT}")
        if tuple(body["cues"]) != CUES:
            raise ValueError("it was fitted on other cues than this version computes")
        axes_weights, axes_bias = _matrix(body["axes"], AXES)
        domain_weights, domain_bias = _matrix(body["domains"], DOMAINS)
        encoder, stamp = str(body["encoder"]), body["stamp"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"the signals head {path} cannot be used: {error}; reinstall Ockham, "
            "or fit it with `ockham signals train`"
        ) from error
    return Head(encoder, axes_weights, axes_bias, domain_weights, domain_bias, stamp)


def _rows(
    names: tuple[str, ...], weights: NDArray[np.float32], bias: NDArray[np.float32]
) -> dict[str, dict[str, Any]]:
    return {
        name: {"bias": _short(float(bias[i])), "weights": [_short(float(w)) for w in weights[i]]}
        for i, name in enumerate(names)
    }


def _short(value: float) -> float:
    """The shortest decimal that is the same float32."""
    return float(str(np.float32(value)))


def _matrix(
    rows: Mapping[str, Mapping[str, Any]], names: tuple[str, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    weights = np.array([rows[n]["weights"] for n in names], dtype=np.float32)
    bias = np.array([rows[n]["bias"] for n in names], dtype=np.float32)
    if weights.ndim != 2 or not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise ValueError("weights that are no finite matrix")
    return weights, bias


def _pretty(body: Mapping[str, Any]) -> str:
    """Indented, but each row of weights on one line: small and still diffable."""
    lines = json.dumps(body, indent=1, sort_keys=True).split("\n")
    out: list[str] = []
    in_weights = False
    for line in lines:
        if in_weights:
            out[-1] += line.strip()
            in_weights = "]" not in line
        else:
            out.append(line)
            in_weights = line.endswith('"weights": [')
    return "\n".join(out) + "\n"


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30, 30))), dtype=np.float32)


def _softmax(x: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
