"""What a policy is asked, and what it answers: two batches of arrays.

One row is one query, one column is one arm. A live decision is a batch of one; replay
hands over thousands of rows. A `CaseBatch` holds *facts only* (features, prices,
availability, what was tried and what the checks said): the policy estimates quality.

Neither knows files, models or the network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NEEDS",
    "STOP",
    "Arm",
    "AttemptBlock",
    "CaseBatch",
    "ChoiceBatch",
    "Need",
    "Outcome",
    "PolicyError",
    "Shadowed",
]

STOP = -1
"""In `ChoiceBatch.arm`: run nothing more, return `attempt`."""

Need = Literal["tools", "images", "long_context", "structured_output", "repository"]
NEEDS: tuple[Need, ...] = ("tools", "images", "long_context", "structured_output", "repository")
"""Columns of the feature block `needs`: what a query takes beside a model, as probabilities."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class PolicyError(ValueError):
    """A policy was misconfigured, or asked with, or answered, arrays that do not fit."""


class Outcome(IntEnum):
    """How a tried arm ended, as far as a policy may know it at run time."""

    NONE = 0
    """Padding: there was no such attempt."""
    ANSWERED = 1
    """A complete answer."""
    INCOMPLETE = 2
    """Truncated, or nothing but thinking."""
    ABSTAINED = 3
    """The reader says that the passages do not hold the answer."""
    FAILED = 4
    """The call itself failed."""


NONE, ANSWERED, INCOMPLETE, ABSTAINED, FAILED = map(int, Outcome)
"""The codes as plain numbers: what arrays are compared with in a live decision."""


@dataclass(frozen=True, slots=True)
class Arm:
    """The static facts of one arm (one column)."""

    name: str
    tier: Literal["small", "large"]
    context: Literal["none", "index"] = "none"
    method: str = "single"


@dataclass(frozen=True, slots=True)
class AttemptBlock:
    """What has been tried, padded to the longest history; all arrays are (rows, attempts)."""

    arm: Ints
    """Column of the arm, -1 for padding."""
    outcome: Ints
    """`Outcome` codes."""
    passed: Floats
    """The verdict: 1 passed, 0 failed, NaN where no check could tell."""
    confidence: Floats
    """The verifier's confidence in [0, 1], NaN where it gives none."""
    cost_usd: Floats
    completion_tokens: Ints
    agreement: Floats
    """Share of the votes that the answer got, NaN where there was no vote."""
    logprob: Floats
    """Mean log-probability of the answer's tokens, nats; NaN where none was asked for."""
    logprob_answer: Floats
    """The same over the tokens of the final answer alone."""
    certainty: Floats
    """Minus the mean log-probability of the candidates listed for each token (DeepConf)."""
    measured: Mapping[str, Floats] = field(default_factory=dict)
    """What the check measured of the answer, by name; NaN where it measured nothing. A name
    that no attempt has is not there."""

    @classmethod
    def empty(cls, rows: int) -> "AttemptBlock":
        """No attempts yet, for `rows` queries."""
        floats = np.empty((rows, 0), dtype=np.float64)
        ints = np.empty((rows, 0), dtype=np.int64)
        return cls(ints, ints, floats, floats, floats, ints, floats, floats, floats, floats)


@dataclass(frozen=True, slots=True)
class CaseBatch:
    """Facts about n queries and A arms. Shapes are checked; raises `PolicyError`."""

    arms: tuple[Arm, ...]
    features: Mapping[str, Floats]
    """Named feature blocks, each (n, d). `axes` is (n, 2): verifiability, knowledge demand."""
    fingerprint: str
    """Of the featuriser that made the blocks."""
    predicted_cost: Floats
    """(n, A) USD, at the predicted number of tokens."""
    worst_cost: Floats
    """(n, A) USD, at the arm's token cap."""
    predicted_seconds: Floats
    """(n, A) NaN where nothing is known."""
    available: Bools
    """(n, A) False: cannot be run (not configured, down, over the cap). Never choose it."""
    capable: Bools
    """(n, A) False: can be run, but the model is not made for such a query (its language)."""
    request_left: Floats
    """(n,) USD left under the request cap."""
    tenant_left: Floats
    """(n,) USD left in the tenant's budget; inf where there is none."""
    row_key: NDArray[np.uint64]
    """(n,) a stable hash of the query: randomness is drawn from it, so replay repeats live."""
    attempts: AttemptBlock

    def __post_init__(self) -> None:
        n, a = len(self), len(self.arms)
        if a == 0:
            raise PolicyError("a case needs at least one arm")
        for name in ("predicted_cost", "worst_cost", "predicted_seconds", "available", "capable"):
            _expect(name, getattr(self, name), (n, a))
        for name in ("request_left", "tenant_left"):
            _expect(name, getattr(self, name), (n,))
        for name, block in self.features.items():
            if block.ndim != 2 or block.shape[0] != n:
                raise PolicyError(f"feature block {name!r} is {block.shape}, expected ({n}, d)")
        tried = self.attempts.arm
        if tried.ndim != 2 or tried.shape[0] != n:
            raise PolicyError(f"attempts are {tried.shape}, expected ({n}, attempts)")
        for name, value in _columns(self.attempts):
            _expect(f"attempts.{name}", value, tried.shape)
        self._freeze()

    def _freeze(self) -> None:
        """Facts are read-only: a policy that writes into them is told so by numpy."""
        own = [getattr(self, name) for name in _CASE_FIELDS]
        attempts = [value for _, value in _columns(self.attempts)]
        for value in (*own, *attempts, *self.features.values()):
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __len__(self) -> int:
        return int(self.row_key.shape[0])

    @property
    def tried(self) -> Bools:
        """(n, A) True where the arm has been run."""
        n, a = len(self), len(self.arms)
        out = np.zeros((n, a), dtype=bool)
        rows, slots = np.nonzero(self.attempts.arm >= 0)
        out[rows, self.attempts.arm[rows, slots]] = True
        return out

    @property
    def open(self) -> Bools:
        """(n, A) True where the arm can still be run: available and not tried."""
        return self.available & ~self.tried

    def columns(self, tier: str, context: str | None = None) -> tuple[int, ...]:
        """Columns of the arms of one tier (and context), in declared order."""
        return tuple(
            i
            for i, arm in enumerate(self.arms)
            if arm.tier == tier and (context is None or arm.context == context)
        )

    def optional(self, name: str) -> Floats:
        """(n,) first column of a block, NaN where the case does not have it."""
        block = self.features.get(name)
        return np.full(len(self), np.nan) if block is None else np.asarray(block[:, 0])

    def block(self, name: str) -> Floats:
        """A feature block by name; `PolicyError` says which blocks there are."""
        try:
            return self.features[name]
        except KeyError:
            have = ", ".join(sorted(self.features)) or "none"
            raise PolicyError(
                f"feature block {name!r} is not in this case (have: {have})"
            ) from None


@dataclass(frozen=True, slots=True)
class ChoiceBatch:
    """One choice a row. Reasons are a (n, R) table of flags over `reason_codes`, so that
    a million explained decisions stay arrays; `explain(i)` gives the sentences."""

    arm: Ints
    """(n,) column of the arm to run, or STOP."""
    attempt: Ints
    """(n,) on STOP: index of the attempt to return; -1 where nothing was tried."""
    probability: Floats
    """(n, A) probability with which the policy would take each arm; the rest is STOP."""
    quality: Floats
    """(n, A) estimated P(correct); NaN where the policy does not estimate it."""
    cost: Floats
    """(n, A) estimated USD."""
    reason_codes: Sequence[str]
    reasons: Bools
    sentences: Mapping[str, str] = field(default_factory=dict)
    shadows: "tuple[Shadowed, ...]" = ()
    """What policies that do not serve would have chosen."""

    def explain(self, row: int) -> tuple[str, ...]:
        """The reasons of one row, in words where the policy gave words."""
        codes = [c for c, on in zip(self.reason_codes, self.reasons[row], strict=True) if on]
        return tuple(self.sentences.get(code, code) for code in codes)

    def check(self, cases: CaseBatch) -> None:
        """Raise `PolicyError` where the choice does not fit its cases."""
        n, a = len(cases), len(cases.arms)
        _expect("choice.arm", self.arm, (n,), np.integer)
        _expect("choice.attempt", self.attempt, (n,), np.integer)
        for name in ("probability", "quality", "cost"):
            _expect(f"choice.{name}", getattr(self, name), (n, a))
        _expect("choice.reasons", self.reasons, (n, len(self.reason_codes)))
        if _any((self.arm < STOP) | (self.arm >= a)):
            raise PolicyError(f"choice.arm names a column outside -1..{a - 1}")
        made = (cases.attempts.outcome != NONE).sum(axis=1)
        if _any((self.attempt < -1) | (self.attempt >= made)):
            raise PolicyError("choice.attempt names an attempt that was not made")
        p = self.probability
        if _any(~((p >= 0) & (p <= 1))):
            raise PolicyError("choice.probability has values outside [0, 1], or NaN")


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What a policy that does not serve made of the same cases."""

    policy: str
    choice: ChoiceBatch | None
    """None: it broke."""
    error: str = ""


def _any(flags: Bools) -> bool:
    """`np.any`, straight to the ufunc: it is asked in every live decision."""
    return bool(np.logical_or.reduce(flags, axis=None))


def _columns(attempts: AttemptBlock) -> list[tuple[str, object]]:
    """Every array of the block, by the name that an error gives it."""
    own = [(name, getattr(attempts, name)) for name in _ATTEMPT_ARRAYS]
    return own + [(f"measured[{name!r}]", value) for name, value in attempts.measured.items()]


def _expect(
    name: str, array: object, shape: tuple[int, ...], kind: type[np.generic] | None = None
) -> None:
    if not isinstance(array, np.ndarray):
        raise PolicyError(f"{name} is a {type(array).__name__}, expected an array")
    if array.shape != shape:
        raise PolicyError(f"{name} has shape {array.shape}, expected {shape}")
    if kind is not None and not np.issubdtype(array.dtype, kind):
        raise PolicyError(f"{name} holds {array.dtype}, expected whole numbers")


_ATTEMPT_ARRAYS = tuple(f.name for f in fields(AttemptBlock) if f.name != "measured")
_CASE_FIELDS = tuple(f.name for f in fields(CaseBatch))
