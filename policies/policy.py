"""The policy protocol, its registry, and the helpers that every rule shares.

A policy is a frozen pydantic model: its fields are its parameters, so an unknown or
impossible parameter is an error that names it, and `to_state` / `from_state` are plain
data. `choose` is pure: no clock, no files, no global state; randomness comes from
`CaseBatch.row_key` and a seed.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from policies.case import ANSWERED, FAILED, NONE, STOP, CaseBatch, ChoiceBatch, PolicyError

__all__ = [
    "Needs",
    "Policy",
    "available_policies",
    "best_attempt",
    "choose_from",
    "create",
    "first_open",
    "last_call_failed",
    "prefer_capable",
    "ready_policies",
    "register",
]


class Needs(BaseModel):
    """What a policy reads: a table that lacks it cannot replay the policy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: frozenset[str] = frozenset()
    attempts: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    """Feature blocks that it reads where a case has them; one that is not there, or a row of it
    that is NaN, is not known."""


class Policy(BaseModel):
    """Base of every policy: parameters as fields, one pure method."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    needs: ClassVar[Needs] = Needs()
    holds_rows: ClassVar[bool] = False
    """Its state holds a row of every training query: for comparing, never for a preset."""

    def parts(self) -> "Iterator[Policy]":
        """Itself, and every policy that it wraps."""
        yield self
        for name in type(self).model_fields:
            inner = getattr(self, name)
            if isinstance(inner, Policy):
                yield from inner.parts()

    @abstractmethod
    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        """Pick the next arm, or STOP, for every row."""

    def to_state(self) -> dict[str, Any]:
        """Name, version and parameters as plain data."""
        return {"name": self.name, "version": self.version, "params": self.model_dump(mode="json")}

    @staticmethod
    def from_state(state: Mapping[str, Any]) -> "Policy":
        """The policy that `to_state` described; `PolicyError` if it is not registered here."""
        policy = create(str(state["name"]), state.get("params", {}))
        if policy.version != state.get("version"):
            raise PolicyError(
                f"policy {policy.name!r} is version {policy.version} here, "
                f"the state was written by version {state.get('version')}"
            )
        return policy


# By outcome code: padding, answered (failed its check), incomplete, abstained, call failed. Looked
# up, and compared with plain numbers, since a live decision is asked for in microseconds.
_RANK = np.array([0.0, 4.0, 2.0, 3.0, 1.0])

_REGISTRY: dict[str, type[Policy]] = {}
P = TypeVar("P", bound=type[Policy])


def register(cls: P) -> P:
    """Class decorator: make the policy known under `cls.name`. Duplicates are an error."""
    known = _REGISTRY.get(cls.name)
    # The same class again is a module run twice (a notebook cell); anything else is not.
    here = (cls.__module__, cls.__qualname__)
    if known is not None and (known.__module__, known.__qualname__) != here:
        raise PolicyError(f"two policies are named {cls.name!r}: {known!r} and {cls!r}")
    _REGISTRY[cls.name] = cls
    return cls


def available_policies() -> tuple[str, ...]:
    """Names that `create` knows."""
    return tuple(sorted(_REGISTRY))


def ready_policies() -> tuple[str, ...]:
    """Those of them that need no parameters: what can be asked for by a bare name."""
    return tuple(
        name
        for name in available_policies()
        if not any(field.is_required() for field in _REGISTRY[name].model_fields.values())
    )


def create(name: str, params: Mapping[str, Any] | None = None) -> Policy:
    """The policy of that name. Raises `PolicyError` naming the unknown name or parameter."""
    cls = _REGISTRY.get(name)
    if cls is None:
        raise PolicyError(f"unknown policy {name!r}; known: {', '.join(available_policies())}")
    try:
        return cls.model_validate(dict(params or {}))
    except ValidationError as error:
        what = "; ".join(_told(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors())
        raise PolicyError(f"policy {name!r}: {what}") from None


def _told(field: str, message: str) -> str:
    """A rule over several fields has no field to name."""
    plain = message.removeprefix("Value error, ")
    return f"{field}: {plain}" if field else plain


def best_attempt(cases: CaseBatch) -> NDArray[np.int64]:
    """(n,) index of the attempt to return, -1 where nothing was tried.

    A passed check beats an unchecked answer, which beats a failed check, which beats an
    abstention, an incomplete answer and a failed call; among equals a large arm beats a
    small one, and the later attempt beats the earlier.
    """
    a = cases.attempts
    n, k = a.arm.shape
    if k == 0:
        return np.full(n, -1, dtype=np.int64)
    answered = a.outcome == ANSWERED
    rank = _RANK[a.outcome] + answered * (2.0 * (a.passed == 1.0) + np.isnan(a.passed))
    large = np.array([arm.tier == "large" for arm in cases.arms])
    rank = rank + 0.5 * large[np.clip(a.arm, 0, None)] + 1e-3 * np.arange(k)
    best: NDArray[np.int64] = np.argmax(rank, axis=1).astype(np.int64)
    return np.where((a.outcome == NONE).all(axis=1), -1, best)


def first_open(open_: NDArray[np.bool_], order: Sequence[int]) -> NDArray[np.int64]:
    """(n,) the first column of `order` that is open in each row, STOP where none is."""
    if not order:
        return np.full(open_.shape[0], STOP, dtype=np.int64)
    columns = np.array(order, dtype=np.int64)
    flags = open_[:, columns]
    found = np.logical_or.reduce(flags, axis=1)
    return np.where(found, columns[flags.argmax(axis=1)], STOP)


def prefer_capable(cases: CaseBatch, can: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n, A) of what can be run: the arms made for the query, all where there is none of those."""
    made_for = can & cases.capable
    return np.where(made_for.any(axis=1, keepdims=True), made_for, can)


def last_call_failed(cases: CaseBatch) -> NDArray[np.bool_]:
    """(n,) True where every attempt so far, if any, died as a call: nothing was said."""
    outcome = cases.attempts.outcome
    silent = (outcome == FAILED) | (outcome == NONE)
    return np.asarray(silent.all(axis=1), dtype=bool)


def choose_from(
    cases: CaseBatch,
    arm: NDArray[np.int64],
    reasons: Mapping[str, NDArray[np.bool_]],
    sentences: Mapping[str, str],
    probability: NDArray[np.float64] | None = None,
    attempt: NDArray[np.int64] | None = None,
) -> ChoiceBatch:
    """A `ChoiceBatch` from the chosen columns: fills in what a simple rule does not say.

    `arm` is (n,) with STOP allowed, `reasons` maps a code to (n,) flags. Without
    `probability` the choice counts as deterministic; without `attempt` the best one returns.
    """
    n, a = len(cases), len(cases.arms)
    if not isinstance(arm, np.ndarray):
        raise PolicyError(f"arm is a {type(arm).__name__}, expected an array")
    stop = arm == STOP
    if attempt is None:
        attempt = best_attempt(cases) if stop.any() else np.full(n, -1, dtype=np.int64)
    if probability is None:
        probability = np.zeros((n, a))
        rows = np.nonzero(~stop)[0]
        probability[rows, arm[rows]] = 1.0
    return ChoiceBatch(
        arm=arm,
        attempt=np.where(stop, attempt, -1),
        probability=probability,
        quality=np.full((n, a), np.nan),
        cost=cases.predicted_cost,
        reason_codes=tuple(reasons),
        reasons=np.stack(list(reasons.values()), axis=1) if reasons else np.zeros((n, 0), bool),
        sentences=sentences,
    )
