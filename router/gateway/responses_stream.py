"""The events of a streamed response, in the order in which OpenAI's SDK puts them together.

response.created, .in_progress
response.output_item.added, .content_part.added, .output_text.delta ..., .output_text.done,
.content_part.done, .output_item.done                     the text, where there is one
response.output_item.added, .function_call_arguments.delta, .done, .output_item.done
response.completed (or .incomplete; after an error: error, response.failed)
"""

from collections.abc import Mapping
from typing import Any

from router.gateway.encode import event
from router.gateway.errors import Refused
from router.gateway.responses_out import finished, items_of, message_item, text_part
from router.gateway.stream import Writer
from router.state import Answer

__all__ = ["ResponseWriter"]

_CODES = frozenset({"rate_limit_exceeded", "server_error"})


class ResponseWriter(Writer):
    """`made` is the response object before there is an answer."""

    def __init__(self, id: str, made: dict[str, Any], *, reasoning: bool = False) -> None:
        super().__init__(id, reasoning=reasoning)
        self._made = made
        self._number = 0
        self._spoken = False

    def opening(self) -> list[bytes]:
        """Before anything is known."""
        return [
            self._event("response.created", response=self._made),
            self._event("response.in_progress", response=self._made),
        ]

    def text(self, text: str) -> list[bytes]:
        """A delta of the message, which begins with the first one."""
        pieces = []
        if not self._spoken:
            self._spoken = True
            item = message_item(self.id, "in_progress")
            pieces = [
                self._event("response.output_item.added", output_index=0, item=item),
                self._part("added", text_part("")),
            ]
        return [*pieces, self._said("delta", delta=text)]

    def delta(self, raw: Mapping[str, Any]) -> list[bytes]:
        """Of the model's own deltas the text; its tool calls follow whole, at the end."""
        said = raw["delta"].get("content")
        return self.text(said) if said and not raw.get("index") else []

    def thought(self, text: str) -> list[bytes]:
        """A field of ours on no event of OpenAI's: an item of reasoning would have to be kept."""
        return [self._event("ockham.reasoning.delta", delta=text)]

    def ending(self, answer: Answer) -> list[bytes]:
        """The message's end, the tool calls, the response as a whole."""
        items = items_of(self.id, answer)
        pieces: list[bytes] = []
        for index, item in enumerate(items):
            pieces += self._message(item) if item["type"] == "message" else self._call(index, item)
        whole = finished(self._made, answer, items)
        return [*pieces, self._event(f"response.{whole['status']}", response=whole)]

    def broken(self, told: Refused) -> bytes:
        """The error, and the response as failed: neither completed nor incomplete."""
        code = told.code if told.code in _CODES else "server_error"
        failed = {
            **self._made, "status": "failed", "error": {"code": code, "message": str(told)},
        }  # fmt: skip
        error = {"code": told.code, "message": str(told), "param": told.param}
        return self._event("error", **error) + self._event("response.failed", response=failed)

    def _message(self, item: dict[str, Any]) -> list[bytes]:
        part = item["content"][0]
        pieces: list[bytes] = []
        if part["type"] != "output_text":
            begun = message_item(self.id, "in_progress")
            pieces = [
                self._event("response.output_item.added", output_index=0, item=begun),
                self._part("added", {"type": "refusal", "refusal": ""}),
                self._event("response.refusal.delta", **self._place(), delta=part["refusal"]),
                self._event("response.refusal.done", **self._place(), refusal=part["refusal"]),
            ]
        else:
            pieces = [] if self._spoken else self.text(part["text"])
            # What was shown is what stands: a text that was cut at a stop sequence, say.
            part["text"] = self.committed or part["text"]
            pieces.append(self._said("done", text=part["text"]))
        return [
            *pieces,
            self._part("done", part),
            self._event("response.output_item.done", output_index=0, item=item),
        ]

    def _call(self, index: int, item: dict[str, Any]) -> list[bytes]:
        begun = {**item, "arguments": "", "status": "in_progress"}
        place = {"item_id": item["id"], "output_index": index}
        said = item["arguments"]
        named = "response.function_call_arguments"
        return [
            self._event("response.output_item.added", output_index=index, item=begun),
            self._event(f"{named}.delta", **place, delta=said),
            self._event(f"{named}.done", **place, arguments=said, name=item["name"]),
            self._event("response.output_item.done", output_index=index, item=item),
        ]

    def _said(self, what: str, **more: Any) -> bytes:
        return self._event(f"response.output_text.{what}", **self._place(), logprobs=[], **more)

    def _part(self, what: str, part: Mapping[str, Any]) -> bytes:
        return self._event(f"response.content_part.{what}", **self._place(), part=part)

    def _place(self) -> dict[str, Any]:
        return {"item_id": f"msg_{self.id}", "output_index": 0, "content_index": 0}

    def _event(self, kind: str, **fields: Any) -> bytes:
        body = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return event(kind, body)
