"""OpenAI's error object, and which status an error of ours has."""

from collections.abc import Mapping
from typing import Any

from router.errors import (
    BudgetError,
    ContextOverflow,
    InputError,
    LedgerError,
    ModelError,
    NoAnswerError,
    OckhamError,
    RejectedError,
    TooLateError,
    TooLongError,
)
from router.gateway.encode import usd
from router.masking import masked, pathless
from router.state import Trace

__all__ = [
    "Refused",
    "budget_told",
    "error_body",
    "error_of",
    "needed_usd",
    "out_of_budget",
]

RETRY_S = 5
"""Said to a client where no arm can be run now; a model that is down is tried after 1 to 10 s."""


class Refused(Exception):
    """An error that is told to the client as it is: status, message, code, parameter.

    `kind` is OpenAI's `type`. The message is for the caller: no secret, no path.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        param: str | None = None,
        *,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The object that the client gets."""
        return error_body(str(self), self.kind, self.code, self.param)


def error_body(message: str, kind: str, code: str | None, param: str | None) -> dict[str, Any]:
    """`{"error": {...}}` in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_of(error: Exception) -> Refused:
    """Any error as what the client is told. One that nobody raised on purpose says nothing."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, InputError):
        return Refused(400, str(error), "invalid_value")
    if isinstance(error, ContextOverflow | TooLongError):
        return Refused(400, _for_callers(error), "context_length_exceeded", "messages")
    if isinstance(error, RejectedError):
        return Refused(400, _for_callers(error), "request_rejected")
    if isinstance(error, TooLateError):
        return Refused(408, _for_callers(error), "request_timeout", kind="server_error")
    if isinstance(error, NoAnswerError | ModelError):
        code = "no_answer" if isinstance(error, NoAnswerError) else "model_error"
        return Refused(503, _for_callers(error), code, headers={"retry-after": str(RETRY_S)})
    if isinstance(error, BudgetError):
        return out_of_budget(_for_callers(error))
    if isinstance(error, LedgerError):
        return Refused(
            503, "the ledger cannot be reached, and nothing is spent that is not recorded",
            "ledger_unavailable", headers={"retry-after": str(RETRY_S)},
        )  # fmt: skip
    if isinstance(error, OckhamError):
        return Refused(500, str(error), type(error).__name__)
    return Refused(500, "internal error; see the log", "internal_error")


def _for_callers(error: Exception) -> str:
    """An error that may hold an upstream's words, or a server's."""
    return pathless(masked(str(error)))


def out_of_budget(why: str | None = None) -> Refused:
    """OpenAI's answer to an account without money."""
    return _no_quota(
        "the budget is used up; it opens again with the next day or month, or when it is raised "
        "(`ockham tenants set`)" + (f": {why}" if why else "")
    )


def _no_quota(message: str) -> Refused:
    return Refused(429, message, "insufficient_quota", kind="insufficient_quota")


def needed_usd(error: Exception, trace: Trace | None) -> float | None:
    """The least worst case that the budget did not hold; None where nobody knows."""
    if isinstance(error, BudgetError) and error.needed_usd is not None:
        return error.needed_usd
    steps = trace.steps if trace is not None else ()
    arms = next((s.decision.arms for s in reversed(steps) if s.decision is not None), {})
    kept = [arm.worst_cost_usd for arm in arms.values() if arm.over_budget]
    return min((usd for usd in kept if usd is not None), default=None)


def budget_told(told: Refused, used: Mapping[str, Any], needed: float | None) -> Refused:
    """Why the budget does not pay, and so what helps: it is spent (`told` says that), held by
    requests that are running, or too small for this one even when they have ended.

    Args:
        used: the tenant's `usage`.
        needed: the least that it would have to hold, USD.
    """
    limits = {n: used[n] for n in ("day", "month") if used[n]["limit_usd"] is not None}
    free = {name: one["limit_usd"] - one["spent_usd"] for name, one in limits.items()}
    if any(free[name] <= 0 < one["limit_usd"] for name, one in limits.items()):
        return told
    small = [name for name in free if free[name] < (needed or 0.0) or free[name] <= 0]
    if small:
        least = min(small, key=free.__getitem__)
        return _too_small(least, max(0.0, free[least]), limits[least]["limit_usd"], needed)
    held = any(one["reserved_usd"] > 0 for one in limits.values())
    return _budget_reserved() if held or needed is not None else told


def _too_small(period: str, left: float, limit: float, needed: float | None) -> Refused:
    """No promise of another time, except where the next period's budget holds it."""
    rest = f"what is left of the budget (USD {usd(left)} of {usd(limit)} a {period})"
    if needed is None:
        return _no_quota(f"{rest} holds no worst case; have it raised (`ockham tenants set`)")
    return _no_quota(
        f"{rest} does not hold the cheapest arm's worst case (USD {usd(needed)}); ask for less "
        "(max_tokens, a shorter prompt), or have the budget raised (`ockham tenants set`)"
        + (f"; that of the next {period} would hold it" if needed <= limit else "")
    )


def _budget_reserved() -> Refused:
    """The budget is not spent, but running requests may: to be tried again, unlike the above."""
    return Refused(
        429,
        "what is left of the budget is reserved for requests that are running; try again when "
        "they have ended",
        "budget_reserved",
        kind="rate_limit_exceeded",
        headers={"retry-after": "1"},
    )
