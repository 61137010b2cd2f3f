"""GPQA: graduate-level science, four options. The user's own copy, and nothing of it leaves.

The authors ask that no question appear in plain text online (arXiv 2311.12022), so the file
comes with `--path`, ids are hashes of the record id, gold and answer are letters, and no
error message quotes a field. Columns used of the official `gpqa_diamond.csv` (own words):

    Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,Record ID
    Which of these is a noble gas?,Neon,Iron,Chlorine,Sodium,rec123

Protocol: zero-shot chain of thought, as in openai/simple-evals `gpqa_eval.py`: options in
random order (here by seed and record id), the last line "Answer: $LETTER". Reading: the last
box that holds a letter, else the last "Answer: X" or "answer is X", else a text that is one
letter alone. Scoring: the letter. The guess floor is 0.25.
"""

import csv
import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Graded, Question, benchmark
from eval.benchmarks.reading import visible
from eval.sources.shared import checksums
from policies.outcome import Status
from router.errors import InputError
from router.verify.reading import last_match, tidy
from router.verify.text import boxes

__all__ = ["Gpqa"]

LETTERS = "ABCD"
OPTIONS = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
COLUMNS = ("Question", *OPTIONS, "Record ID")
FORMAT = f"the official CSV in UTF-8 with the columns {', '.join(COLUMNS)}"
INSTRUCTION = 'Think step by step. End with the line "Answer: X", X one of A, B, C, D.'

_LETTER = re.compile(r"\(?([A-D])(?:[).:,\s].*)?", re.DOTALL)
_ANSWER = re.compile(
    r"\banswer(?:[*_`]{0,3}[ \t]{0,3}:|[ \t]{1,3}is\b[ \t]{0,3}:?)[ \t$*_`(\[]{0,8}"
    r"(?:(?:option|choice)[ \t]{1,3}\(?)?(?-i:([A-D]))(?![\w'’])",
    re.IGNORECASE,
)


@benchmark
class Gpqa(Benchmark):
    """Graduate science by options, from the user's own file."""

    name = "gpqa"
    protocol = (
        "Question and four options shuffled by seed and record id, then one instruction (step by "
        "step, last line 'Answer: X'). Read: boxed letter, else 'Answer: X'. Score: the letter."
    )
    benchmark_id = "gpqa"

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """In the file's order, options shuffled by `seed`."""
        if path is None:
            raise InputError(f"gpqa needs your own copy: --path FILE, {FORMAT}")
        found = [_question(row, seed) for row in _rows(path)]
        if len({question.id for question in found}) < len(found):
            raise InputError(f"{path}: a Record ID stands there twice; expected {FORMAT}")
        return found

    async def score(self, question: Question, text: str) -> Graded:
        """1 where the letter is right."""
        letter = read_letter(text)
        if letter is None:
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        return Graded(score=float(letter == question.gold), answer=letter)

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """Of the user's file."""
        return checksums([path]) if path else {}


def _rows(path: Path) -> list[dict[str, str]]:
    """The columns used. Errors are raised outside of `except`: a cause would carry the text."""
    found, problem, line = [], "", 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                problem = "a column is missing"
            while not problem and (row := next(reader, None)) is not None:
                line = reader.line_num
                kept = {name: (row[name] or "").strip() for name in COLUMNS}
                if not all(kept.values()) or len({kept[name] for name in OPTIONS}) < len(OPTIONS):
                    problem = "an empty field or two equal options in the row that ends here"
                found.append(kept)
    except OSError as error:
        problem = error.strerror or "cannot be read"
    except (UnicodeDecodeError, csv.Error) as error:
        problem = f"no CSV in UTF-8 ({type(error).__name__}) after this line"
    if problem:
        raise InputError(f"{path}, line {line}: {problem}; expected {FORMAT}")
    if not found:
        raise InputError(f"{path}, line {line}: no questions; expected {FORMAT}")
    return found


def _question(row: Mapping[str, str], seed: int) -> Question:
    record = row["Record ID"]
    options = [row[name] for name in OPTIONS]
    random.Random(f"{seed}:{record}").shuffle(options)  # noqa: S311  an order, no secret
    listed = "\n".join(f"{x}) {option}" for x, option in zip(LETTERS, options, strict=True))
    return Question(
        id=f"gpqa:{hashlib.sha256(record.encode()).hexdigest()[:16]}",
        prompt=f"{row['Question']}\n\n{listed}\n\n{INSTRUCTION}",
        gold=LETTERS[options.index(row["Correct Answer"])],
        keep_text=False,
    )


def read_letter(text: str) -> str | None:
    """The chosen letter, or None."""
    seen = visible(text)
    for box in reversed(boxes(seen)):
        if match := _LETTER.fullmatch(tidy(box)):
            return match.group(1)
    if last := last_match(_ANSWER, seen):
        return last.group(1)
    alone = _LETTER.fullmatch(tidy(seen)) if len(seen) <= 5 else None
    return alone.group(1) if alone else None
