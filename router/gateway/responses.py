"""`POST /v1/responses`."""

from typing import Any

from router.gateway.exchange import Exchange
from router.gateway.responses_out import finished, items_of, response_body
from router.gateway.responses_query import (
    call_of,
    checks_of,
    messages_of_items,
    response_format_of,
)
from router.gateway.responses_schema import ResponsesRequest
from router.gateway.responses_stream import ResponseWriter
from router.gateway.routed import Api, Body, serve_routed
from router.state import Answer, JsonSchemaCheck, Message

__all__ = ["responses"]


class _Responses(Api[ResponsesRequest]):
    schema = ResponsesRequest
    form = "text.format"

    def messages(self, body: Body, allow_urls: bool, as_it_is: bool) -> tuple[Message, ...]:
        return messages_of_items(body, allow_urls, as_it_is)

    def checks(self, request: ResponsesRequest) -> tuple[JsonSchemaCheck, ...]:
        return checks_of(request)

    def call(self, request: ResponsesRequest, body: Body) -> dict[str, Any]:
        return call_of(request, body)

    def response_format(self, body: Body) -> dict[str, Any] | None:
        return response_format_of(body)

    def whole(self, request: ResponsesRequest, body: Body, answer: Answer) -> dict[str, Any]:
        id = answer.trace.id
        made = response_body(id, request, body, "completed", answer.model)
        return finished(made, answer, items_of(id, answer))

    def writer(
        self, id: str, request: ResponsesRequest, body: Body, *, reasoning: bool
    ) -> ResponseWriter:
        made = response_body(id, request, body, "in_progress", request.model)
        return ResponseWriter(id, made, reasoning=reasoning)


_API = _Responses()


async def responses(exchange: Exchange) -> None:
    """One response, whole or as a stream."""
    await serve_routed(exchange, _API)
