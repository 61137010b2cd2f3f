"""What several of OpenAI's endpoints have in common, as pydantic models.

Strict: a number in quotes is no number. A field of type `None` is one that OpenAI knows and
this gateway does not: it is accepted as null, as clients send it, and refused by name else.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from router.gateway.schemas import BoundedSchema, check_size

__all__ = [
    "MAX_TURNS",
    "Absent",
    "FunctionTools",
    "Metadata",
    "Model",
    "Name",
    "NamedSchema",
    "Overrides",
    "ReasoningEffort",
    "ResponseFormat",
    "RoutedRequest",
    "StreamOptions",
    "Strict",
    "TokenCap",
]


MAX_TURNS = 4096
"""Messages of a conversation; OpenAI takes 2048."""


class Strict(BaseModel):
    """Unknown names are errors, and so is a value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


Absent = Annotated[None, Field(description="Not supported by this gateway: null or left out.")]
Model = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    # Any name is taken, and looked up; this one is always there.
    WithJsonSchema(
        {
            "anyOf": [{"const": "ockham/auto"}, {"type": "string", "minLength": 1}],
            "maxLength": 200,
            "title": "Model",
        }
    ),
]
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
TokenCap = Annotated[
    int,
    Field(
        ge=1,
        le=2**31,
        description="Most tokens of the answer. More than the model's own cap in the "
        "configuration is that cap, and `ockham.note` says so.",
    ),
]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16, description="Accepted, and kept nowhere: see `store`."),
]
USD = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Overrides(Strict):
    """What a request asks of the router: the body's `ockham` object (the OpenAI SDK's
    `extra_body={"ockham": {...}}`). The same in headers: X-Ockham-Max-Cost-USD,
    -Max-Latency-S, -Min-Confidence, -Policy, -Reasoning. The stricter of the two holds."""

    policy: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """A policy's name as in `ockham/<policy>`; only with the model `ockham/auto`."""
    max_cost_usd: USD | None = None
    """Most that this request may cost; the configuration's limit holds as well."""
    max_latency_s: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    """Wall clock, the wait in the queue included."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    """P(right) below which another arm is tried."""
    reasoning: bool | None = None
    """Stream what a reasoner thinks, as deltas named `reasoning_content`."""


class StreamOptions(Strict):
    """`stream_options`."""

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


class NamedSchema(Strict):
    """`response_format.json_schema`."""

    name: Name | None = None
    description: str | None = None
    definition: BoundedSchema = Field(alias="schema")
    strict: bool | None = None


class ResponseFormat(Strict):
    """`response_format`."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None

    @model_validator(mode="after")
    def _schema_with_its_type(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema is given with the type json_schema, and only then")
        return self


class _Function(Strict):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Strict):
    """A tool that the client runs."""

    type: Literal["function"]
    function: _Function


def _bounded(tools: list[FunctionTool]) -> list[FunctionTool]:
    check_size(tool.function.parameters for tool in tools)
    return tools


FunctionTools = Annotated[
    list[FunctionTool], Field(min_length=1, max_length=128), AfterValidator(_bounded)
]


class RoutedRequest(Strict, ABC):
    """What the bodies of the APIs that are routed have in common."""

    model: Model
    stream: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    parallel_tool_calls: bool | None = None
    service_tier: Literal["auto", "default"] | None = None
    store: Literal[False] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    metadata: Metadata | None = None
    ockham: Overrides | None = None
    moderation: Absent = None
    prompt_cache_options: Absent = None
    prompt_cache_retention: Absent = None

    @property
    @abstractmethod
    def token_cap(self) -> int | None:
        """Most tokens of the answer that the caller wants."""

    def check_together(
        self, stream_options: object, tools: Collection[str], chosen: str | None
    ) -> None:
        """Raise `ValueError` for a parameter without the one that it belongs to.

        `tools`: names of those given; `chosen`: the one that `tool_choice` names.
        """
        if stream_options is not None and not self.stream:
            raise ValueError("stream_options needs stream: true")
        if chosen is not None and chosen not in tools:
            raise ValueError("tool_choice names a function that is not among the tools")
