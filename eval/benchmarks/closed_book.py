"""Short factual questions asked closed-book: what such benchmarks share.

Prompt: the question, then one instruction. Reading: the last box, else what follows "Answer:"
or "the answer is" on its line, else the first line that is not empty. An answer that says "I
don't know" is an answer, and wrong. Score: exact match with any alias after the benchmark's
own normalisation, which is what a subclass states.
"""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from eval.benchmarks.benchmark import Benchmark, Graded, Question
from eval.benchmarks.reading import fail, question_file, rows, visible
from eval.sources.shared import checksums
from policies.outcome import Status
from router.verify.reading import marked, tidy

__all__ = ["FORMAT", "ClosedBook", "read_short"]

FORMAT = 'JSONL, one {"question": ..., "answer": ["alias", ...]} a line, "id" optional'
INSTRUCTION = "Answer with the name, date or number alone, as short as possible."
MAX_ANSWER = 500


class ClosedBook(Benchmark):
    """Base of the benchmarks whose gold is a list of aliases."""

    file: ClassVar[str]
    """Of the shared question sets."""

    @abstractmethod
    def prefix(self, source: Path) -> str:
        """Of the ids of questions that bring none."""

    @abstractmethod
    def normalised(self, answer: str) -> str:
        """What is compared; empty where there is nothing to compare."""

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """In the file's order; `seed` changes nothing."""
        source = question_file(path, self.file)
        prefix = self.prefix(source)
        found: list[Question] = []
        for line, row in rows(source, FORMAT):
            text, aliases = row.get("question"), row.get("answer")
            if not isinstance(text, str) or not isinstance(aliases, list) or not aliases:
                raise fail(source, line, "question must be a text, answer a list", FORMAT)
            if not all(isinstance(alias, str) for alias in aliases):
                raise fail(source, line, "every alias must be a text", FORMAT)
            found.append(
                Question(
                    id=str(row.get("id") or f"{prefix}:{len(found)}"),
                    prompt=f"{text}\n\n{INSTRUCTION}",
                    gold=json.dumps(aliases, ensure_ascii=False),
                )
            )
        return found

    async def score(self, question: Question, text: str) -> Graded:
        """1 where the short answer is one of the aliases."""
        answer = read_short(text)
        if not self.normalised(answer):
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        golds = {self.normalised(alias) for alias in json.loads(question.gold)}
        is_right = len(answer) <= MAX_ANSWER and self.normalised(answer) in golds
        return Graded(score=float(is_right), answer=answer[:MAX_ANSWER])

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """Of the question file."""
        return checksums([question_file(path, self.file)])


def read_short(text: str) -> str:
    """The short answer in a text; empty where there is none."""
    seen = visible(text)
    if found := marked(seen):
        return tidy(found)
    lines = (line.strip() for line in seen.splitlines())
    return tidy(next(filter(None, lines), ""))
