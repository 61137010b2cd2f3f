"""The body of `/v1/chat/completions`, after the OpenAI SDK's own types.

A parameter is honoured or refused by name, never ignored. `safety_identifier`,
`prompt_cache_key`, `metadata` and `store: false` ask for nothing that would have to be done. A
turn's `name` reaches the model with a turn that is passed on as it came (images, tool calls; all
turns, where a model is named), and is left out of a text's else. The role `developer` is `system`:
that is what every model knows it by.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from router.gateway.fields import (
    MAX_TURNS,
    Absent,
    FunctionTools,
    Name,
    ReasoningEffort,
    ResponseFormat,
    RoutedRequest,
    StreamOptions,
    Strict,
    TokenCap,
)

__all__ = ["ChatRequest"]


class _Text(Strict):
    type: Literal["text"]
    text: str


class _ImageUrl(Strict):
    url: Annotated[str, StringConstraints(min_length=1)]
    detail: Literal["auto", "low", "high", "original"] | None = None


class _Image(Strict):
    type: Literal["image_url"]
    image_url: _ImageUrl


class _Refusal(Strict):
    type: Literal["refusal"]
    refusal: str


class _Called(Strict):
    name: Name
    arguments: str


class _ToolCall(Strict):
    id: str
    type: Literal["function"]
    function: _Called


_Texts = Annotated[list[_Text], Field(min_length=1)]
_UserPart = Annotated[_Text | _Image, Field(discriminator="type")]
_AssistantPart = Annotated[_Text | _Refusal, Field(discriminator="type")]


class _System(Strict):
    role: Literal["system", "developer"]
    content: str | _Texts
    name: str | None = None


class _User(Strict):
    role: Literal["user"]
    content: str | Annotated[list[_UserPart], Field(min_length=1, fail_fast=True)]
    name: str | None = None


class _Assistant(Strict):
    role: Literal["assistant"]
    content: str | Annotated[list[_AssistantPart], Field(min_length=1, fail_fast=True)] | None = (
        None
    )
    tool_calls: Annotated[list[_ToolCall], Field(min_length=1, fail_fast=True)] | None = None
    refusal: str | None = None
    name: str | None = None
    annotations: list[Any] | None = None
    """As a client sends an answer back that it was given; not read."""
    reasoning_content: str | None = None
    """As above."""
    audio: Absent = None
    function_call: Absent = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and self.tool_calls is None and self.refusal is None:
            raise ValueError("an assistant's turn needs content or tool_calls")
        return self


class _Tool(Strict):
    role: Literal["tool"]
    content: str | _Texts
    tool_call_id: str


Turn = Annotated[_System | _User | _Assistant | _Tool, Field(discriminator="role")]
"""One message."""


class _NamedFunction(Strict):
    name: Name


class _NamedTool(Strict):
    type: Literal["function"]
    function: _NamedFunction


_Stop = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Penalty = Annotated[float, Field(ge=-2, le=2)]


class ChatRequest(RoutedRequest):
    """The body of `POST /v1/chat/completions`."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=MAX_TURNS, fail_fast=True)]
    stream_options: StreamOptions | None = None
    max_tokens: TokenCap | None = None
    max_completion_tokens: TokenCap | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=16)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    logit_bias: (
        dict[
            Annotated[str, StringConstraints(pattern=r"^\d{1,7}$")],
            Annotated[float, Field(ge=-100, le=100)],
        ]
        | None
    ) = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: FunctionTools | None = None
    tool_choice: Literal["none", "auto", "required"] | _NamedTool | None = None
    reasoning_effort: ReasoningEffort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    modalities: Annotated[list[Literal["text"]], Field(min_length=1, max_length=1)] | None = None
    audio: Absent = None
    function_call: Absent = None
    functions: Absent = None
    prediction: Absent = None
    web_search_options: Absent = None

    @property
    def token_cap(self) -> int | None:
        """Whichever of its two names was used."""
        return self.max_completion_tokens or self.max_tokens

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        caps = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(caps) > 1:
            raise ValueError("max_tokens and max_completion_tokens differ: set one of them")
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs: true")
        choice = self.tool_choice
        if not self.tools and (choice not in (None, "none") or self.parallel_tool_calls):
            raise ValueError("tool_choice and parallel_tool_calls need tools")
        chosen = choice.function.name if isinstance(choice, _NamedTool) else None
        names = [tool.function.name for tool in self.tools or ()]
        self.check_together(self.stream_options, names, chosen)
        return self
