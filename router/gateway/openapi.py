"""The operations of the gateway, and the OpenAPI document that is made from them.

An operation is one table row: path, method, handler, the pydantic model of its body and of its
answer. Routes and document come from the same rows, so neither can forget the other.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from router.gateway.answers import ErrorBody
from router.gateway.exchange import Exchange

__all__ = ["Operation", "document"]

Handler = Callable[[Exchange], Awaitable[None]]
_REF = "#/components/schemas/{model}"
_HEADERS = {
    "X-Ockham-Route": "Arms in the order they were tried.",
    "X-Ockham-Model": "The model that answered.",
    "X-Ockham-Cost-USD": "Of all attempts.",
    "X-Ockham-Saved-USD-Estimate": "Against one call of the reference model; an estimate.",
    "X-Ockham-Verdict": "What a check found.",
}
_TRACE = {"X-Ockham-Trace-Id": "For GET /ockham/traces/{id}."}
_EVENT: Mapping[str, Any] = {
    "type": "object",
    "description": "Each event; comments tell the progress in between.",
    "required": ["data"],
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
}
"""Before OpenAPI 3.2 a stream's schema is that of one event."""
_STATUS: Mapping[int, str] = {
    400: "A parameter is wrong or not supported; `param` names it.",
    401: "The key is missing or wrong.",
    403: "Closed by the configuration.",
    404: "No such model, trace or path.",
    408: "The request did not arrive, get its turn, or get its answer, in time.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    429: "A rate limit, the queue or the budget is used up (`code`); see Retry-After.",
    500: "An error of the gateway.",
    503: "No arm could answer, or the gateway is shutting down; see Retry-After.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One path and method.

    `metered`: each request leaves a row in the ledger. `streams`: it may answer as
    `text/event-stream`. `errors`: statuses beside 200 that it may answer with.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: type[BaseModel]
    body: type[BaseModel] | None = None
    name: str = "other"
    metered: bool = False
    streams: bool = False
    secured: bool = True
    errors: tuple[int, ...] = ()
    parameters: Sequence[Mapping[str, Any]] = ()
    content: str = "application/json"
    also: Mapping[int, type[BaseModel]] = field(default_factory=dict)
    """Other statuses with a shape that is no error."""

    @property
    def all_errors(self) -> tuple[int, ...]:
        """What the gateway itself may answer with beside what the handler may."""
        own = {500, *self.errors}
        if self.secured:
            own |= {400, 401, 429, 503}
        if self.body is not None:
            own |= {400, 408, 413, 415}
        return tuple(sorted(own))


OVERRIDES: tuple[Mapping[str, Any], ...] = tuple(
    {
        "name": name, "in": "header", "required": False, "description": text,
        "schema": schema,
    }
    for name, text, schema in (
        ("X-Ockham-Max-Cost-USD", "Cap of this request.", {"type": "number", "minimum": 0}),
        (
            "X-Ockham-Max-Latency-S", "Wall clock, the queue included.",
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6},
        ),
        (
            "X-Ockham-Min-Confidence", "P(right) below which another arm is tried.",
            {"type": "number", "minimum": 0, "maximum": 1},
        ),
        ("X-Ockham-Policy", "A policy; with the model ockham/auto only.", {"type": "string"}),
        (
            "X-Ockham-Reasoning", "Stream what a reasoner thinks.",
            {"type": "string", "enum": ["true", "false"]},
        ),
    )
)  # fmt: skip
"""Per-request overrides as headers; `Overrides` says the same of the body."""


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    bodies = {op.body for op in operations if op.body is not None}
    answers = {op.answer for op in operations} | {ErrorBody}
    answers |= {model for op in operations for model in op.also.values()}
    wanted: list[Any] = [(model, "validation") for model in sorted(bodies, key=_name)]
    wanted += [(model, "serialization") for model in sorted(answers, key=_name)]
    names, schemas = models_json_schema(wanted, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = operation.path.replace(":path}", "}")
        paths.setdefault(path, {})[operation.method.lower()] = _told(operation, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ockham",
            "version": version("ockham-router"),
            "description": "OpenAI's API in front of a router that uses no bigger model than "
            "the question needs.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _told(operation: Operation, names: Mapping[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}_{operation.path.strip('/')}".translate(_ID),
        "summary": operation.summary,
        "responses": {"200": _answer(operation, names), **_errors(operation, names)},
    }
    if operation.parameters:
        told["parameters"] = [dict(p) for p in operation.parameters]
    if operation.body is not None:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": names[operation.body, "validation"]}},
        }
    if operation.secured:
        told["security"] = [{"key": []}, {}]
    return told


_ID = str.maketrans({"/": "_", "{": "", "}": "", ".": "_", ":": "_"})


def _answer(operation: Operation, names: Mapping[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {
        operation.content: {"schema": names[operation.answer, "serialization"]}
    }
    if operation.streams:
        content["text/event-stream"] = {"schema": _EVENT}
    headers = {**_HEADERS, **_TRACE} if operation.metered else {}
    told: dict[str, Any] = {"description": "The answer.", "content": content}
    if headers:
        told["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    return told


def _errors(operation: Operation, names: Mapping[Any, Any]) -> dict[str, Any]:
    shapes = dict.fromkeys(operation.all_errors, ErrorBody) | dict(operation.also)
    return {
        str(status): {
            "description": _STATUS[status],
            "content": {"application/json": {"schema": names[shape, "serialization"]}},
        }
        for status, shape in sorted(shapes.items())
    }
