"""What a request needs of a model beside text: derived once, by `hard_needs`, for everyone.

    hard    tools, images, audio, files, json_schema, n, logprobs, logit_bias: an arm whose model
            cannot do them is not run
    form    a JSON schema among the checks: asked of the arms whose model can keep to one; where
            no arm's can, or a model is named, the check judges what it says
    soft    seed, stop, penalties, reasoning_effort: passed on, dropped where a model takes none

A request with a hard need, or for a model by its name, is answered by one plain call of the
chosen arm's model: the conversation as it came, no instruction of ours, no passages, one sample.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from router.errors import InputError
from router.state import Query

__all__ = [
    "ABILITIES",
    "Ability",
    "check_call",
    "choices_asked",
    "form_needs",
    "hard_needs",
    "is_plain",
    "soft",
]

Ability = Literal["tools", "images", "audio", "files", "json_schema", "n", "logprobs", "logit_bias"]
ABILITIES: tuple[Ability, ...] = get_args(Ability)
SOFT = frozenset(
    {"seed", "stop", "presence_penalty", "frequency_penalty", "reasoning_effort", "verbosity",
     "user"}
)  # fmt: skip
PLAIN = frozenset(
    {"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "n",
     "logprobs", "top_logprobs", "logit_bias", "response_format"}
)  # fmt: skip
_PARTS: Mapping[str, Ability | None] = {
    "text": None,
    "refusal": None,
    "image_url": "images",
    "input_audio": "audio",
    "file": "files",
}
_NOTHING: frozenset[Ability] = frozenset()
_FORM: frozenset[Ability] = frozenset({"json_schema"})


def hard_needs(query: Query) -> frozenset[Ability]:
    """What the model must be able to do."""
    raws = [m.raw for m in query.messages if m.raw is not None]
    if not query.call and not raws:
        return _NOTHING
    needs = frozenset(_of_call(query.call)) | frozenset(n for raw in raws for n in _of_turn(raw))
    # A named model is asked for the form as it came, and the answer is held against it.
    return needs - {"json_schema"} if query.as_it_is and query.checks else needs


def form_needs(query: Query) -> frozenset[Ability]:
    """What the form that the asker states takes of a model, where there is one that can do it."""
    return _FORM if query.response_format is not None and not query.as_it_is else _NOTHING


def is_plain(query: Query) -> bool:
    """Whether it is answered by one plain call, its choices being returned as they are."""
    if query.as_it_is:
        return True
    if not query.call and all(m.raw is None for m in query.messages):
        return False
    return (
        any(m.raw is not None for m in query.messages)
        or bool(query.call.get("response_format"))
        or bool(hard_needs(query))
    )


def choices_asked(query: Query) -> int:
    """How many choices the model is asked for: each is billed."""
    return int(query.call.get("n") or 1)


def soft(query: Query) -> dict[str, Any]:
    """Parameters that any model is given, and may not know."""
    return {k: v for k, v in query.call.items() if k in SOFT and v is not None}


def check_call(query: Query) -> None:
    """Raise `InputError` for a parameter or a part that no arm can do here, by its name."""
    unknown = sorted(set(query.call) - SOFT - PLAIN)
    if unknown:
        raise InputError(f"{unknown[0]}: no arm can do this parameter")
    n = query.call.get("n")
    if n is not None and (not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 128):
        raise InputError("n: must be a whole number from 1 to 128")
    for i, tool in enumerate(query.call.get("tools") or ()):
        if tool.get("type") not in ("function", "custom"):
            # Those that a provider runs by itself have prices, and addresses, of their own.
            raise InputError(
                f"tools.{i}.type: only tools that you run (function, custom) are known"
            )
    for i, message in enumerate(query.messages):
        for part in _parts(message.raw or {}):
            if part.get("type") not in _PARTS:
                kind = part.get("type")
                raise InputError(f"messages.{i}.content: no arm can do a part of type {kind!r}")


def _of_call(call: Mapping[str, Any]) -> Iterator[Ability]:
    if call.get("tools") or call.get("functions"):
        yield "tools"
    if (call.get("n") or 1) > 1:
        yield "n"
    if call.get("logprobs"):
        yield "logprobs"
    if call.get("logit_bias"):
        yield "logit_bias"
    if (call.get("response_format") or {}).get("type") == "json_schema":
        yield "json_schema"


def _of_turn(raw: Mapping[str, Any]) -> Iterator[Ability]:
    if raw.get("role") in ("tool", "function") or raw.get("tool_calls"):
        yield "tools"
    for part in _parts(raw):
        need = _PARTS.get(str(part.get("type")))
        if need is not None:
            yield need


def _parts(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    content = raw.get("content")
    if isinstance(content, list | tuple):
        yield from (part for part in content if isinstance(part, Mapping))
