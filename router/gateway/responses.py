"""`POST /v1/responses`."""

from router.gateway.body import parse
from router.gateway.chat import answer_once
from router.gateway.chat_out import headers_of
from router.gateway.exchange import Exchange
from router.gateway.naming import target_of
from router.gateway.overrides import bounds_of, conversation_key, overrides_of
from router.gateway.responses_out import finished, items_of, response_body
from router.gateway.responses_query import messages_of_items, response_query
from router.gateway.responses_schema import ResponsesRequest
from router.gateway.responses_stream import ResponseWriter
from router.gateway.stream import stream_run

__all__ = ["responses"]


async def responses(exchange: Exchange) -> None:
    """One response, whole or as a stream."""
    who = await exchange.authenticate()
    body = await exchange.body()
    request = parse(ResponsesRequest, body)
    asked = overrides_of(exchange.headers, request.ockham)
    router = exchange.generation.router
    target = target_of(router, request.model, asked)
    exchange.policy = target.policy
    messages = messages_of_items(body, exchange.settings.gateway.allow_image_urls)
    limit = exchange.settings.limits.timeout_s
    query = response_query(
        request, body, exchange.id, messages=messages, bounds=bounds_of(asked, 0.0, limit),
        conversation=conversation_key(who.tenant, messages),
    )  # fmt: skip
    query = await exchange.admit(query, asked)
    booking = await exchange.book(query)
    if not request.stream:
        answer = await answer_once(exchange, query, target, booking)
        made = response_body(exchange.id, request, body, "completed", answer.model)
        whole = finished(made, answer, items_of(exchange.id, answer))
        trace = (b"x-ockham-trace-id", exchange.id.encode())
        await exchange.send_json(whole, headers=[*headers_of(answer), trace])
        return
    made = response_body(exchange.id, request, body, "in_progress", request.model)
    writer = ResponseWriter(exchange.id, made, reasoning=bool(asked.reasoning))
    run = router.astream(query, policy=target.choice, commit=True, purse=booking)
    await stream_run(exchange, run, writer)
