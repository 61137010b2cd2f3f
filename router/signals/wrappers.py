"""Seeing through wrappers: the question inside tags, JSON, templates, mails and transcripts.

`unwrap` returns the question (`core`) and what stood around it (`rest`). It knows forms, not
meaning:

    <question>...</question>            XML-like tags whose name says "the ask is here"
    {"task": "..."}                     JSON objects with such a field, fenced or bare
    User: ... Assistant: ... User: ...  transcripts: the last thing the user said
    Q: ... A: ... Q: ...                few-shot prompts and templates: the last open question
    > quoted, From:, --, disclaimers    mail furniture is dropped
    Answer the following question: ...  lead-ins and closing formulas are dropped

What it does not do: find a question in free prose, parse nested markup, read more than
`MAX_CHARS` characters. A wrapper that is not known leaves the text as it is.
"""

import json
import re
from typing import Any, NamedTuple

__all__ = ["MAX_CHARS", "Unwrapped", "unwrap"]

MAX_CHARS = 20_000
_MIN_CORE = 2
_DEPTH = 4

_TELLS = r"task|instructions?|prompt|request|user_?request|current (?:task|question)|aufgabe"
_GIVEN = (
    r"question|q|query|user_?query|user_?question|user_?input|user_?message|problem|ask|message|"
    r"input|exercise|ticket|user|user (?:question|query|request|input)|frage|pregunta"
)
"""Names of parts that ask, and of parts that may be what an instruction is about."""
_TAG = re.compile(
    rf"<({_TELLS}|{_GIVEN})(?:\s[^<>]{{0,80}})?>(.*?)</\1>", re.IGNORECASE | re.DOTALL
)
_ANY_TAG = re.compile(r"</?[A-Za-z_][\w-]{0,40}(?:\s[^<>]{0,80})?>")
_TELLING = re.compile(_TELLS, re.IGNORECASE)
_GIVING = re.compile(_GIVEN, re.IGNORECASE)
_KEYS = (
    "question query user_query user_question user_input user_message prompt task problem request "
    "instruction instructions ask message input text content body description"
).split()
_FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?```\s*$", re.DOTALL)

_USER = r"user|human|me|customer|client|pupil|student|caller|visitor|guest"
_SPEAKER = re.compile(
    rf"^[ \t>*\[\(]{{0,6}}(?:\d\d?:\d\d(?::\d\d)?\]?\s+)?(?P<who>{_USER}|assistant|bot|agent|ai|"
    r"support|model|chatbot|tutor|system)[\]\)*]{0,3}\s*(?:\([^)\n]{0,30}\))?[ \t]*:[*]{0,2}[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL = re.compile(
    rf"^[ \t#>*]{{0,6}}(?P<what>{_TELLS}|{_GIVEN}|"
    r"answer|a|solution|output|response|code|thought|action|observation|final answer|antwort|"
    r"respuesta|réponse|reasoning|context|passages?|documents?|background|tools?|rules|notes?|"
    r"format|examples?|constraints?|hints?)(?:\s*\d{1,3})?[ \t]*[*]{0,2}[:：][*]{0,2}[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_MAIL_LINE = re.compile(
    r"^(>.*|(from|to|cc|bcc|sent|date|subject|reply-to|von|an|gesendet|betreff|de|para|"
    r"asunto)\s*:.*|-{2,}\s*(forwarded|original).*|begin forwarded message.*|on .{5,80} wrote:|"
    r"sent from my .*|get outlook for .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(r"\n-- ?\n.*", re.DOTALL)
_DISCLAIMER = re.compile(
    r"^.{0,40}\b(confidential|intended (only|solely) for|do not print this|unsubscribe|"
    r"disclaimer|all rights reserved)\b.*$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADED = re.compile(
    r"^(from|sent|subject|von|betreff|-{2,}\s*(forwarded|original))\b.*$", re.I | re.M
)
_LEAD = re.compile(
    r"^\s*(?:(?:please\s+)?(?:answer|respond to|solve|read|consider|work on|handle|address|"
    r"complete)\s+(?:the\s+)?(?:following|this|next)\s+(?:\w+\s+){0,3}?"
    r"(?:question|query|problem|task|request|prompt|exercise)s?[^:\n]{0,80}[:.\n]\s*|"
    r"you are (?:a|an|the)\s[^.\n]{0,200}\.\s+|"
    r"(?:here is|here's|this is) (?:the|my|a|your) "
    r"(?:next )?(?:question|task|problem|request)[^:\n]{0,40}:\s*)",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    r"\s*(?:(?:let'?s )?think (?:about (?:it|this) )?step[- ]by[- ]step[.!]?|"
    r"take a deep breath[^.\n]{0,60}\.?|"
    r"(?:please )?(?:put|give|write|place|state|enclose) (?:only )?(?:your|the) (?:final )?answer "
    r"(?:in|within|inside|as|with|between|on|after)[^\n]{0,80}|"
    r"(?:answer|a|response|assistant|thought|output|solution)\s*[:：])\s*$",
    re.IGNORECASE,
)


class Unwrapped(NamedTuple):
    """`core`: the question; `rest`: what stood around it, "" where there was no wrapper."""

    core: str
    rest: str = ""


def unwrap(text: str) -> Unwrapped:
    """The question of a turn, in bounded time; the text itself where no wrapper is known."""
    core, rest = text[:MAX_CHARS].strip(), ""
    for _ in range(_DEPTH):
        found = _json(core) or _tags(core) or _transcript(core) or _labels(core) or _mail(core)
        found = found or _formulas(core)
        if found is None or len(found.core.strip()) < _MIN_CORE:
            break
        core, rest = found.core.strip(), f"{rest}\n{found.rest}".strip()
    return Unwrapped(core, rest)


def _json(text: str) -> Unwrapped | None:
    fenced = _FENCE.match(text)
    body = fenced.group(1).strip() if fenced else text
    if not (body.startswith(("{", "[")) and body.endswith(("}", "]"))):
        return None
    try:
        ask = _field(json.loads(body, strict=False), _DEPTH)
    except (ValueError, RecursionError):
        return None
    return Unwrapped(ask, body) if ask else None


def _field(value: Any, depth: int) -> str:
    """The text of the field that asks; "" where none does."""
    if depth == 0:
        return ""
    if isinstance(value, list):
        turns = [v for v in value if isinstance(v, dict)]
        users = [v for v in turns if v.get("role") == "user"]
        return _field((users or turns or [None])[-1], depth - 1)
    if not isinstance(value, dict):
        return ""
    named = {str(k).lower(): v for k, v in value.items()}
    for key in ("messages", "conversation", *_KEYS):
        found = named.get(key)
        if isinstance(found, str) and found.strip():
            more = named.get("input") if _TELLING.fullmatch(key) else None
            return f"{found}\n{more}" if isinstance(more, str) else found
        inner = _field(found, depth - 1) if isinstance(found, dict | list) else ""
        if inner:
            return inner
    inners = [_field(v, depth - 1) for v in named.values() if isinstance(v, dict)]
    return next((i for i in inners if i), "")


def _tags(text: str) -> Unwrapped | None:
    parts = [
        _Part(m.group(1), m.group(2), m.start(), m.end())
        for m in _TAG.finditer(text)
        if len(m.group(2).strip()) >= _MIN_CORE
    ]
    found = _ask_of(parts, text)
    return Unwrapped(found.core, _ANY_TAG.sub(" ", found.rest)) if found else None


class _Part(NamedTuple):
    """A named stretch of the text."""

    name: str
    body: str
    start: int
    end: int


def _ask_of(parts: list[_Part], text: str) -> Unwrapped | None:
    """The last instruction with the last thing given to it, or the one of them there is."""
    tells = [p for p in parts if _TELLING.fullmatch(p.name)]
    given = [p for p in parts if _GIVING.fullmatch(p.name)]
    taken = sorted((*tells[-1:], *given[-1:]), key=lambda p: p.start)
    if not taken:
        return None
    rest, at = [], 0
    for part in taken:
        rest.append(text[at : part.start])
        at = part.end
    return Unwrapped("\n".join(p.body.strip() for p in taken), " ".join([*rest, text[at:]]))


def _transcript(text: str) -> Unwrapped | None:
    """Turns with speakers' names: at least two, one of them the user's."""
    marks = list(_SPEAKER.finditer(text))
    users = [i for i, m in enumerate(marks) if re.fullmatch(_USER, m.group("who"), re.I)]
    if len(marks) < 2 or not users:  # noqa: PLR2004  a transcript has two turns
        return None
    last = users[-1]
    end = marks[last + 1].start() if last + 1 < len(marks) else len(text)
    core = text[marks[last].end() : end]
    return Unwrapped(core, text[: marks[last].start()] + text[end:])


def _labels(text: str) -> Unwrapped | None:
    """`Question: ...` and the like at the start of a line; the last ones that ask."""
    marks = list(_LABEL.finditer(text))
    ends = [*(m.start() for m in marks[1:]), len(text)][: len(marks)]
    parts = [
        _Part(m.group("what"), text[m.end() : end], m.start(), end)
        for m, end in zip(marks, ends, strict=True)
        if end - m.end() >= _MIN_CORE
    ]
    return _ask_of(parts, text)


def _mail(text: str) -> Unwrapped | None:
    if not (_HEADED.search(text) or _SIGNATURE.search(text) or _DISCLAIMER.search(text)):
        return None
    kept = _DISCLAIMER.sub("", _MAIL_LINE.sub("", _SIGNATURE.sub("", text))).strip()
    if kept == text or len(kept) < _MIN_CORE:
        return None
    return Unwrapped(kept, "")


def _formulas(text: str) -> Unwrapped | None:
    kept = _CLOSE.sub("", _LEAD.sub("", text))
    return Unwrapped(kept, "") if kept != text and len(kept.strip()) >= _MIN_CORE else None
