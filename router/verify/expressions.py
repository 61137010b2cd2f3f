"""The expression that a question itself asks to compute.

What: "What is 12*7?", "17% of 250", "12 times 7", "the sum of 3 and 4". What not: word
problems, questions that say anything more ("Then double it.", "in binary"), what can be read in
two ways (`100 + 10%`), dates and telephone numbers: None, since the value need not be the answer.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from router.verify.arithmetic import Unreadable, compute
from router.verify.text import word_set
from router.verify.tokens import tokenise

__all__ = ["Expression", "asked_expression"]

_ENGLISH = (
    (re.compile(r"\b(?:times|multiplied by)\b"), "*"),
    (re.compile(r"\b(?:divided by|over)\b"), "/"),
    (re.compile(r"\b(?:plus|added to)\b"), "+"),
    (re.compile(r"\bminus\b"), "-"),
    (re.compile(r"\b(?:raised )?to the power of\b"), "^"),
    (re.compile(r"\bsquared\b"), "^2"),
    (re.compile(r"\bcubed\b"), "^3"),
    (re.compile(r"(?<=\d)\s*percent\b"), "%"),
    (re.compile(r"\b(?:the )?square root of (\d+)\b|\\?sqrt[({](\d+)[)}]"), r"((\1\2)^(1/2))"),
    (re.compile(r"\bthe sum of (\S+) and (\S+?)(?=[?.,\s]*$)"), r"(\1)+(\2)"),
    (re.compile(r"\bthe product of (\S+) and (\S+?)(?=[?.,\s]*$)"), r"(\1)*(\2)"),
    (re.compile(r"\bthe difference (?:of|between) (\S+) and (\S+?)(?=[?.,\s]*$)"), r"(\1)-(\2)"),
)
_LEAD = re.compile(
    r"^(?:please |can you |could you |kindly )*(?:tell me )?(?:(?:compute|calculate|evaluate"
    r"|simplify|find|work out|determine|solve|what(?:'s| is| does)|how much is)\s*:?\s*)?"
    r"(?:(?:the )?(?:exact )?(?:value|result|answer) (?:of|to)\s*:?\s*)?"
    r"(?:(?:the )?following(?: expression| sum| product)?\s*:?\s*)?"
)
_TAIL = re.compile(r"(?:\bequals?(?: to)?|\bexactly|=\s*\??|[?.:\s])+$")
_SENTENCES = re.compile(r"(?<=[?!:])\s+|(?<=[^\d\s]\.)\s+|(?<=\d\.)\s+(?=[A-Z])|\n+")
_BOX = re.compile(r"\\boxed\s*\{\s*\}|\\boxed\b")
_SIGN = re.compile(r"[\d+/^=<>%√²³½¼¾±×÷−]|-\s*\(|(?<!\w)-(?=\w)")
_WORD = re.compile(r"[^\W_]+")
_HARMLESS = word_set(
    "hi hello hey there dear assistant please kindly thanks thank you very much a lot in advance"
    " can could i need help me with my homework quick question the math maths problem q show your"
    " work working steps step by think carefully explain reasoning give write state put return"
    " provide reply respond answer only just number numerical result final as inside within box"
    " boxed and nothing else no explanation do not use calculator exact evaluate compute calculate"
    " following expression sum below"
)
"""Greetings and orders about the form of the reply. Any other word could change what is asked."""
_AMBIGUOUS = re.compile(
    r"\b(?:square )?root of \S+ \S|[-+]\s*[\d.]+\s*(?:%|percent)"
    r"|(?<![\d/])(?:9/11|24/7|7/11|50/50|4/20)(?![\d/])|\d/\d+/\d|(?<!\d)\d{3,4}-\d{4}(?!\d)"
    r"|(?<![\d.])\d{1,4}-\d{1,4}-\d{1,4}(?![\d.])"
)
"""Sums that are none, or two: `root of 9 plus 16`, `100 + 10%`, dates, telephone numbers."""


class Expression(NamedTuple):
    text: str
    value: Fraction


def asked_expression(question: str) -> Expression | None:
    """The one expression the question asks for, if nothing else in it could change it."""
    found: list[Expression] = []
    for sentence in _SENTENCES.split(question.strip()):
        text = sentence.strip().lower()
        expression = _whole_expression(text)
        if expression:
            found.append(expression)
        elif not _says_nothing(text):
            return None
    return found[0] if len(found) == 1 else None


def _says_nothing(sentence: str) -> bool:
    """Only greetings and orders about the form: no word that could change the question."""
    text = _BOX.sub(" ", sentence)
    return not _SIGN.search(text) and set(_WORD.findall(text)) <= _HARMLESS


def _whole_expression(sentence: str) -> Expression | None:
    if _AMBIGUOUS.search(sentence[:500]):
        return None
    body = _TAIL.sub("", _LEAD.sub("", sentence[:500], count=1)).strip().strip("$").strip()
    for pattern, new in _ENGLISH:
        body = pattern.sub(new, body)
    tokens = tokenise(body)
    if any(t.kind == "word" and t.text != "of" for t in tokens):
        return None
    try:
        result = compute(tokens)
    except Unreadable:
        return None
    return Expression(body, result.value) if result.operations else None
