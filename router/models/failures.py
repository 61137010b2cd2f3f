"""How a call failed, in our words: LiteLLM's exceptions, and whether they cost anything."""

from collections.abc import Iterator

from router.errors import (
    BadResponse,
    ContextOverflow,
    ModelAuthError,
    ModelDied,
    ModelError,
    ModelTimeout,
    ModelUnavailable,
    ModelUnreachable,
    RequestRejected,
)
from router.masking import masked
from router.models.completion import Endpoint, Tally
from router.models.loading import load_litellm
from router.models.wire import StreamError
from router.state import Fault

__all__ = ["cut_off", "fault_of", "model_error", "refused_unread"]


def cut_off(endpoint: Endpoint, tally: Tally) -> ModelError:
    """What is said of a stream that ended without a finish reason."""
    if tally.first is None:
        return BadResponse(
            f"models.{endpoint.name}: the server answered no chat completion; "
            f"is models.{endpoint.name}.api_base an OpenAI-compatible /v1?"
        )
    return ModelDied(
        f"models.{endpoint.name}: the model server broke off in the middle of its answer "
        f"(after {tally.pieces} pieces)"
    )


def model_error(
    endpoint: Endpoint, error: Exception, *, started: bool = False
) -> ModelError | None:
    """LiteLLM's exceptions in our words; None for an error that is not a model's."""
    exceptions = load_litellm().exceptions
    where, said = f"models.{endpoint.name}", _first_line(endpoint, error)
    status = getattr(error, "status_code", None)
    if isinstance(error, exceptions.AuthenticationError | exceptions.PermissionDeniedError):
        return ModelAuthError(
            f"{where}: the key was rejected; check {where}.api_key or the provider's key "
            "in the environment"
        )
    if isinstance(error, exceptions.ContextWindowExceededError) or _is_overflow(status, said):
        return ContextOverflow(f"{where}: the prompt does not fit into the model's context")
    if isinstance(error, exceptions.Timeout):
        return ModelTimeout(f"{where}: the provider timed out")
    if isinstance(error, exceptions.RateLimitError):
        return ModelUnavailable(f"{where}: the provider's rate limit is reached")
    if started:
        return ModelDied(f"{where}: the model server broke off in the middle of its answer")
    if isinstance(error, exceptions.NotFoundError):
        return BadResponse(
            f"{where}: the server knows no model or path {endpoint.model!r}; "
            f"check {where}.model and {where}.api_base"
        )
    if isinstance(error, exceptions.BadRequestError):
        return RequestRejected(f"{where}: the server rejected the request: {said}")
    if any(isinstance(cause, _unsent()) for cause in _causes(error)):
        return ModelUnreachable(f"{where}: nothing answers: {said}")
    if (isinstance(status, int) and status >= 500) or isinstance(error, OSError):
        return ModelUnavailable(
            f"{where}: the model server cannot be reached or refuses to serve: {said}"
        )
    if isinstance(error, StreamError):
        return BadResponse(f"{where}: the server's answer cannot be read: {said}")
    if type(error).__module__.split(".")[0] in {"litellm", "openai", "httpx", "aiohttp", "json"}:
        return BadResponse(f"{where}: the server's answer cannot be read: {said}")
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it: LiteLLM gives a status of its own making to all of them."""
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def fault_of(error: Exception | None) -> Fault | None:
    """Whether the request itself was to blame."""
    if isinstance(error, ContextOverflow):
        return "too_long"
    return "rejected" if isinstance(error, RequestRejected) else None


def refused_unread(error: Exception) -> bool:
    """Whether a call surely cost nothing: it was never sent, or the answer was an error status.

    No provider charges for those. A line that broke, or an answer that cannot be read, may have
    been charged.
    """
    import httpx

    e = load_litellm().exceptions
    refusals = (
        e.AuthenticationError, e.PermissionDeniedError, e.BadRequestError, e.NotFoundError,
        e.RateLimitError,
    )  # fmt: skip
    free: tuple[type[Exception], ...] = (httpx.HTTPStatusError, *_unsent())
    return isinstance(error, refusals) or any(isinstance(c, free) for c in _causes(error))


def _unsent() -> tuple[type[Exception], ...]:
    """What is raised before a request is sent. httpx loads its command line with it: late."""
    import httpx

    return (httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError)


def _is_overflow(status: object, said: str) -> bool:
    """Servers word it differently, and LiteLLM does not know all of their words."""
    return status == 400 and "context" in said and ("length" in said or "size" in said)


def _first_line(endpoint: Endpoint, error: Exception) -> str:
    """The upstream's words, which may quote what was sent to it."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    # Before it is cut: half a key would not be known for one.
    return masked(line, endpoint.api_key or "")[:200]
