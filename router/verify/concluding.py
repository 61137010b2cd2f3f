"""The number that a worked solution ends on, where nothing marks it as the answer.

    "8 * $5 = $40. So Kylar pays $40 for the 16 glasses."        $40, and not 16

What: the last sentence that holds a number, its main clause (after "so", or the comma of a
leading "Since ..."). There the result of an equation (`= 45 miles away after 4 hours`), else
the last result before it that it repeats (or says to be another: "$0.10 is 10 cents"), else its
last number. What not: a sentence that tells two results ("5 chickens and 15 cows"): which one
was asked for stands in the question only.
Clock times on the hour are their hour.
"""

import re

from router.verify.reading import last_match
from router.verify.text import ClosedAnswer, final_answer

__all__ = ["NUMBER", "closed_answer", "conclusion"]

NUMBER = re.compile(
    r"(?:(?<![\w.)\]}])[-−])?[$£€]?(?:(?<=[$£€])[-−])?"
    r"(?:(?<![\w.])\d(?:[\d,]*\d)?(?:\.\d+)?|(?<![\w.])\.\d+)(?:[eE][+-]?\d{1,3}(?!\w))?(?:/\d+(?![\d./]))?"
)
_RESULT = re.compile(rf"=\s*\(?({NUMBER.pattern})(?!\s?%?\s?[-+*/×÷^]\s?[\d$(])")
_OPEN = re.compile(rf"=\s*{NUMBER.pattern}\s?[-+*/]\s?[a-z]\b")
"""`= 160 - y`: still to be computed, so it concludes nothing."""
_SAID = re.compile(rf"\b(?:is|are|equals)\s+({NUMBER.pattern})")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
_SO = re.compile(r",\s+(?:so|then|thus|therefore|hence)\b", re.IGNORECASE)
_LEADING = re.compile(
    r"\W*(?:(?:so|thus|therefore|hence|finally)\b,?\s*)?(?:since|because|as|if|when|after|given|with)\b"
    r"[^,]*,",
    re.IGNORECASE,
)
_ANNOTATION = re.compile(r"<<[^<>\n]{0,200}>>")
_END = 2000
"""Characters read from the end, where the last sentence and the results before it stand."""
_CLOCK = re.compile(r"\b(\d{1,2}):00\b(?!:)")


def closed_answer(text: str) -> ClosedAnswer | None:
    """The marked answer, else what a finished last sentence concludes with."""
    found = final_answer(text)
    if found or not text.rstrip("*_ \n").endswith((".", "!")):
        return found
    number = conclusion(text[-_END:])
    return ClosedAnswer(number, "sentence") if number else None


def conclusion(text: str) -> str | None:
    """The number as written; None where there is none, or it is still to be computed."""
    text = _CLOCK.sub(r"\1", _ANNOTATION.sub("", text))
    sentences = [one for one in _SENTENCE.split(text.strip()) if NUMBER.search(one)]
    if not sentences:
        return None
    clause = _main_clause(sentences[-1])
    if _OPEN.search(clause):
        return None
    if result := last_match(_RESULT, clause):
        return result[1]
    stated = list(NUMBER.finditer(clause))
    before = last_match(_RESULT, "\n".join(sentences[:-1]))
    for one in stated:
        if before and _bare(one.group()) == _bare(before[1]):
            said = _SAID.search(clause, one.end())
            return said[1] if said else one.group()
    return stated[-1].group()


def _main_clause(sentence: str) -> str:
    """The part that concludes, where it has a number."""
    so = last_match(_SO, sentence)
    clause = sentence[so.end() :] if so else sentence
    leading = _LEADING.match(clause)
    rest = clause[leading.end() :] if leading else clause
    return next(part for part in (rest, clause, sentence) if NUMBER.search(part))


def _bare(number: str) -> str:
    """Without its dress: `$64.00` and `64` are the same result."""
    digits = re.sub(r"[$£€,]", "", number)
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
