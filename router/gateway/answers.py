"""The shapes of what the gateway answers, for the OpenAPI document and the tests that hold
answers against it. Nothing is validated with them while serving: it is made right, not checked.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

__all__ = [
    "Chat",
    "Embeddings",
    "ErrorBody",
    "Feedback",
    "Free",
    "Health",
    "ModelEntry",
    "ModelList",
    "Ready",
    "Reloaded",
    "ResponseBody",
    "RouteAnswer",
]


class _Open(BaseModel):
    """Fields that are named here, and room for more."""

    model_config = ConfigDict(extra="allow")


class _Error(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """OpenAI's error."""

    error: _Error


class Verdict(BaseModel):
    """What a check found of the answer."""

    kind: str
    status: str
    passed: bool | None


class Explained(_Open):
    """The `ockham` object: how the answer came about."""

    trace_id: str
    route: list[str]
    arm: str
    model: str
    policy: str
    cost_usd: float
    cost_basis: Literal["reported", "estimated"]
    saved_usd_estimate: float | None
    verified: bool
    verdict: Verdict
    confidence: float | None
    reasons: list[str]
    note: str | None


class _Message(_Open):
    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    tool_calls: list[dict[str, Any]] | None = None


class _Choice(BaseModel):
    index: int
    message: _Message
    logprobs: dict[str, Any] | None
    finish_reason: str


class _Usage(_Open):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Chat(_Open):
    """`chat.completion`."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[_Choice]
    usage: _Usage
    ockham: Explained


class _ResponseUsage(_Open):
    input_tokens: int
    output_tokens: int
    total_tokens: int


class ResponseBody(_Open):
    """`response`."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete"]
    model: str
    output: list[dict[str, Any]]
    usage: _ResponseUsage
    ockham: Explained


class _Embedding(BaseModel):
    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class _EmbeddingUsage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class Embeddings(_Open):
    """`list` of embeddings."""

    object: Literal["list"]
    model: str
    data: list[_Embedding]
    usage: _EmbeddingUsage


class ModelEntry(_Open):
    """`model`."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """`list` of models."""

    object: Literal["list"]
    data: list[ModelEntry]


class Health(_Open):
    """The process is alive."""

    status: Literal["ok"]


class Ready(_Open):
    """Whether requests can be answered, and what is missing; why it is, with the admin key."""

    ready: bool
    models: dict[str, str]
    """`ready`, `starting`, `not configured` or `down`."""
    ledger: str
    index: str


class Reloaded(BaseModel):
    """What a reload has put in force."""

    generation: int
    policy: str
    workers: int


class RouteAnswer(_Open):
    """The decision of a dry run."""

    signals: dict[str, Any]
    choice: str | None
    """The arm; null where none can be run."""
    reasons: list[str]
    arms: dict[str, dict[str, Any]]
    lookup: dict[str, Any] | None
    shadow: list[dict[str, Any]]


class Feedback(BaseModel):
    """What was recorded."""

    trace_id: str
    source: Literal["feedback"]


class Free(_Open):
    """An object whose fields the parts of the product decide."""
