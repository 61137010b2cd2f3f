"""NQ-open: short factual questions that people typed into a search box.

A row as published (own words), and as the shared question sets hold it:

    {"question": "which river runs through the city of ulm", "answer": ["Danube", "the Danube"]}
    {"id": "nq_open_dev:3", "question": "which river ...", "answer": ["Danube"]}

Protocol: Lee et al. 2019 (arXiv 1906.00300), closed book: exact match with any alias after
SQuAD's normalisation (`normalize_answer` of its evaluate-v1.1.py: lower case, no ASCII
punctuation, no a/an/the, single spaces). Containing the alias is no match.

Reading: the last box, else what follows "Answer:" or "the answer is" on its line, else the
first line that is not empty. An answer that says "I don't know" is an answer, and wrong.
"""

import json
import re
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Graded, Question, benchmark
from eval.benchmarks.reading import fail, question_file, rows, visible
from eval.sources.shared import checksums
from policies.outcome import Status
from router.verify.reading import marked, tidy

__all__ = ["NqOpen", "normalised"]

FORMAT = 'JSONL, one {"question": ..., "answer": ["alias", ...]} a line, "id" optional'
INSTRUCTION = "Answer with the name, date or number alone, as short as possible."
MAX_ANSWER = 500

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@benchmark
class NqOpen(Benchmark):
    """Natural Questions, open form, dev split."""

    name = "nq-open"
    protocol = (
        "Question, then one instruction (answer alone, short); closed book. Read: last box, else "
        "after 'Answer:', else the first line. Score: SQuAD-normalised exact match with any alias."
    )
    benchmark_id = "nq_open_dev"

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """In the file's order; `seed` changes nothing."""
        source = question_file(path, "nq_open_dev.jsonl")
        # Only the dev file's numbers may join with other tables.
        is_dev = source.stem in ("nq_open_dev", "NQ-open.dev")
        prefix = "nq_open_dev" if is_dev else f"nq_open:{source.stem}"
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
        if not normalised(answer):
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        golds = {normalised(alias) for alias in json.loads(question.gold)}
        is_right = len(answer) <= MAX_ANSWER and normalised(answer) in golds
        return Graded(score=float(is_right), answer=answer[:MAX_ANSWER])

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """Of the question file."""
        return checksums([question_file(path, "nq_open_dev.jsonl")])


def read_short(text: str) -> str:
    """The short answer in a text; empty where there is none."""
    seen = visible(text)
    if found := marked(seen):
        return tidy(found)
    lines = (line.strip() for line in seen.splitlines())
    return tidy(next(filter(None, lines), ""))


def normalised(answer: str) -> str:
    """SQuAD's `normalize_answer`."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())
