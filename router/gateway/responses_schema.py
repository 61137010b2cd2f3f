"""The body of `/v1/responses`, after the OpenAI SDK's own types: text, images, function tools.

No response is kept: `store: true`, `previous_response_id`, `conversation` and `background` are
refused by name. OpenAI's default of `store` is true; left out, it counts as false here.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from router.gateway.fields import (
    MAX_TURNS,
    Absent,
    Name,
    ReasoningEffort,
    RoutedRequest,
    Strict,
    TokenCap,
)
from router.gateway.schemas import BoundedSchema, check_size

__all__ = ["ResponsesRequest"]

_Phase = Literal["commentary", "final_answer"]
_Status = Literal["in_progress", "completed", "incomplete"]


class _InputText(Strict):
    type: Literal["input_text"]
    text: str


class _InputImage(Strict):
    type: Literal["input_image"]
    image_url: Annotated[str, StringConstraints(min_length=1)]
    detail: Literal["auto", "low", "high", "original"] | None = None
    file_id: Absent = None


class _OutputText(Strict):
    """As a client sends an answer back that it was given."""

    type: Literal["output_text"]
    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None


class _Refusal(Strict):
    type: Literal["refusal"]
    refusal: str


_Part = Annotated[_InputText | _InputImage | _OutputText | _Refusal, Field(discriminator="type")]


class InputMessage(Strict):
    """A turn."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | Annotated[list[_Part], Field(min_length=1, fail_fast=True)]
    id: str | None = None
    status: _Status | None = None
    phase: _Phase | None = None


class FunctionCall(Strict):
    """A tool that the model called."""

    type: Literal["function_call"]
    call_id: str
    name: Name
    arguments: str
    id: str | None = None
    status: _Status | None = None


class FunctionOutput(Strict):
    """What the tool said."""

    type: Literal["function_call_output"]
    call_id: str
    output: str | Annotated[list[_InputText], Field(min_length=1)]
    id: str | None = None
    status: _Status | None = None


Item = InputMessage | FunctionCall | FunctionOutput


class FunctionToolFlat(Strict):
    """A tool that the client runs; in this API its fields stand beside `type`."""

    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


def _bounded(tools: list[FunctionToolFlat]) -> list[FunctionToolFlat]:
    check_size(tool.parameters for tool in tools)
    return tools


class _NamedTool(Strict):
    type: Literal["function"]
    name: Name


class _PlainFormat(Strict):
    type: Literal["text", "json_object"]


class _SchemaFormat(Strict):
    type: Literal["json_schema"]
    name: Name
    definition: BoundedSchema = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


class _TextConfig(Strict):
    format: Annotated[_PlainFormat | _SchemaFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class _Reasoning(Strict):
    effort: ReasoningEffort | None = None
    summary: Absent = None
    generate_summary: Absent = None


class _StreamOptions(Strict):
    include_obfuscation: Literal[False] | None = None


class ResponsesRequest(RoutedRequest):
    """The body of `POST /v1/responses`."""

    input: (
        Annotated[str, StringConstraints(min_length=1)]
        | Annotated[list[Item], Field(min_length=1, max_length=MAX_TURNS, fail_fast=True)]
    )
    instructions: str | None = None
    stream_options: _StreamOptions | None = None
    max_output_tokens: TokenCap | None = None
    text: _TextConfig | None = None
    reasoning: _Reasoning | None = None
    tools: (
        Annotated[list[FunctionToolFlat], Field(max_length=128), AfterValidator(_bounded)] | None
    ) = None
    tool_choice: Literal["none", "auto", "required"] | _NamedTool | None = None
    truncation: Literal["disabled"] | None = None
    background: Literal[False] | None = None
    include: Annotated[list[str], Field(max_length=0)] | None = None
    context_management: Absent = None
    conversation: Absent = None
    max_tool_calls: Absent = None
    previous_response_id: Absent = None
    prompt: Absent = None
    top_logprobs: Absent = None

    @property
    def token_cap(self) -> int | None:
        """By this API's name."""
        return self.max_output_tokens

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        choice = self.tool_choice
        if not self.tools and choice not in (None, "none", "auto"):
            raise ValueError("tool_choice needs tools")
        chosen = choice.name if isinstance(choice, _NamedTool) else None
        self.check_together(self.stream_options, [tool.name for tool in self.tools or ()], chosen)
        return self
