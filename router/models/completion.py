"""What a call is made with, and what came of it: endpoint, tally, completion."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from router.errors import ModelError
from router.models.choices import Choices
from router.models.logprobs import TokenLogprob, read_logprobs

if TYPE_CHECKING:
    from router.models.deployments import Deployments

__all__ = ["ChatMessages", "Completion", "Endpoint", "Plain", "Tally"]

ChatMessages = Sequence[Mapping[str, Any]]
MOST_CHARS_PER_TOKEN = 5
"""Of running text; words of code and numbers have fewer."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how a model is called. `model` is LiteLLM's name, provider prefix included."""

    name: str
    """The configuration's name of the model: error messages start with it."""
    model: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] | None = None
    stall_s: float = 60.0
    extra_body: Mapping[str, Any] | None = None
    """Fields of the server's own, beyond OpenAI's."""
    logprobs: int | None = None
    """Ask for the log-probability of each token, and of so many candidates in its place."""
    params: Mapping[str, Any] | None = None
    """Further parameters of OpenAI's, as the caller sent them."""
    retries: int = 0
    """Further tries of a call that ended before its first token (`router.arms.spending`)."""
    deployments: "Deployments | None" = field(default=None, repr=False, compare=False)
    deployment: str | None = None
    """Which of them is asked."""


@dataclass(frozen=True, slots=True)
class Completion:
    """How one call ended. Seconds are wall clock; `text` excludes separate reasoning."""

    model: str
    text: str
    finish: Literal["stop", "length", "error"]
    prompt_tokens: int
    completion_tokens: int
    tokens_basis: Literal["reported", "counted"]
    seconds: float
    first_token_seconds: float | None
    last_token_seconds: float | None
    error: ModelError | None = None
    reasoning: str = ""
    """What came in a field of its own (`reasoning_content`); never part of `text`."""
    pieces: int = 0
    """In how many chunks it came."""
    tokens: tuple[TokenLogprob, ...] = ()
    """Where log-probabilities were asked for and given."""
    choices: tuple[Mapping[str, Any], ...] = ()
    """As OpenAI's API has them, of a plain call."""
    deployment: str | None = None
    """Which of several answered, or failed."""
    cached_tokens: int = 0
    """Of the prompt's, what the provider read from its cache."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A call whose choices are wanted as they are."""

    call: Mapping[str, Any]
    """OpenAI's parameters beside the messages: tools, n, ..."""
    on_delta: Callable[[Mapping[str, Any]], None]
    """Gets every delta, with the index of its choice."""

    @property
    def whole(self) -> bool:
        """Asked for without streaming: LiteLLM's streams lose all choices but the first, and the
        log-probabilities of chunks without text."""
        return (self.call.get("n") or 1) > 1 or bool(self.call.get("logprobs"))


class Tally:
    """What has arrived so far: the one place that turns a stream into a `Completion`."""

    def __init__(
        self, endpoint: Endpoint, messages: ChatMessages, plain: Plain | None = None
    ) -> None:
        self.endpoint = endpoint
        self.plain = plain
        self.choices = Choices()
        self.start = time.perf_counter()
        self.parts: list[str] = []
        self.thoughts: list[str] = []
        self.tokens: list[TokenLogprob] = []
        self.overheard: list[TokenLogprob] = []
        self.pieces = 0
        self.first: float | None = None
        self.last: float | None = None
        self.model = endpoint.model
        self.usage: Any = None
        self.finish: str | None = None
        self.done: Completion | None = None
        self._prompt_chars = sum(len(_written(m.get("content"))) for m in messages)

    def add(self, chunk: Any) -> tuple[str, str]:
        """Take one chunk; returns its visible text and its reasoning."""
        self._count(getattr(chunk, "usage", None))
        if not chunk.choices:
            return "", ""
        self.finish = chunk.choices[0].finish_reason or self.finish
        delta = chunk.choices[0].delta
        text: str = delta.content or ""
        thought: str = getattr(delta, "reasoning_content", None) or ""
        self.thoughts.append(thought)
        self.tokens += read_logprobs(chunk.choices[0])
        came = bool(text or thought)
        if self.plain is not None:
            for piece in self.choices.add(chunk):
                came = True
                self.plain.on_delta(piece)
        if came:
            self._mark()
        self.parts.append(text)
        return text, thought

    def take(self, response: Any, plain: Plain) -> None:
        """Take a whole response in place of a stream."""
        self._count(getattr(response, "usage", None))
        self._mark()
        for piece in self.choices.take(response):
            plain.on_delta(piece)
        message = response.choices[0].message
        self.parts.append(message.content or "")
        self.thoughts.append(getattr(message, "reasoning_content", None) or "")

    def _mark(self) -> None:
        """Something came."""
        self.pieces += 1
        self.last = time.perf_counter() - self.start
        self.first = self.first if self.first is not None else self.last

    def _count(self, usage: Any) -> None:
        if usage is not None and _is_count(usage.prompt_tokens, usage.completion_tokens):
            self.usage = usage

    def overhear(self, chunk: Any) -> None:
        """Take the log-probabilities of a chunk that LiteLLM has not looked at yet."""
        for choice in getattr(chunk, "choices", None) or ():
            self.overheard += read_logprobs(choice)

    def close(
        self, finish: str | None, error: ModelError | None = None, *, read: bool = True
    ) -> Completion:
        """Settle: reported tokens where the server reported them, counted pieces otherwise.

        `read`: the server may have read the prompt, and so charge it.
        """
        reported = self.usage is not None and error is None
        prompt = self.usage.prompt_tokens if reported else max(1, self._prompt_chars // 4)
        tokens = max(self.tokens, self.overheard, key=len)
        # A chunk may hold several tokens.
        chars = sum(map(len, self.parts)) + sum(map(len, self.thoughts))
        counted = max(self.pieces, len(tokens), chars // MOST_CHARS_PER_TOKEN)
        completion = self.usage.completion_tokens if reported else counted
        self.done = Completion(
            model=self.model,
            text="".join(self.parts),
            finish="error" if error else ("length" if finish == "length" else "stop"),
            prompt_tokens=prompt if (reported or read or self.first is not None) else 0,
            completion_tokens=completion,
            tokens_basis="reported" if reported else "counted",
            seconds=time.perf_counter() - self.start,
            first_token_seconds=self.first,
            last_token_seconds=self.last,
            error=error,
            reasoning="".join(self.thoughts),
            pieces=self.pieces,
            tokens=tuple(tokens),
            choices=self.choices.told(finish) if self.plain is not None else (),
            deployment=self.endpoint.deployment,
            cached_tokens=_cached(self.usage) if reported else 0,
        )
        return self.done


def _written(content: Any) -> str:
    """The text of a turn, of which OpenAI's API knows several forms."""
    return content if isinstance(content, str) else "" if content is None else str(content)


def _cached(usage: Any) -> int:
    """Of the prompt tokens those that came from the provider's cache; never more than all."""
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return min(cached, usage.prompt_tokens) if _is_count(cached) else 0


def _is_count(*values: object) -> bool:
    """Whether a server's usage can be believed: a negative one would raise the cost cap."""
    return all(isinstance(value, int) and value >= 0 for value in values)
