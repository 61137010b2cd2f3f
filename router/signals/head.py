"""The small head: axes, domains, answer forms and needs, linear in `router.signals.inputs`.

Fitted by `eval/fit/signals.py`, shipped as `head.json` beside this file, and stamped with
what it was fitted on. It belongs to one pair of encoders, and says so. At inference it is
numpy and a matrix product: no scikit-learn, no pickle.

The axes' calibration (Platt 1999: a logistic of the raw score, fitted on families the raw
score had not seen) is a scale and a shift, so it is folded into the weights. `confidence` is
a logistic too: P(both axes stand on the right side of 1/2), from how far they stand from it,
how near the nearest exemplar is, and what is known to go wrong (`CONFIDENCE`).
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError
from router.signals.cues import CUES
from router.state import DOMAINS, FORMS

__all__ = [
    "AXES",
    "CONFIDENCE",
    "HEAD_PATH",
    "OUTPUTS",
    "Head",
    "HeadOutput",
    "confidence_facts",
    "load_head",
]

AXES = ("verifiability", "knowledge_demand")
LEARNED_NEEDS = ("tools", "images", "structured_output", "repository")
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "axes": AXES, "domains": DOMAINS, "forms": FORMS, "needs": LEARNED_NEEDS,
}  # fmt: skip
CONFIDENCE = ("margin", "nearest", "foreign", "leaning", "steered")
"""Smaller of the axes' |log odds|; cosine of the nearest exemplar; not English; a follow-up or
wrapped; text aimed at the router."""
HEAD_PATH = Path(__file__).with_name("head.json")
_FORMAT = 2
_MARGIN_CAP = 6.0

_Floats = NDArray[np.float32]


class HeadOutput(NamedTuple):
    """Probabilities, (n, k) in the order of `OUTPUTS`; `domains` and `forms` sum to one."""

    axes: _Floats
    domains: _Floats
    forms: _Floats
    needs: _Floats


@dataclass(frozen=True)
class Linear:
    """Weights (k, width) and bias (k,)."""

    weights: _Floats
    bias: _Floats

    def __call__(self, rows: _Floats) -> _Floats:
        """(n, k) scores."""
        return np.asarray(rows @ self.weights.T + self.bias, dtype=np.float32)


@dataclass(frozen=True)
class Head:
    """One linear map an output, the confidence, and the stamp of the fit."""

    inputs: str
    """Fingerprint of the rows it was fitted on (`Inputs.fingerprint`)."""
    parts: Mapping[str, Linear]
    confidence: Linear
    stamp: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, rows: _Floats) -> HeadOutput:
        """Score rows; a width that the weights do not have is a ValueError of numpy's."""
        return HeadOutput(
            _sigmoid(self.parts["axes"](rows)),
            _softmax(self.parts["domains"](rows)),
            _softmax(self.parts["forms"](rows)),
            _sigmoid(self.parts["needs"](rows)),
        )

    def sure(self, facts: _Floats) -> _Floats:
        """(n,) confidence from (n, 5) facts in the order of `CONFIDENCE`."""
        return _sigmoid(self.confidence(facts))[:, 0]

    def pulls(self, cues: _Floats) -> _Floats:
        """(n, 2, cues) what each cue adds to the log odds of each axis."""
        weights = self.parts["axes"].weights[:, -len(CUES) :]
        return np.asarray(cues[:, None, :] * weights[None], dtype=np.float32)

    @property
    def fingerprint(self) -> str:
        """A checksum of everything that changes a score."""
        digest = hashlib.sha256(self.inputs.encode())
        for linear in (*(self.parts[name] for name in OUTPUTS), self.confidence):
            for part in (linear.weights, linear.bias):
                digest.update(np.ascontiguousarray(part, dtype="<f4").tobytes())
        return digest.hexdigest()[:8]

    def check_inputs(self, fingerprint: str) -> None:
        """Refuse to score rows of another encoder."""
        if fingerprint != self.inputs:
            raise SetupError(
                f"the signals head was fitted on the encoders {self.inputs}, but the setting "
                f"`signals.encoder` and the installed packages give {fingerprint}: change them "
                "back, or fit a head of its own with `ockham signals train --encoder ... --out ...`"
            )

    def save(self, path: Path) -> None:
        """Write the artefact (eval only); float32 values survive the round trip."""
        body = {
            "format": _FORMAT,
            "inputs": self.inputs,
            "cues": list(CUES),
            "stamp": dict(self.stamp),
            "outputs": {name: _packed(OUTPUTS[name], self.parts[name]) for name in OUTPUTS},
            "confidence": _packed(("confidence",), self.confidence),
        }
        path.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load_head(path: Path = HEAD_PATH) -> Head:
    """The fitted head; SetupError naming the file where it is missing or not usable."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != _FORMAT:
            raise ValueError(f"format {body['format']}, expected {_FORMAT}")
        if tuple(body["cues"]) != CUES:
            raise ValueError("it was fitted on other cues than this version computes")
        parts = {name: _unpacked(body["outputs"][name], OUTPUTS[name]) for name in OUTPUTS}
        confidence = _unpacked(body["confidence"], ("confidence",))
        if confidence.weights.shape[1] != len(CONFIDENCE):
            raise ValueError("its confidence reads other facts than this version computes")
        inputs, stamp = str(body["inputs"]), body["stamp"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"the signals head {path} cannot be used: {error}; reinstall Ockham, "
            "or fit it with `ockham signals train`"
        ) from error
    return Head(inputs, parts, confidence, stamp)


def confidence_facts(
    log_odds: NDArray[np.floating[Any]],
    near: _Floats,
    languages: Sequence[str],
    leaning: Sequence[bool],
    steered: Sequence[bool],
) -> _Floats:
    """(n, 5) what the confidence reads, in the order of `CONFIDENCE`.

    `log_odds` (n, 2) of the axes; `near` (n, m) cosines with the exemplars, m may be 0.
    """
    n = len(languages)
    return np.column_stack(
        [
            np.minimum(np.abs(log_odds).min(axis=1), _MARGIN_CAP),
            near.max(axis=1) if near.shape[1] else np.zeros(n),
            [language != "en" for language in languages],
            leaning,
            steered,
        ]
    ).astype(np.float32)


def _packed(names: tuple[str, ...], linear: Linear) -> dict[str, Any]:
    """One base64 line of little-endian float32 a row: bias first, then the weights."""
    return {
        name: base64.b64encode(
            np.concatenate([linear.bias[i : i + 1], linear.weights[i]]).astype("<f4").tobytes()
        ).decode()
        for i, name in enumerate(names)
    }


def _unpacked(rows: Mapping[str, str], names: tuple[str, ...]) -> Linear:
    table = np.array(
        [np.frombuffer(base64.b64decode(rows[n], validate=True), dtype="<f4") for n in names],
        dtype=np.float32,
    )
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ValueError("weights that are no finite matrix")
    return Linear(np.ascontiguousarray(table[:, 1:]), np.ascontiguousarray(table[:, 0]))


def _sigmoid(x: _Floats) -> _Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30, 30))), dtype=np.float32)


def _softmax(x: _Floats) -> _Floats:
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
