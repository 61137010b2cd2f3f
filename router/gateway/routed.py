"""A request that is routed, the same way for each of OpenAI's APIs that ask for an answer.

An `Api` says what its body means and what its answer looks like; the order of things (who asks,
what may be spent, the place, the books, the run) is here, once.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from router.gateway.body import parse
from router.gateway.chat_out import headers_of
from router.gateway.exchange import Exchange
from router.gateway.fields import Overrides, RoutedRequest
from router.gateway.naming import Target, target_of
from router.gateway.overrides import bounds_of, conversation_key, overrides_of
from router.gateway.stream import Writer, stream_run
from router.state import Answer, JsonSchemaCheck, Message, Query, Sampling

__all__ = ["Api", "Asked", "Body", "admitted", "serve_routed"]

Body = Mapping[str, Any]
R = TypeVar("R", bound=RoutedRequest)


class Api(ABC, Generic[R]):
    """One API. `request` is what `body` was validated as."""

    schema: type[R]
    form: str
    """Its field for the form of the answer."""

    @abstractmethod
    def messages(self, body: Body, allow_urls: bool, as_it_is: bool) -> tuple[Message, ...]:
        """The conversation; `as_it_is`: its turns to the letter. Raises `Refused` for an image
        that may not be passed on."""

    @abstractmethod
    def checks(self, request: R) -> tuple[JsonSchemaCheck, ...]:
        """What the answer is held against; a schema has yet to be checked."""

    @abstractmethod
    def call(self, request: R, body: Body) -> dict[str, Any]:
        """The parameters for the model, by the chat API's names."""

    @abstractmethod
    def response_format(self, body: Body) -> dict[str, Any] | None:
        """The form of the answer as it was asked for, by the chat API's names."""

    @abstractmethod
    def whole(self, request: R, body: Body, answer: Answer) -> dict[str, Any]:
        """The response."""

    @abstractmethod
    def writer(self, id: str, request: R, body: Body, *, reasoning: bool) -> Writer:
        """The same as a stream."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[R]):
    """A request as it was read: what runs, and on what query."""

    body: Body
    request: R
    overrides: Overrides
    target: Target
    query: Query


async def admitted(exchange: Exchange, api: Api[R]) -> Asked[R]:
    """One request, read, and with a place to run in."""
    who = await exchange.authenticate()
    body = await exchange.body()
    request = parse(api.schema, body)
    asked = overrides_of(exchange.headers, request.ockham)
    router, settings = exchange.generation.router, exchange.settings
    target = target_of(router, request.model, asked)
    exchange.policy = target.policy
    messages = api.messages(body, settings.gateway.allow_image_urls, target.as_it_is)
    call = api.call(request, body)
    if target.as_it_is and (form := api.response_format(body)):
        call["response_format"] = form
    query = Query(
        id=exchange.id,
        messages=messages,
        sampling=Sampling(
            max_tokens=request.token_cap, temperature=request.temperature, top_p=request.top_p
        ),
        checks=api.checks(request),
        call=call,
        bounds=bounds_of(asked, 0.0, settings.limits.timeout_s),
        conversation=conversation_key(who.tenant, messages),
    )
    query = await exchange.admit(query, asked, api.form)
    return Asked(body, request, asked, target, query)


async def serve_routed(exchange: Exchange, api: Api[R]) -> None:
    """Answer one request, whole or as a stream."""
    asked = await admitted(exchange, api)
    body, request, query, choice = asked.body, asked.request, asked.query, asked.target.choice
    router = exchange.generation.router
    booking, log = await exchange.book(query), exchange.log
    if request.stream:
        writer = api.writer(exchange.id, request, body, reasoning=bool(asked.overrides.reasoning))
        run = router.astream(query, policy=choice, commit=True, purse=booking, log=log)
        await stream_run(exchange, run, writer)
        return
    answer = await exchange.race(router.aask(query, policy=choice, purse=booking, log=log))
    exchange.answer = answer
    exchange.saw_answer()
    await exchange.send_json(api.whole(request, body, answer), headers=headers_of(answer))
