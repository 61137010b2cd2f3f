"""`POST /v1/chat/completions`."""

from router.gateway.body import parse
from router.gateway.chat_out import completion, headers_of
from router.gateway.chat_query import messages_of, to_query
from router.gateway.chat_schema import ChatRequest
from router.gateway.chat_stream import ChatWriter
from router.gateway.exchange import Exchange
from router.gateway.naming import Target, target_of
from router.gateway.overrides import bounds_of, conversation_key, overrides_of
from router.gateway.stream import stream_run
from router.ledger.booking import Booking
from router.state import Answer, Query

__all__ = ["answer_once", "chat"]


async def chat(exchange: Exchange) -> None:
    """One completion, whole or as a stream."""
    who = await exchange.authenticate()
    body = await exchange.body()
    request = parse(ChatRequest, body)
    asked = overrides_of(exchange.headers, request.ockham)
    target = target_of(exchange.generation.router, request.model, asked)
    exchange.policy = target.policy
    messages = messages_of(body["messages"], exchange.settings.gateway.allow_image_urls)
    key = conversation_key(who.tenant, messages)
    query = to_query(
        request, body, exchange.id, messages=messages, conversation=key,
        bounds=bounds_of(asked, 0.0, exchange.settings.limits.timeout_s),
    )  # fmt: skip
    query = await exchange.admit(query, asked)
    booking = await exchange.book(query)
    if not request.stream:
        answer = await answer_once(exchange, query, target, booking)
        trace = (b"x-ockham-trace-id", exchange.id.encode())
        await exchange.send_json(completion(answer), headers=[*headers_of(answer), trace])
        return
    options = request.stream_options
    writer = ChatWriter(
        exchange.id, request.model, usage=bool(options and options.include_usage),
        reasoning=bool(asked.reasoning),
    )  # fmt: skip
    run = exchange.generation.router.astream(
        query, policy=target.choice, commit=True, purse=booking
    )
    await stream_run(exchange, run, writer)


async def answer_once(exchange: Exchange, query: Query, target: Target, booking: Booking) -> Answer:
    """The answer of a run, which ends where the client leaves."""
    router = exchange.generation.router
    answer = await exchange.race(router.aask(query, policy=target.choice, purse=booking))
    exchange.answer = answer
    exchange.saw_answer()
    return answer
