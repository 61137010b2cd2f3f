"""Checking that an answer stands in the passage it cites.

What is covered
- The answer cites a passage that was really retrieved, by number.
- Its content (numbers, names, content words; not those that merely echo the question)
  stands in that passage.
- The passage is about what was asked: the names in the question stand in its title or text.

What is not covered
- Paraphrase: a right answer in other words is not passed. Negation and entailment: words
  that stand in the passage in another relation ("not in 1921") are passed.
- Whether the passage itself is right.
"""

import re
import time
import unicodedata

from router.samples import AttemptStatus
from router.state import Attempt, Citation, Passage, Verdict
from router.verify.finding import Finding, as_verdict
from router.verify.text import strip_thinking, word_set

__all__ = [
    "SUPPORTED",
    "answer_of",
    "check_grounding",
    "content_words",
    "names_of",
    "numbers_of",
    "unusable",
    "words_of",
]

MAX_CHARS = 20_000
SUPPORTED = 0.8
"""Uncalibrated: the words stand there; what they say of each other is not read."""
ENOUGH = 0.6
"""Share of the answer's own content words that must stand in the passage. Numbers and
names must all stand there."""

_STOPWORDS = word_set(
    """
    a an the and or but of in on at to for from by with as is are was were be been being it its
    this that these those which who whom whose what when where why how do does did has have had
    not no nor so than then there here their his her he she they them we you your i me my our us
    can could may might must shall should will would about into over under also only just such
    answer according passage source cited states stated says said given based called named known
    please tell following country name currently located approximately around total yes
    """
)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_MARKER = re.compile(
    r"\[\s*(?:passage\s*)?\d+(?:\s*,\s*\d+)*\s*\]|\(\s*(?:passage|source)\s*\d+\s*\)", re.I
)
_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SCALED = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s+(thousand|million|billion|trillion)\b", re.I)


def check_grounding(question: str, attempt: Attempt) -> Verdict:
    """Does the attempt's answer stand in the passages it cites?"""
    started = time.perf_counter()
    finding = _check(question[:MAX_CHARS], attempt)
    return as_verdict("grounding", finding, started)


def _check(question: str, attempt: Attempt) -> Finding:
    finding = unusable(attempt)
    if finding is not None:
        return finding
    answer = answer_of(attempt)
    findings = [_against(question, answer, attempt, c) for c in attempt.citations]
    return max(findings, key=lambda f: (f.passed is True, f.passed is None))


def answer_of(attempt: Attempt) -> str:
    """What was answered, without thinking and [n] markers."""
    return _MARKER.sub(" ", strip_thinking(attempt.text))[:MAX_CHARS].strip()


def unusable(attempt: Attempt) -> Finding | None:
    """What is wrong with the form of an answer from passages: nothing to check, or nothing that
    it could be checked against."""
    if attempt.status is AttemptStatus.ABSTAINED:
        return Finding(
            False, "abstained", evidence=("The reader found no answer in the passages.",)
        )
    if not answer_of(attempt):
        return Finding(False, "no_answer", evidence=("The answer is empty.",))
    if not attempt.citations:
        return Finding(False, "no_citation", evidence=("The answer cites no passage.",))
    for citation in attempt.citations:
        if not 1 <= citation.number <= len(attempt.passages):
            told = f"Passage {citation.number} is cited; there are {len(attempt.passages)}."
            return Finding(False, "bad_citation", evidence=(told,))
    return next(filter(None, (_invented(attempt, c) for c in attempt.citations)), None)


def _invented(attempt: Attempt, citation: Citation) -> Finding | None:
    """A quote that the passage does not hold."""
    passage = attempt.passages[citation.number - 1]
    if not citation.quote or _plain(citation.quote) in _plain(_all_of(passage)):
        return None
    told = f"The quote does not stand in {_where(citation, passage)}."
    return Finding(False, "bad_quote", evidence=(told,))


def _where(citation: Citation, passage: Passage) -> str:
    return f"passage {citation.number} ({passage.title[:60]})"


def _against(question: str, answer: str, attempt: Attempt, citation: Citation) -> Finding:
    passage = attempt.passages[citation.number - 1]
    where = _where(citation, passage)
    absent = sorted(names_of(question) - words_of(_all_of(passage)))
    if absent:
        told = f"{where.capitalize()} does not mention {', '.join(absent[:5])}."
        return Finding(False, "other_subject", evidence=(told,))
    if not names_of(question) and not (words_of(passage.title) - _STOPWORDS) & words_of(question):
        told = f"The question names nothing that ties it to {where}."
        return Finding(None, "unchecked", evidence=(told,))
    return _supported(question, answer, passage, where)


def _supported(question: str, answer: str, passage: Passage, where: str) -> Finding:
    held, numbers = words_of(_all_of(passage)), numbers_of(_all_of(passage))
    own_numbers = numbers_of(answer) - numbers_of(question)
    asked = words_of(question)
    content = words_of(answer) - asked - _STOPWORDS
    if not own_numbers and not content:
        told = "The answer holds nothing but words of the question."
        return Finding(None, "unchecked", evidence=(told,))
    missing = sorted(own_numbers - numbers) + sorted((names_of(answer) - asked) - held)
    if missing:
        told = f"{', '.join(missing[:5])} does not stand in {where}."
        return Finding(False, "unsupported", evidence=(told,))
    if content and len(content & held) < ENOUGH * len(content):
        told = f"{', '.join(sorted(content - held)[:5])} does not stand in {where}."
        return Finding(False, "unsupported", evidence=(told,))
    if openers := _capitalised(answer) - asked - held:
        # The first word of a sentence: a name that is not there, or any word at all.
        told = f"{', '.join(sorted(openers)[:5])} may be a name, and does not stand in {where}."
        return Finding(None, "unchecked", evidence=(told,))
    told = f"{', '.join(sorted(own_numbers | (content & held))[:5])} stands in {where}."
    return Finding(True, "passed", SUPPORTED, (told,))


def _all_of(passage: Passage) -> str:
    return f"{passage.title}\n{passage.text}"[:MAX_CHARS]


def _plain(text: str) -> str:
    """Lower case, without accents, white space as single blanks."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(bare.replace("’", "'").split())


def _stem(word: str) -> str:
    """Possessives and plurals off; no more, since a stemmer would merge different words."""
    word = _plain(word).removesuffix("'s").rstrip("'")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def words_of(text: str) -> set[str]:
    """Stems of all words; a hyphenated word counts as a whole and in parts."""
    words: set[str] = set()
    for match in _WORD.finditer(text):
        words |= {_stem(match.group()), *map(_stem, match.group().split("-"))}
    return words - {""}


def content_words(text: str) -> set[str]:
    """Stems of the words that say something."""
    return words_of(text) - _STOPWORDS


def names_of(text: str) -> set[str]:
    """Capitalised words, as stems. The first word of a sentence is capitalised anyway."""
    return _capitalised(text, openers=False)


def _capitalised(text: str, *, openers: bool = True) -> set[str]:
    names: set[str] = set()
    for match in _WORD.finditer(text):
        word = match.group()
        if not word[0].isupper() or _stem(word) in _STOPWORDS:
            continue
        before = text[max(0, match.start() - 20) : match.start()].rstrip(" \"'“(*_")
        if openers or (before and before[-1] not in ".!?:\n"):
            names.add(_stem(word))
    return names


def numbers_of(text: str) -> set[str]:
    """Numbers in one spelling: 1,234 and 1234.0 are 1234; 3.5 million is 3500000."""
    found = set()
    for figure, scale in _SCALED.findall(text):
        found.add(_number(figure, _SCALES[scale.lower()]))
    for figure in _NUMBER.findall(_SCALED.sub(" ", text)):
        found.add(_number(figure, 0))
    return found - {""}


def _number(figure: str, zeros: int) -> str:
    whole, _, part = figure.replace(",", "").partition(".")
    part = part[:30].ljust(zeros, "0")
    whole, part = (whole + part[:zeros]).lstrip("0") or "0", part[zeros:].rstrip("0")
    return f"{whole}.{part}" if part else whole
