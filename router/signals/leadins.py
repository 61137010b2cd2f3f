"""Sentences around a question that say nothing of their own.

"I have a question:", "Could you help me with the following?", "Here's what I need sorted out.",
"What do you say?": such a sentence is made of a few hundred words that any request may hold.
Where one stands first or last, beside something that says more, it is dropped.

English only. What this does not do: drop an instruction ("Translate the following:"), or a
sentence that is all there is.
"""

import re

__all__ = ["count_words", "without_lead_ins"]

_WORDS = """
i i'm i've i'd i'll me my mine we we're us our you you're your it it's its this this's that
that's these those there there's here here's he the a an one ones some any all each both other
another next following below above attached given last first second quick short small little
simple single tiny and or so but then now please kindly just only also too well okay ok sure
again anyway hi hello hey dear thanks thank greetings everyone everybody team assistant ai
friend folks have has had having got get getting need needs needed want wants wanted would
could can may might must shall should will do does did be is are am was were been being go
goes let let's like to for of with on in at about from by as into out up off over back through
regarding concerning question questions query queries problem problems task tasks request
requests thing things something matter issue point case prompt exercise item ask asking asked
answer answers answering respond response reply solve solving solution resolve help helping
assist assistance sort sorted figure figured handle work working try trying look looking
consider considering think thinking thoughts know knowing tell telling say saying hear
understand what what's how who which when where why whether if not no yes today moment time
minute sec come comes came stuck wondering wonder curious see bit lot much very really best
able kind possible can't don't couldn't won't doesn't isn't appreciate appreciated advance
great good morning afternoon evening day
"""
_EMPTY = frozenset(_WORDS.split())
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|\d+")
_FIRST = re.compile(r"\s*([^.!?:\n]{2,120}(?:[.!?:]+(?=\s|$)|\n\n))\s*")
_LAST = re.compile(r"(?:(?<=[.!?\n)\]}\"'])|(?<=[.!?] ))\s*([^.!?:\n]{2,80}[.!?]*)\s*$")
_OPTION = re.compile(r"(?:^|\n)[ \t]*[(\[]?[A-Ja-j1-9][.):\]][ \t]*$")
_SOCIAL = re.compile(
    r"\b(?:you|your|me|help|thanks?|please|appreciate\w*|advance)\b", re.IGNORECASE
)
_MOST_WORDS = 14
_ROUNDS = 3
_FEWEST_LEFT = 3
_WIDE = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")


def count_words(text: str) -> int:
    """Words, and characters of scripts that set no spaces between words."""
    return len(_WIDE.findall(text))


def without_lead_ins(text: str) -> str:
    """The text without empty sentences before and after what is asked."""
    kept = text
    for _ in range(_ROUNDS):
        found = _FIRST.match(kept[:400])
        if not found or not _says_nothing(found.group(1)):
            break
        kept = kept[found.end() :]
    for _ in range(_ROUNDS):
        tail = kept[-200:]
        found = _LAST.search(tail)
        if not found or not _says_nothing(found.group(1)) or not _SOCIAL.search(found.group(1)):
            break  # "What is it?" may be the question
        shorter = kept[: len(kept) - len(tail) + found.start()]
        if _OPTION.search(shorter[-40:]):
            break  # "D. all of the above"
        kept = shorter.rstrip()
    says = count_words(kept[:2_000]) >= _FEWEST_LEFT and not _says_nothing(kept[:200])
    return kept if says else text


def _says_nothing(sentence: str) -> bool:
    words = [w.replace("’", "'") for w in _TOKEN.findall(sentence.lower())]
    return 0 < len(words) <= _MOST_WORDS and all(w in _EMPTY for w in words)
