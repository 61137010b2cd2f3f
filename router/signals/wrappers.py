"""Seeing through wrappers: the question inside tags, JSON, templates, mails and transcripts.

`unwrap` returns the question (`core`) and what stood around it (`rest`). It knows forms, not
meaning:

    <question>...</question>            XML-like tags whose name says "the ask is here"
    <root><item>...</item></root>       tags of any name around the whole text, one in another
    {"task": "..."}                     JSON objects with such a field, fenced or bare
    User: ... Assistant: ... User: ...  transcripts: the last thing the user said
    Q: ... A: ... Q: ...                few-shot prompts and templates: the last open question
    ## Task ... [OBJECTIVE] ...         sections with a heading that asks
    > quoted, From:, --, disclaimers    mail furniture is dropped
    Answer the following question: ...  lead-ins and closing formulas are dropped

Tags, labels and speakers inside code do not count, and neither do those that are themselves
the subject: "summarise this chat", a pasted configuration, options "A: 4 B: 5".

What it does not do: find a question in free prose, parse nested markup, read more than both
ends of a text beyond `MAX_CHARS`. A wrapper that is not known leaves the text as it is.
"""

import json
import re
from typing import Any, NamedTuple

from router.signals.leadins import count_words
from router.signals.mail import without_mail
from router.signals.sections import asking_section

__all__ = ["MAX_CHARS", "Unwrapped", "unwrap"]

MAX_CHARS = 20_000
_MIN_CORE = 2
_DEPTH = 4

_TELLS = r"task|instructions?|prompt|request|user_?request|current (?:task|question)|aufgabe"
_GIVEN = (
    r"question|q|query|user_?query|user_?question|user_?input|user_?message|problem|ask|exercise|"
    r"user|user (?:question|query|request|input|message)|message|frage|pregunta"
)
_MATERIAL = ("input", "ticket")
"""Parts that ask, parts that may be what an instruction is about, parts that never ask alone."""
_SURE = re.compile(
    r"instructions?|question|q|(?:user|current)[ _]?\w+|query|frage|aufgabe|pregunta", re.I
)
"""Names that ask even among other fields."""
_TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>{_TELLS}|{_GIVEN}|input|ticket)(?:\s[^<>]{{0,80}})?>", re.IGNORECASE
)
_ANY_TAG = re.compile(r"</?[A-Za-z_][\w-]{0,40}(?:\s[^<>]{0,80})?>")
_ELEMENT = re.compile(
    r"<(?P<name>[A-Za-z_][\w.-]{0,40})(?:\s[^<>]{0,80})?>\s*(?P<body>(?:(?!</?(?P=name)\b).)*?)\s*"
    r"</(?P=name)>",
    re.DOTALL,
)
_MARKUP = re.compile(
    r"\b(?:x?html|xml|xpath|xslt|svg|dom|markup|pars(?:e|er|ing)|regex|beautifulsoup|bs4|css|jsx|"
    r"selectors?|schema|elements?)\b|<(?:html|!doctype|body|form|div|ul|table|script|label|"
    r"\?xml)\b",
    re.IGNORECASE,
)
_TELLING = re.compile(_TELLS, re.IGNORECASE)
_GIVING = re.compile(_GIVEN, re.IGNORECASE)
_KEYS = (
    "question", "query", "user_query", "user_question", "user_input", "user_message", "prompt",
    "task", "problem", "request", "instruction", "instructions", "ask",
)  # fmt: skip
_WEAK_KEYS = ("message", "input", "text", "content", "body", "description")
_RECORD = frozenset(
    ("name", "version", "error", "errors", "status", "code", "$schema", "price", "properties",
     "dependencies")
)  # fmt: skip
"""Keys of records and configurations, in which a weak key does not ask."""
_CODE = re.compile(r"```.*?```|`[^`\n]{1,200}`", re.DOTALL)

_USER = r"user|human|me|customer|client|pupil|student|caller|visitor|guest"
_SPEAKER = re.compile(
    rf"^[ \t>*\[\(]{{0,6}}(?:\d\d?:\d\d(?::\d\d)?\]?\s+)?(?P<who>{_USER}|assistant|bot|agent|ai|"
    r"support|model|chatbot|tutor|system)[\]\)*]{0,3}[ \t]{0,4}(?:\([^)\n]{0,30}\)[ \t]{0,4})?:"
    r"[*]{0,2}[ \t]{0,4}",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL = re.compile(
    rf"^[ \t]{{0,3}}[#>*]{{0,6}}[ \t]{{0,3}}(?P<what>{_TELLS}|{_GIVEN}|input|ticket|"
    r"answer|a|solution|output|response|code|thought|action|observation|final answer|antwort|"
    r"respuesta|réponse|reasoning|context|passages?|documents?|background|tools?|rules|notes?|"
    r"format|examples?|constraints?|hints?)(?:[ \t]{0,3}\d{1,3})?[ \t]{0,4}[*]{0,2}[:：][*]{0,2}",
    re.IGNORECASE | re.MULTILINE,
)
_KNOWN = re.compile(f"{_LABEL.pattern}|{_SPEAKER.pattern}", re.IGNORECASE)
_OPTION = re.compile(r"^[ \t>*(]{0,4}b[ \t]?[:.)]", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"^[ \t-]{0,8}(?P<key>[\w.-]{2,40})[ \t]{0,4}:(?:[ \t]|$)", re.MULTILINE)
_FIELDS = 3
"""So many lines `key: value` with keys that are no labels make a configuration."""
_OPEN = re.compile(
    r"(?:\n|(?<=[.?!])[ \t])[ \t#*]{0,6}(?:answer|a|response|respuesta|antwort|réponse|assistant|"
    r"ai|"
    r"bot|model|thought|output|solution|code)[ \t*]{0,4}[:：][ \t*]{0,4}$",
    re.IGNORECASE,
)
"""A label at the very end that waits for the model."""
_ABOUT = re.compile(
    r"\b(?:summari[sz]\w*|classif\w*|explain|analy[sz]\w*|rate|grade|review|why|what|which|who|"
    r"did|does|was|translate|rewrite|proofread|extract|find|list|parse|convert|write|fix|debug|"
    r"detect|identify|score|judge|fasse|übersetze|erkläre)\b",
    re.IGNORECASE,
)
_CARRY_ON = re.compile(r"\b(?:continue|repl(?:y|ies)|respond|answer|complete|help|assist)", re.I)
_SHORT_TURN, _OPEN_CHARS = 24, 60
_FEWEST_WORDS, _MANY_WORDS = 3, 8
_LEAD = re.compile(
    r"(?:(?:please\s{1,4})?(?:answer|respond to|solve|read|consider|work on|handle|address|"
    r"complete)\s{1,4}(?:the\s{1,4})?(?:following|this|next)\s{1,4}(?:\w{1,30}\s{1,4}){0,3}?"
    r"(?:question|query|problem|task|request|prompt|exercise)s?(?:[ ,]{1,3}(?:below|carefully|as|"
    r"best|you|can|"
    r"correctly|briefly|for|me|and|step|by)){0,5}[ \t]{0,4}[:.\n]\s*|"
    r"you are (?:a|an|the)\s(?=[^.\n]{0,60}\b(?:assistant|ai|helpful|chatbot|bot|agent|tutor|"
    r"language model|expert|world-class|professional)\b)[^.\n]{0,200}\.\s+|"
    r"(?:here is|here's|this is) (?:the|my|a|your) "
    r"(?:next )?(?:question|task|problem|request)[^:\n]{0,40}:\s*)",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    r"(?:\b(?:let'?s )?think (?:about (?:it|this) )?step[- ]by[- ]step[.!]?|"
    r"\btake a deep breath[^.\n]{0,60}\.?|"
    r"\b(?:please )?(?:put|give|write|place|state|enclose) (?:only )?(?:your|"
    r"the) (?:final )?answer "
    r"(?:in|within|inside|as|with|between|on|after)[^\n]{0,80})$",
    re.IGNORECASE,
)
_CLOSE_CHARS = 300


class Unwrapped(NamedTuple):
    """`core`: the question; `rest`: what stood around it, "" where there was no wrapper."""

    core: str
    rest: str = ""


class _Part(NamedTuple):
    """A named stretch of the text."""

    name: str
    body: str
    start: int
    end: int


def unwrap(text: str) -> Unwrapped:
    """The question of a turn, in bounded time; the text itself where no wrapper is known."""
    core, rest = text.strip(), ""
    if len(core) > MAX_CHARS:
        core = f"{core[: MAX_CHARS // 2]}\n{core[1 - MAX_CHARS // 2 :]}"
    for _ in range(_DEPTH):
        readers = (_json, _tags, _enclosed, _sections, _transcript, _labels, _mail, _formulas)
        found = next((f for reader in readers if (f := reader(core))), None)
        if found is None or len(found.core.strip()) < _MIN_CORE:
            break
        core, rest = found.core.strip(), f"{rest}\n{found.rest}".strip()
    return Unwrapped(core, rest)


def _json(text: str) -> Unwrapped | None:
    body = text
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        body = text.partition("\n")[2][:-3].strip()
    if not (body.startswith(("{", "[")) and body.endswith(("}", "]"))):
        return None
    try:
        ask = _field(json.loads(body, strict=False), _DEPTH)
    except (ValueError, RecursionError):
        return None
    if not ask:
        return None
    # The ask itself is no surrounding, however it was escaped.
    said = json.dumps(ask)[1:-1], json.dumps(ask, ensure_ascii=False)[1:-1]
    return Unwrapped(ask, body.replace(said[0], "").replace(said[1], ""))


def _field(value: Any, depth: int) -> str:
    """The text of the field that asks; "" where none does."""
    if depth == 0:
        return ""
    if isinstance(value, list):
        turns = [v for v in value if isinstance(v, dict)]
        users = [v for v in turns if v.get("role") == "user"]
        return _field((users or turns)[-1], depth - 1) if turns else ""
    if not isinstance(value, dict):
        return ""
    named = {str(k).lower(): v for k, v in value.items()}
    record = bool(_RECORD & named.keys())
    for key in ("messages", "conversation", *_KEYS, *(() if record else _WEAK_KEYS)):
        found = named.get(key)
        if isinstance(found, str) and found.strip():
            more = named.get("input") if _TELLING.fullmatch(key) else None
            return f"{found}\n{more}" if isinstance(more, str) else found
        inner = _field(found, depth - 1) if isinstance(found, dict | list) else ""
        if inner:
            return inner
    said = [v for v in named.values() if isinstance(v, str) and count_words(v) >= _FEWEST_WORDS]
    if (
        len(said) == 1
        and not record
        and not any(isinstance(v, dict | list) for v in named.values())
    ):
        return str(said[0])  # one field says something, whatever its name
    inners = [] if record else [_field(v, depth - 1) for v in named.values() if isinstance(v, dict)]
    return next((i for i in inners if i), "")


def _tags(text: str) -> Unwrapped | None:
    parts: list[_Part] = []
    opened: dict[str, re.Match[str]] = {}
    for mark in _TAG.finditer(_without_code(text)):
        name = mark["name"].lower()
        if not mark["close"]:
            opened.setdefault(name, mark)
        elif begin := opened.pop(name, None):
            opened = {n: m for n, m in opened.items() if m.start() < begin.start()}
            while parts and parts[-1].start > begin.start():
                parts.pop()  # the outer part holds it
            body = text[begin.end() : mark.start()]
            if len(body.strip()) >= _MIN_CORE:
                parts.append(_Part(name, body, begin.start(), mark.end()))
    if (found := _ask_of(parts, text)) is None:
        return None
    rest = _ANY_TAG.sub(" ", found.rest)
    about = _MARKUP.match(text) if text.startswith("<") else _MARKUP.search(rest)
    return None if about else Unwrapped(found.core, rest)


def _enclosed(text: str) -> Unwrapped | None:
    """The inside of an element that is the whole text, where it holds text or one element."""
    whole = _ELEMENT.fullmatch(text)
    if not whole or _MARKUP.match(text):
        return None
    body = whole["body"]
    if _ANY_TAG.search(_without_code(body)) and not _ELEMENT.fullmatch(body):
        return None
    return Unwrapped(body) if count_words(body) >= _FEWEST_WORDS else None


def _ask_of(parts: list[_Part], text: str) -> Unwrapped | None:
    """The last instruction with the last thing given to it, or the one of them there is."""
    tells = [p for p in parts if _TELLING.fullmatch(p.name)]
    asks = [p for p in parts if _GIVING.fullmatch(p.name)]
    given = [p for p in parts if p in asks or p.name.lower() in _MATERIAL]
    if not tells and not asks:
        return None
    taken = sorted((*tells[-1:], *(given if tells else asks)[-1:]), key=lambda p: p.start)
    rest, at = [], 0
    for part in taken:
        rest.append(text[at : part.start])
        at = part.end
    return Unwrapped("\n".join(p.body.strip() for p in taken), " ".join([*rest, text[at:]]))


def _sections(text: str) -> Unwrapped | None:
    found = asking_section(_without_code(text)) and asking_section(text)
    return Unwrapped(*found) if found else None


def _transcript(text: str) -> Unwrapped | None:
    """Turns with speakers' names, one of them the user's, which wait for the next."""
    marks = list(_SPEAKER.finditer(_without_code(text)))
    users = [i for i, m in enumerate(marks) if re.fullmatch(_USER, m["who"], re.I)]
    if len(marks) < 2 or not users or _is_configuration(text):
        return None
    ends = [*(m.start() for m in marks[1:]), len(text)]
    said = [text[m.end() : end].strip() for m, end in zip(marks, ends, strict=True)]
    after = said[-1] if users[-1] < len(marks) - 1 else ""
    waits = said[-1] == "" or _OPEN.search(text[-_OPEN_CHARS:])
    if not waits and (
        _is_about(text[: marks[0].start()]) or _is_about(after.rpartition("\n\n")[2])
    ):
        return None
    core, last = said[users[-1]], users[-1]
    if len(core) < _SHORT_TURN and len(users) > 1:
        core = f"{said[users[-2]]}\n{core}"
    if count_words(core.partition("\n")[0]) < _FEWEST_WORDS - 1:
        return None  # "user: root" is no turn
    return Unwrapped(core, text[: marks[last].start()] + text[ends[last] :])


def _is_about(text: str) -> bool:
    """Whether the words around a transcript ask something about it."""
    return bool(_ABOUT.search(text[-_CLOSE_CHARS:])) and not _CARRY_ON.search(text[-_CLOSE_CHARS:])


def _is_configuration(text: str) -> bool:
    keys = [m["key"] for m in _FIELD.finditer(text) if not _KNOWN.match(m["key"] + ":")]
    return len(keys) >= _FIELDS


def _labels(text: str) -> Unwrapped | None:
    """`Question: ...` and the like at the start of a line; the last ones that ask."""
    marks = [
        m
        for m in _LABEL.finditer(_without_code(text))
        if m["what"].lower() != "a" or not _OPTION.search(text, m.end(), m.end() + _CLOSE_CHARS)
    ]
    ends = [*(m.start() for m in marks[1:]), len(text)][: len(marks)]
    configuration = _is_configuration(text)
    parts = []
    for m, end in zip(marks, ends, strict=True):
        part = _Part(m["what"], text[m.end() : end], m.start(), end)
        words = count_words(part.body.strip().partition("\n")[0])
        long = count_words(part.body[:_CLOSE_CHARS]) >= _MANY_WORDS and not _FIELD.search(part.body)
        plain = (words >= _FEWEST_WORDS or long) and not configuration
        if words and (plain or _SURE.fullmatch(part.name) or part.name.lower() in _MATERIAL):
            parts.append(part)
    found = _ask_of(parts, text)
    shown = [p for p in parts if p.name.lower() in _MATERIAL]  # few-shot: "Input: ... Output:"
    if found is None and shown and _OPEN.search(text[-_OPEN_CHARS:]):
        lead = text[: marks[0].start()][-_CLOSE_CHARS:].strip()
        return Unwrapped(f"{lead}\n{shown[-1].body.strip()}", text[: shown[-1].start])
    return found


def _mail(text: str) -> Unwrapped | None:
    kept, quoted = without_mail(text)
    return Unwrapped(kept, quoted) if kept != text and len(kept) >= _MIN_CORE else None


def _formulas(text: str) -> Unwrapped | None:
    lead = _LEAD.match(text)
    kept = text[lead.end() :] if lead else text
    head, tail = kept[:-_CLOSE_CHARS], kept[-_CLOSE_CHARS:]
    kept = head + _CLOSE.sub("", _OPEN.sub("", tail)).rstrip()
    return Unwrapped(kept) if kept != text and len(kept.strip()) >= _MIN_CORE else None


def _without_code(text: str) -> str:
    """The text, as long as before, with its code blanked out."""
    return _CODE.sub(lambda m: "\0" * len(m.group()), text) if "`" in text else text
