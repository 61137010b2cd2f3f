"""Reading a response: what is thinking, and what is the closed answer.

What: strips `<think>` blocks, finds the last `\\boxed{...}` with balanced braces, else a
final-answer line. What not: it does not judge the answer, and it reads no drafts: a
think block that never closes leaves no answer at all. Every function is linear in the
length of the text.
"""

import re
from typing import Literal, NamedTuple

__all__ = ["ClosedAnswer", "box_is_changed", "boxes", "final_answer", "strip_thinking", "word_set"]

_OPEN, _CLOSE = "<think>", "</think>"
_BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|\\[{}\\]|[{}]")
_HASHES = re.compile(r"####[ \t]*(\S[^\n]{0,200})")
_MARKED = re.compile(
    r"\b(?:final |correct )?answer(?: (?:is|would be|equals|to [^:=\n]{1,80} is)\b:?|\s{0,3}[:=])"
    r"[ \t]*(\S[^\n]{0,200})",
    re.IGNORECASE,
)
_VALUE_LINE = re.compile(
    r"[-+−]?[$£€]?\s?[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:\s?/\s?\d+)?\s?%?(?:\s[a-zA-Z²³/ ]{1,30})?"
)
_AFTER_EQUALS = re.compile(r"[=≈]\s*([-+−$£€\\]{0,4}[\d.][^=≈]*)$")
_NUMBER = re.compile(r"[-−]?[$£€]?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?")
_ANNOTATION = re.compile(r"<<[^<>\n]{0,200}>>")
_SENTENCE_END = re.compile(r"(?<!\\)[.!?](?:\s|$)")
_DRESSING = " \t\r*_`"


_CHANGED_BOX = re.compile(
    r"(?:\b(?:not|isn't|cannot be|can't be|never|no|half|twice|double|minus|negative|least|most"
    r"|than|times)|(?<=[^}] )or|n't(?: be)?|[-<>≠≤≥~!/^+*])"
    r"(?:\s+(?:of|equal to|exactly|simply|just))?[\s$:(\\]*\\(?:boxed|fbox)\s*\{",
    re.IGNORECASE,
)


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as running text."""
    return frozenset(text.split())


class ClosedAnswer(NamedTuple):
    """The answer as written, and how it was marked as final."""

    text: str
    how: Literal["boxed", "marked", "line", "sentence"]


def strip_thinking(response: str) -> str:
    """The text after the thinking; empty where the thinking never ends.

    A lone `</think>` counts as an end: some templates put the opening tag in the prompt.
    """
    _, closed, rest = response.rpartition(_CLOSE)
    visible = rest if closed else response
    return "" if _OPEN in visible else visible.strip()


def boxes(text: str) -> tuple[str, ...]:
    """The contents of every closed outermost box, in the order in which they close."""
    stack: list[tuple[int, bool]] = []
    found: list[tuple[int, str]] = []
    for match in _BRACES.finditer(text):
        mark = match.group()
        if mark.endswith("{") and mark != "\\{":
            stack.append((match.end(), mark != "{"))
        elif mark == "}" and stack:
            start, is_box = stack.pop()
            if is_box:
                while found and found[-1][0] > start:  # boxes inside this one
                    found.pop()
                found.append((start, text[start : match.start()].strip()))
    return tuple(content for _, content in found)


def box_is_changed(text: str) -> bool:
    """Does what stands before a box make another answer of it: "not", "minus", "at least"?"""
    return bool(_CHANGED_BOX.search(text))


def final_answer(response: str) -> ClosedAnswer | None:
    """The closed answer of a response, or None.

    In this order: the last box, `#### X`, "the answer is X", a last line that is a value
    or ends in "= X", a last sentence that holds exactly one number.
    """
    text = strip_thinking(response)
    if not text:
        return None
    if boxed := boxes(text):
        return ClosedAnswer(boxed[-1], "boxed") if boxed[-1] else None
    for pattern in (_HASHES, _MARKED):
        found = pattern.findall(text)
        if found and (value := _tidy(found[-1])):
            return ClosedAnswer(value, "marked")
    return _from_last_line(text.rsplit("\n", 1)[-1][-1000:])


def _tidy(value: str) -> str:
    """Without markdown, and without the sentences that follow the value."""
    value = value.strip(_DRESSING)
    if end := _SENTENCE_END.search(value):
        value = value[: end.start()]
    # A leading dot may begin a decimal; a last `\!` is a space of LaTeX's.
    return value.lstrip(_DRESSING + ",;:!").rstrip(_DRESSING + ".,;:!")


def _from_last_line(line: str) -> ClosedAnswer | None:
    line = _ANNOTATION.sub("", line).strip(_DRESSING)
    if "<<" in line:  # cut off in the middle of an annotation
        return None
    bare = line.rstrip(".!$ ").strip(_DRESSING)
    if _VALUE_LINE.fullmatch(bare):
        return ClosedAnswer(bare, "line")
    if (equals := _AFTER_EQUALS.search(line)) and (value := _first_of(equals.group(1))):
        return ClosedAnswer(value, "line")
    # A sentence that is cut off has not closed its answer.
    if not line.endswith((".", "!", ")", "$")):
        return None
    last = re.split(r"(?<=[.!?])\s+", line)[-1]
    numbers = {n.strip("$£€,") for n in _NUMBER.findall(last)}
    only = _NUMBER.search(last)
    return ClosedAnswer(only.group(), "sentence") if only and len(numbers) == 1 else None


def _first_of(tail: str) -> str:
    """The value right after "=", where no other number follows it; else empty."""
    numbers = _NUMBER.findall(tail)
    if len(numbers) != 1:
        return ""
    return _tidy(tail)
