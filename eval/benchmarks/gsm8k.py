"""GSM8K: grade-school word problems with one number as the answer.

A row as the authors publish it (own words), and as the shared question sets hold it:

    {"question": "A crate holds 12 jars. How many jars are in 4 crates?",
     "answer": "4 crates hold 12*4=<<12*4=48>>48 jars.\\n#### 48"}
    {"id": "gsm8k_test:7", "question": "A crate ...", "answer": "48"}

Reading: the last `\\boxed{}`, else the number after "the answer is" or `####`, else the
number that the last sentence concludes with (`router.verify.concluding`). lm-evaluation-harness's
`flexible-extract` filter takes the last number there, and so reads "$64 for the 16 glasses"
as 16: on RouteLLM's stored answers it misses about 70 of GPT-4's right ones. Scoring: equal as
an exact number. The bare figure counts, so "10%" is 10, the question having asked for per cent,
and never 0.1. A boxed expression that is no plain number (`\\frac{36}{2}`) goes to math-verify,
in a killable process.

Not covered: numbers in words, and a decimal comma ("1,5" is 15 here as in the harness).
"""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Graded, Question, benchmark
from eval.benchmarks.reading import fail, question_file, rows, visible
from eval.sources.shared import checksums
from policies.outcome import Status
from router.verify.concluding import NUMBER, conclusion
from router.verify.equivalence import EquivalenceChecker
from router.verify.reading import last_match, tidy
from router.verify.text import boxes

__all__ = ["Gsm8k"]

FORMAT = (
    'JSONL, one {"question": ..., "answer": "... #### 18"} a line, or {"id", "question", '
    '"answer": "18"}'
)
INSTRUCTION = "Think step by step. End with the final number on its own line, in \\boxed{}."
MAX_ANSWER = 200

_MARKED = re.compile(r"(?:\banswer\b[^\n]{0,80}?\b(?:is|equals)\b|\banswer\W{0,4}:|####)", re.I)
_OPERATOR = re.compile(r"[+*/^=\\×÷·()\[\]{}]|\d\s*[-−]|\bor\b|√", re.IGNORECASE)


@benchmark
class Gsm8k(Benchmark):
    """Grade-school math, exact numbers."""

    name = "gsm8k"
    version = "2"
    protocol = (
        "Question, then one instruction (step by step, final number boxed). Read: last box, else "
        "the number after 'the answer is' or '####', else the last sentence's. Score: exact number."
    )
    benchmark_id = "gsm8k"

    def __init__(self) -> None:
        self._checker = EquivalenceChecker()

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """In the file's order; `seed` changes nothing."""
        source = question_file(path, "gsm8k_test.jsonl")
        is_test = source.stem in ("test", "gsm8k_test")  # only these join the outcome tables
        prefix = "gsm8k_test" if is_test else f"gsm8k:{source.stem}"
        found: list[Question] = []
        for line, row in rows(source, FORMAT):
            text, answer = row.get("question"), row.get("answer")
            if not isinstance(text, str) or not isinstance(answer, str):
                raise fail(source, line, "question and answer must be texts", FORMAT)
            gold = answer.rpartition("####")[2].strip().replace(",", "")
            if not NUMBER.fullmatch(gold) or read_number(gold) is None:
                raise fail(source, line, "the answer ends in no number", FORMAT)
            name = str(row.get("id") or f"{prefix}:{len(found)}")
            found.append(Question(id=name, prompt=f"{text}\n\n{INSTRUCTION}", gold=gold))
        return found

    async def score(self, question: Question, text: str) -> Graded:
        """1 where the answer is the gold number."""
        seen = _ascii_digits(visible(text))
        filled = [box for box in boxes(seen) if box]
        box = tidy(filled[-1]) if filled else ""
        answer = _plain(box) if box else _written(seen)
        if answer is None and re.search(r"\d", box):
            found = await asyncio.to_thread(self._checker.equivalent, question.gold, box)
            return Graded(score=float(found.equal is True), answer=box[:MAX_ANSWER])
        if answer is None:
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        same = read_number(answer) == read_number(question.gold)
        return Graded(score=float(same), answer=answer[:MAX_ANSWER])

    async def cluster(self, question: Question, answers: Sequence[str]) -> list[int | None]:
        """By mathematical equivalence."""
        return list(await asyncio.to_thread(self._checker.cluster, answers))

    def close(self) -> None:
        """End math-verify's processes, if any were needed."""
        self._checker.close()

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """Of the question file."""
        return checksums([question_file(path, "gsm8k_test.jsonl")])


def read_number(written: str) -> Fraction | None:
    """`$1,200.00` -> 1200; None for what is no number, or one of absurd length."""
    top, _, bottom = re.sub(r"[$£€,]", "", written).replace("−", "-").partition("/")
    if not top or len(written) > MAX_ANSWER or (bottom and not int(bottom)):
        return None
    return Fraction(Decimal(top)) / (int(bottom) if bottom else 1)


def _plain(box: str) -> str | None:
    """The number of a box that holds one and no arithmetic: `18`, `x = 18`, `18 eggs`."""
    value = re.sub(r"\^?\\circ|\^\{\\circ\}|°", "", box.rpartition("=")[2])
    numbers = NUMBER.findall(value)
    rest = NUMBER.sub("", value, count=1)
    return numbers[0] if len(numbers) == 1 and not _OPERATOR.search(rest) else None


def _written(text: str) -> str | None:
    """The number after the last mark, else the one that the text concludes with."""
    end = last_match(_MARKED, text)
    if end and (after := NUMBER.search(text, end.end(), end.end() + MAX_ANSWER)):
        return after.group()
    if end and end.group() == "####" and text[end.end() :].strip():
        return None  # "#### It cannot be told" is an answer, and no number
    return conclusion(text)


def _ascii_digits(text: str) -> str:
    """Every script's decimal digits as 0 to 9; `²` and `½` are none."""
    if text.isascii():
        return text
    return re.sub(r"[^\x00-\x7f]", lambda m: str(unicodedata.decimal(m[0], m[0])), text)
