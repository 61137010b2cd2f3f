"""What comes with a question: options in odd notation, a passage, orders on the answer's format.

    plain_options    "Choices: {'text': [...], 'label': [...]}" and lists of strings become lines
                     "A. ...", as a person would write them
    without_format   closing sentences that only say how to write the answer down ("Put the final
                     answer in \\boxed{}. Keep it within 3 sentences.") are dropped
    without_manners  "Hello! A question: ... Thanks in advance!" loses its greeting and its thanks
    has_passage      whether what stood around a question is a text to read, not rules or tools

What this does not do: judge whether the passage holds the answer.
"""

import ast
import re
import string
from collections.abc import Sequence

__all__ = ["has_passage", "plain_options", "without_format", "without_manners"]

_MAX_CHARS = 20_000
_FEWEST_WORDS = 3
_LAST_SENTENCES = 4
_CHOICES = re.compile(
    r"\b(?:choices|options|answers|candidates)[ \t]{0,4}[:=]\s{0,4}"
    r"(?P<value>[\[{][^\n]{4,2000}[\]}])",
    re.IGNORECASE,
)
_ORDER = (
    r"(?:please[ ,]{1,2})?(?:make sure to|be sure to|remember to|you (?:must|should)|always|only)?"
    r"[ ]?(?:provide|put|give|write|place|state|enclose|keep|return|end|finish|answer|respond|"
    r"reply|present|report|output|select|choose|indicate)\b"
)
_OBJECT = (
    r"(?:\\?boxed|final answer|correct answer|the answer (?:in|as|with)|"
    r"your (?:final )?(?:answer|choice|explanation|reasoning|response)|"
    r"(?:correct |right )?(?:letter|option|choice)s?(?: choice| only)?|"
    r"(?:explanation|response|feedback|answer)\b[^.\n]{0,40}\b(?:clear|concise|brief|short|within|"
    r"under|at most|in)\b|(?:letter|option|number) (?:only|alone))"
)
_FORMAT = re.compile(
    rf"(?:^|(?<=[.!?:;}}\])\n]))\s*{_ORDER}[^\n]{{0,120}}?\b{_OBJECT}[^\n]{{0,160}}$", re.IGNORECASE
)
_HINT = re.compile(
    r"\b(?:context|passages?|documents?|article|text|story|excerpt|background|sources?|wiki|paragraph|"
    r"abstract|transcript|report|notes?|kontext|contexto|contexte|texto|texte)\b",
    re.IGNORECASE,
)
_PASSAGE_WORDS = 30
_GREETING = re.compile(
    r"^\W{0,4}(?:hi|hello|hey|hallo|hola|bonjour|dear (?:all|team|assistant|sir|madam)|good "
    r"(?:morning|afternoon|evening|day)|greetings)\b(?:[ ,]{1,2}(?:there|all|team|everyone|again|"
    r"folks|friend))?(?:[!.,:;]\s{0,4}|\s{1,4}|\s?[-–]\s?)"
    r"(?:(?:i have |i've got )?(?:a|one|another) (?:quick |small |short |simple )?question"
    r"(?: for you)?[:.,!]\s{0,4}|(?:could|can|would) you (?:please )?(?:help me|assist me)"
    r"(?: out)?(?: with (?:this|the following|something|it)(?: one)?)?[?:.]\s{0,4})?",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:(?<=[.!?;)\]}\n]))\s*(?:(?:thanks?(?: you)?|thx|many thanks|danke|merci|gracias|"
    r"cheers)\b[^.!?\n]{0,40}|(?:i'?d|i would) (?:really )?appreciate[^.!?\n]{0,40}|(?:best|kind|"
    r"warm) regards[^\n]{0,40}|(?:any help|help) (?:is|would be) [^.!?\n]{0,30}appreciated)"
    r"[.!]{0,3}\s*$",
    re.IGNORECASE,
)


def plain_options(text: str) -> str:
    """The text with options in Python or JSON notation written out, a line each."""
    return _CHOICES.sub(_lines, text) if len(text) <= _MAX_CHARS else text


def _lines(found: re.Match[str]) -> str:
    try:
        value = ast.literal_eval(found["value"])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return found.group()
    labels: Sequence[object] = string.ascii_uppercase
    if isinstance(value, dict):
        labels = value.get("label") or value.get("labels") or labels
        value = value.get("text") or value.get("texts") or list(value.values())
    if not isinstance(value, list) or not all(isinstance(v, str | int | float) for v in value):
        return found.group()
    return "\n".join(f"{label}. {option}" for label, option in zip(labels, value, strict=False))


def without_format(text: str) -> str:
    """The text without closing sentences on how the answer is to be written."""
    kept = text
    for _ in range(_LAST_SENTENCES):
        tail = kept[-400:]
        found = _FORMAT.search(tail)
        if not found:
            break
        shorter = kept[: len(kept) - len(tail) + found.start()].rstrip()
        if len(shorter.split()) < _FEWEST_WORDS:
            break
        kept = shorter
    return kept


def without_manners(text: str) -> str:
    """The text without a greeting before, and thanks after, what is asked."""
    kept = text
    greeting = _GREETING.match(kept)
    if greeting and len(kept[greeting.end() :].split()) >= _FEWEST_WORDS:
        kept = kept[greeting.end() :].lstrip()
    tail = kept[-200:]
    thanks = _THANKS.search(tail)
    if thanks:
        shorter = kept[: len(kept) - len(tail) + thanks.start()].rstrip()
        kept = shorter if len(shorter.split()) >= _FEWEST_WORDS else kept
    return kept


def has_passage(rest: str) -> bool:
    """Whether the surroundings are a text to read: named so, and long enough."""
    return len(rest[:_MAX_CHARS].split()) >= _PASSAGE_WORDS and bool(
        _HINT.search(rest[:_MAX_CHARS])
    )
