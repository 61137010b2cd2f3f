"""`chat.completion.chunk`s of one run."""

from collections.abc import Mapping
from typing import Any

from router.gateway.chat_out import chunk, final_chunk, shown_attempt, usage_chunk
from router.gateway.encode import DONE, data
from router.gateway.errors import Refused
from router.gateway.stream import Writer
from router.state import Answer

__all__ = ["ChatWriter"]


class ChatWriter(Writer):
    """OpenAI's chunks; the last one of the first choice carries the `ockham` object."""

    def __init__(self, id: str, model: str, *, usage: bool, reasoning: bool = False) -> None:
        super().__init__(id, reasoning=reasoning)
        self._model, self._usage = model, usage
        self._spoken: set[int] = set()
        self._raw_thoughts = False
        """Thoughts come in the model's own deltas: those told apart are the same again."""

    def text(self, text: str) -> list[bytes]:
        """A delta of the first choice's content."""
        return [self._delta(0, {"content": text})]

    def delta(self, raw: Mapping[str, Any]) -> list[bytes]:
        """As it came; thoughts only where they were asked for."""
        said = {k: v for k, v in raw["delta"].items() if self._wanted(k, v)}
        logprobs = raw.get("logprobs")
        if not said and logprobs is None:
            return []
        self._raw_thoughts |= "reasoning_content" in said
        return [self._delta(raw.get("index") or 0, said, logprobs)]

    def _wanted(self, name: str, value: Any) -> bool:
        if name == "reasoning_content":
            return self._reasoning
        return name != "role" and value is not None

    def thought(self, text: str) -> list[bytes]:
        """A delta that OpenAI does not have; vLLM and DeepSeek name it so."""
        return [] if self._raw_thoughts else [self._delta(0, {"reasoning_content": text})]

    def ending(self, answer: Answer) -> list[bytes]:
        """Tool calls and other choices, finish reasons, usage, [DONE]."""
        self._model = answer.model
        pieces: list[bytes] = []
        finish: str = answer.finish
        for choice in shown_attempt(answer).choices:
            index = int(choice.get("index", 0))
            pieces += [] if self.forwarded else self._rest(index, choice)
            reason = choice.get("finish_reason") or "stop"
            if index == 0:
                finish = reason
            else:
                pieces.append(data(chunk(self.id, self._model, {}, index=index, finish=reason)))
        pieces.append(data(final_chunk(self.id, answer, finish)))
        if self._usage:
            pieces.append(data(usage_chunk(answer)))
        return [*pieces, DONE]

    def broken(self, told: Refused) -> bytes:
        """OpenAI's error as an event; no [DONE], so that it does not look complete."""
        return data(told.body)

    def _rest(self, index: int, choice: Mapping[str, Any]) -> list[bytes]:
        """What of a choice has not been shown."""
        said = choice.get("message") or {}
        pieces: list[bytes] = []
        text, logprobs = said.get("content"), choice.get("logprobs")
        if text and (index or not self.committed):
            pieces.append(self._delta(index, {"content": text}, logprobs))
        if said.get("refusal"):
            pieces.append(self._delta(index, {"refusal": said["refusal"]}))
        for at, call in enumerate(said.get("tool_calls") or ()):
            pieces.append(self._delta(index, {"tool_calls": [{"index": at, **call}]}))
        return pieces

    def _delta(self, index: int, delta: Mapping[str, Any], logprobs: Any = None) -> bytes:
        if index not in self._spoken:
            self._spoken.add(index)
            delta = {"role": "assistant", **delta}
        return data(chunk(self.id, self._model, delta, index=index, logprobs=logprobs))
