"""Run one arm once: prompt, model call, reading of what came back, price.

An arm is model x context x method. Here: context `none` (the model's own parameters) and
`index` (passages of the knowledge index, read and cited), method `single`. Whatever
happens, the result is an `Attempt` with its status, tokens and cost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from router.arms.prompts import messages_for
from router.arms.reader import parse_reader, reader_messages, reader_response_format
from router.arms.thinking import ThinkFilter, unclosed, visible_text
from router.config import ArmSettings, ModelSettings
from router.errors import ModelDied, ModelUnavailable
from router.models.client import Completion, Endpoint, complete
from router.models.pool import Models
from router.state import Attempt, AttemptStatus, Citation, Passage, Price, Query, Sampling, Signals
from router.verify.text import boxes

__all__ = ["ArmRunner", "Searcher", "token_cap"]

LEAST_CHARS_PER_TOKEN = 3
"""Dense text (numbers, code) has about three characters a token; prose has more."""
ROOM = 96
"""Tokens left for the chat template."""


class Searcher(Protocol):
    """What an arm needs of a knowledge index."""

    async def asearch(self, query: str, k: int = 5) -> tuple[Passage, ...]:
        """The k best passages, best first."""
        ...


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one completion says, read by the arm's context."""

    text: str
    status: AttemptStatus
    citations: tuple[Citation, ...] = ()


class ArmRunner:
    """Runs arms against the models and the index."""

    def __init__(self, models: Models, index: Searcher | None, passages: int) -> None:
        self._models = models
        self._index = index
        self._passages = passages

    async def run(
        self,
        name: str,
        arm: ArmSettings,
        query: Query,
        signals: Signals,
        *,
        timeout_s: float,
        on_text: Callable[[str], None] | None = None,
    ) -> Attempt:
        """One attempt. `on_text` gets the visible text as it is written (context `none`)."""
        price = self._models.price(arm.model) or Price(input_usd=0, output_usd=0, basis="unknown")
        try:
            endpoint = self._models.endpoint(arm.model)
        except ModelUnavailable as error:
            return Attempt(
                arm=name, model=arm.model, text="", status=AttemptStatus.FAILED,
                error=str(error), price=price,
            )  # fmt: skip
        passages = await self._retrieve(arm, query)
        done = await self._call(endpoint, arm, query, signals, passages, timeout_s, on_text)
        if isinstance(done.error, ModelUnavailable | ModelDied):
            self._models.report_down(arm.model, done.error)
        opened = self._models.settings(arm.model).thinking
        reading = _read(done, arm, passages, opened=opened)
        return Attempt(
            arm=name,
            model=done.model,
            text=reading.text,
            status=reading.status,
            error=str(done.error) if done.error else None,
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.completion_tokens,
            tokens_basis=done.tokens_basis,
            cost_usd=price.cost(done.prompt_tokens, done.completion_tokens),
            price=price,
            seconds=done.seconds,
            first_token_seconds=done.first_token_seconds,
            passages=passages,
            citations=reading.citations,
        )

    async def _retrieve(self, arm: ArmSettings, query: Query) -> tuple[Passage, ...]:
        if arm.context == "none" or self._index is None:
            return ()
        return await self._index.asearch(query.text, self._passages)

    def _cap(self, arm: ArmSettings, messages: Sequence[Mapping[str, str]]) -> int:
        """The arm's token cap, less where the context has no room for it beside the prompt."""
        cap = token_cap(arm, self._models.settings(arm.model))
        context = self._models.context_tokens(arm.model)
        if context is None:
            return cap
        prompt = sum(len(m["content"]) for m in messages) // LEAST_CHARS_PER_TOKEN
        return max(1, min(cap, context - prompt - ROOM))

    async def _call(
        self,
        endpoint: Endpoint,
        arm: ArmSettings,
        query: Query,
        signals: Signals,
        passages: Sequence[Passage],
        timeout_s: float,
        on_text: Callable[[str], None] | None,
    ) -> Completion:
        messages: Sequence[Mapping[str, str]]
        form: Mapping[str, Any] | None = None
        emit: Callable[[str], None] | None = None
        if arm.context == "index":
            messages = reader_messages(query, passages)
            form = reader_response_format(len(passages))
        else:
            messages = messages_for(query, signals.domain)
            form = query.response_format
            opened = self._models.settings(arm.model).thinking
            emit = ThinkFilter(on_text, opened=opened) if on_text else None
        cap = self._cap(arm, messages)
        return await complete(
            _sampled(endpoint, query.sampling), messages,
            max_tokens=min(cap, query.sampling.max_tokens or cap), timeout_s=timeout_s,
            response_format=form, on_text=emit,
        )  # fmt: skip


def token_cap(arm: ArmSettings, model: ModelSettings) -> int:
    """Most tokens a completion of this arm may have."""
    return min(arm.max_tokens or model.max_tokens, model.max_tokens)


def _sampled(endpoint: Endpoint, sampling: Sampling) -> Endpoint:
    """The caller's temperature and top_p over the configured ones."""
    wanted = sampling.model_dump(include={"temperature", "top_p"}, exclude_none=True)
    return replace(endpoint, **wanted) if wanted else endpoint


_NOTHING = _Reading("", AttemptStatus.NO_ANSWER)


def _from_drafts(thinking: str) -> _Reading:
    """The last box of thinking that never closed, as a provisional answer."""
    found = [box for box in boxes(thinking) if box]
    if not found:
        return _NOTHING
    return _Reading(f"\\boxed{{{found[-1]}}}", AttemptStatus.PROVISIONAL)


def _read(
    done: Completion, arm: ArmSettings, passages: Sequence[Passage], *, opened: bool
) -> _Reading:
    """Status and text. An unclosed think block shows nothing, and so is no answer."""
    text = visible_text(done.text, opened=opened)
    if done.error is not None:
        return _Reading(text, AttemptStatus.FAILED)
    if not text:
        # Some servers part the thinking from the text: without text it never closed either.
        drafts = unclosed(done.text, opened=opened) or (done.reasoning if not done.text else "")
        return _from_drafts(drafts) if arm.context == "none" else _NOTHING
    whole = AttemptStatus.TRUNCATED if done.finish == "length" else AttemptStatus.OK
    if arm.context == "none":
        return _Reading(text, whole)
    # A reply that was cut is read too: its caller wants words, not half a JSON object.
    result = parse_reader(text, passages)
    status = AttemptStatus.ABSTAINED if result.abstained else whole
    return _Reading(result.answer_text, status, result.citations)
