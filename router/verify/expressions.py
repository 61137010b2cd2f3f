"""The expression that a question itself asks to compute.

What: "What is 12*7?", "17% of 250", "12 times 7", "the sum of 3 and 4". What not: word
problems, and questions that ask for another form of the result (rounded, binary, ...):
there None, since the exact value need not be the answer.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from router.verify.arithmetic import Unreadable, compute
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
_OTHER_FORM = re.compile(
    r"\d|\b(?:round|nearest|remainder|binary|hex\w*|octal|base|mod\w*|words|roman|digits?|scientific"
    r"|simplest|mixed|percent\w*|decimals?|estimate\w*|approximate\w*|not|except|instead)\b"
)


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
        elif _OTHER_FORM.search(text):
            return None
    return found[0] if len(found) == 1 else None


def _whole_expression(sentence: str) -> Expression | None:
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
