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

__all__ = ["Refused", "budget_reserved", "error_body", "error_of", "out_of_budget"]

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
        return Refused(400, str(error), "context_length_exceeded", "messages")
    if isinstance(error, RejectedError):
        return Refused(400, str(error), "request_rejected")
    if isinstance(error, TooLateError):
        return Refused(408, str(error), "request_timeout", kind="server_error")
    if isinstance(error, NoAnswerError | ModelError):
        code = "no_answer" if isinstance(error, NoAnswerError) else "model_error"
        return Refused(503, str(error), code, headers={"retry-after": str(RETRY_S)})
    if isinstance(error, BudgetError):
        return out_of_budget(str(error))
    if isinstance(error, LedgerError):
        return Refused(
            503, "the ledger cannot be reached, and nothing is spent that is not recorded",
            "ledger_unavailable", headers={"retry-after": str(RETRY_S)},
        )  # fmt: skip
    if isinstance(error, OckhamError):
        return Refused(500, str(error), type(error).__name__)
    return Refused(500, "internal error; see the log", "internal_error")


def out_of_budget(why: str | None = None) -> Refused:
    """OpenAI's answer to an account without money."""
    return Refused(
        429,
        "the budget is used up; it opens again with the next day or month, or when it is raised "
        "(`ockham tenants set`)" + (f": {why}" if why else ""),
        "insufficient_quota",
        kind="insufficient_quota",
    )


def budget_reserved() -> Refused:
    """The budget is not spent, but running requests may: to be tried again, unlike the above."""
    return Refused(
        429,
        "what is left of the budget is reserved for requests that are running; try again when "
        "they have ended",
        "budget_reserved",
        kind="rate_limit_exceeded",
        headers={"retry-after": "1"},
    )
