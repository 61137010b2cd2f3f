"""OpenAI's shapes, as far as this gateway speaks them.

A parameter is honoured or refused by name, never ignored: `tools`, `n` > 1, `logprobs`,
images and the rest get a 400 until an arm can do them. Only `user` and a turn's `name` are
accepted without effect: they say who speaks, not what to do. A `response_format` is asked of
the model and checked in its answer: `json_schema` by its schema, `json_object` as any object.
"""

import time
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from router.commands import answer_json
from router.errors import InputError
from router.state import Answer, JsonSchemaCheck, Message, Query, Sampling
from router.verify.format import schema_fault

__all__ = ["ChatRequest", "chunk", "completion", "to_query"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class _Turn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part]
    name: str | None = None


class _StreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    include_usage: bool = False
    include_obfuscation: bool = False


class _NamedSchema(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    description: str | None = None
    definition: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class _ResponseFormat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["text", "json_object", "json_schema"]
    json_schema: _NamedSchema | None = None

    @model_validator(mode="after")
    def _schema_with_its_type(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema is given with the type json_schema, and only then")
        return self


class ChatRequest(BaseModel):
    """The body of `POST /v1/chat/completions`."""

    model_config = ConfigDict(extra="forbid")

    model: str
    messages: list[_Turn] = Field(min_length=1)
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    n: Literal[1] | None = None
    user: str | None = None
    response_format: _ResponseFormat | None = None


def to_query(request: ChatRequest, id: str) -> Query:
    """The request as a `Query`. Raises `InputError` where the two token caps disagree."""
    caps = {request.max_tokens, request.max_completion_tokens} - {None}
    if len(caps) > 1:
        raise InputError("max_tokens and max_completion_tokens differ: set one of them")
    sampling = Sampling(
        max_tokens=next(iter(caps), None),
        temperature=request.temperature,
        top_p=request.top_p,
    )
    return Query(
        id=id,
        messages=tuple(_message(t) for t in request.messages),
        sampling=sampling,
        checks=_checks(request.response_format),
    )


def _checks(wanted: _ResponseFormat | None) -> tuple[JsonSchemaCheck, ...]:
    """The check that a response format is. Raises `InputError` where its schema is wrong."""
    if wanted is None or wanted.type == "text":
        return ()
    named = wanted.json_schema
    schema = named.definition if named else {"type": "object"}
    if named and (fault := schema_fault(schema)):
        raise InputError(f"response_format: {fault}")
    return (JsonSchemaCheck(definition=schema),)


def _message(turn: _Turn) -> Message:
    text = (
        turn.content
        if isinstance(turn.content, str)
        else "".join(part.text for part in turn.content)
    )
    role = "system" if turn.role == "developer" else turn.role
    return Message(role=role, content=text)


def completion(answer: Answer) -> dict[str, Any]:
    """A `chat.completion`; `model` is the one that answered, `ockham` explains the route."""
    return {
        "id": f"chatcmpl-{answer.trace.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": answer.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer.answer, "refusal": None},
                "logprobs": None,
                "finish_reason": answer.finish,
            }
        ],
        "usage": _usage(answer),
        "ockham": _explained(answer),
    }


def chunk(
    id: str,
    model: str,
    delta: dict[str, str],
    *,
    finish: str | None = None,
    final: Answer | None = None,
) -> dict[str, Any]:
    """A `chat.completion.chunk`; the one with `final` carries usage and the explanation."""
    body: dict[str, Any] = {
        "id": f"chatcmpl-{id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    if final is not None:
        body["ockham"] = _explained(final)
    return body


def usage_chunk(answer: Answer) -> dict[str, Any]:
    """OpenAI's last chunk under `stream_options.include_usage`: no choices, only usage."""
    body = chunk(answer.trace.id, answer.model, {})
    return {**body, "choices": [], "usage": _usage(answer)}


def _usage(answer: Answer) -> dict[str, int]:
    """Tokens of all attempts: that is what was paid for."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def _explained(answer: Answer) -> dict[str, Any]:
    body = answer_json(answer)
    trace = body.pop("trace")
    for key in ("answer", "finish", "tokens"):
        body.pop(key)
    return {**body, "trace_id": trace["id"]}
