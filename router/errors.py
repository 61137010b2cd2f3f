"""Every error Ockham raises on purpose.

    OckhamError                  exit 1   (never raised itself)
    ├── ConfigError              exit 2   a setting is wrong; the message names its key
    ├── InputError               exit 2   the query or an argument is wrong
    ├── SetupError               exit 3   a weight file, an index or a tool is missing
    ├── KnowledgeError           exit 3   the index cannot be built, read or trusted
    ├── LedgerError              exit 3   the ledger cannot be opened, read or written
    ├── NoAnswerError            exit 4   every arm that could be tried failed
    │   ├── TooLateError                  none did within the caller's own max_seconds
    │   ├── TooLongError                  the prompt fits no model's context
    │   └── RejectedError                 the models say that they cannot serve the request
    ├── BudgetError              exit 4   the budget holds no arm's worst case
    └── ModelError               exit 4   a model call failed
        ├── ModelUnavailable              the server refused
        │   └── ModelUnreachable          nothing listens: the request was never sent
        ├── ModelAuthError                the key is missing or wrong
        ├── ModelTimeout                  not finished within the request's time
        │   └── ModelStalled              no (more) tokens within models.NAME.stall_s
        ├── ModelDied                     the stream broke off before it was complete
        ├── ContextOverflow               the prompt does not fit the model's context
        └── BadResponse                   the server answered something that is no completion
            └── RequestRejected           it answered that this request cannot be served

Each message says what to change: the setting, the field, or the command to run.
"""

from typing import ClassVar

__all__ = [
    "BadResponse",
    "BudgetError",
    "ConfigError",
    "ContextOverflow",
    "InputError",
    "KnowledgeError",
    "LedgerError",
    "ModelAuthError",
    "ModelDied",
    "ModelError",
    "ModelStalled",
    "ModelTimeout",
    "ModelUnavailable",
    "ModelUnreachable",
    "NoAnswerError",
    "OckhamError",
    "RejectedError",
    "RequestRejected",
    "SetupError",
    "TooLateError",
    "TooLongError",
]


class OckhamError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class ConfigError(OckhamError):
    """A setting is missing, unknown or impossible."""

    exit_code = 2


class InputError(OckhamError):
    """The query, a file of queries or an argument cannot be used."""

    exit_code = 2


class SetupError(OckhamError):
    """A weight file, an artefact or a tool that set-up provides is not there."""

    exit_code = 3


class KnowledgeError(OckhamError):
    """The knowledge index cannot be built, read or trusted."""

    exit_code = 3


class LedgerError(OckhamError):
    """The ledger cannot be opened, read or written. Nothing was reserved, so nothing is spent."""

    exit_code = 3


class NoAnswerError(OckhamError):
    """Every arm that could be tried failed, so there is nothing to return."""

    exit_code = 4


class TooLateError(NoAnswerError):
    """No arm answered within the seconds that the caller allowed; more of them may help."""


class TooLongError(NoAnswerError):
    """The prompt fits the context of no model that could be asked: a shorter one may."""


class RejectedError(NoAnswerError):
    """Every model that was asked says that it cannot serve this request as it is."""


class BudgetError(OckhamError):
    """The budget that pays for the run holds no arm's worst case, and nothing was answered."""

    exit_code = 4

    def __init__(self, message: str, left_usd: float, needed_usd: float | None = None) -> None:
        super().__init__(message)
        self.left_usd = left_usd
        """What the budget has left, USD."""
        self.needed_usd = needed_usd
        """The worst case that it would have to hold; None: the arms of the run's trace say."""


class ModelError(OckhamError):
    """A model call failed."""

    exit_code = 4


class ModelUnavailable(ModelError):
    """Nothing listens at the address, or the server refused to serve."""


class ModelUnreachable(ModelUnavailable):
    """Nothing listens at the address: the request was never sent."""


class ModelAuthError(ModelError):
    """The provider rejected the key."""


class ModelTimeout(ModelError):
    """The model gave no (more) tokens within its time limit."""


class ModelStalled(ModelTimeout):
    """The server is there and says nothing, whatever time the request had left."""


class ModelDied(ModelError):
    """The stream broke off before the completion was complete."""


class ContextOverflow(ModelError):
    """The prompt does not fit into the model's context."""


class BadResponse(ModelError):
    """The server answered something that is no chat completion."""


class RequestRejected(BadResponse):
    """The server says that this request cannot be served; others may well be."""
