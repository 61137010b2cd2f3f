"""`POST /v1/chat/completions`."""

from typing import Any

from router.gateway.chat_out import completion
from router.gateway.chat_query import call_of, checks_of, messages_of
from router.gateway.chat_schema import ChatRequest
from router.gateway.chat_stream import ChatWriter
from router.gateway.exchange import Exchange
from router.gateway.routed import Api, Body, serve_routed
from router.state import Answer, JsonSchemaCheck, Message

__all__ = ["Chat", "chat"]


class Chat(Api[ChatRequest]):
    """OpenAI's chat completions."""

    schema = ChatRequest
    form = "response_format"

    def messages(self, body: Body, allow_urls: bool, as_it_is: bool) -> tuple[Message, ...]:
        return messages_of(body["messages"], allow_urls, as_it_is)

    def checks(self, request: ChatRequest) -> tuple[JsonSchemaCheck, ...]:
        return checks_of(request.response_format)

    def call(self, request: ChatRequest, body: Body) -> dict[str, Any]:
        return call_of(request, body)

    def response_format(self, body: Body) -> dict[str, Any] | None:
        return body.get("response_format")

    def whole(self, request: ChatRequest, body: Body, answer: Answer) -> dict[str, Any]:
        return completion(answer)

    def writer(self, id: str, request: ChatRequest, body: Body, *, reasoning: bool) -> ChatWriter:
        options = request.stream_options
        usage = bool(options and options.include_usage)
        return ChatWriter(id, request.model, usage=usage, reasoning=reasoning)


_API = Chat()


async def chat(exchange: Exchange) -> None:
    """One completion, whole or as a stream."""
    await serve_routed(exchange, _API)
