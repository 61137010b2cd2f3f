"""NQ-open: short factual questions that people typed into a search box.

A row as published (own words), and as the shared question sets hold it:

    {"question": "which river runs through the city of ulm", "answer": ["Danube", "the Danube"]}
    {"id": "nq_open_dev:3", "question": "which river ...", "answer": ["Danube"]}

Protocol: Lee et al. 2019 (arXiv 1906.00300), closed book: exact match with any alias after
SQuAD's normalisation (`normalize_answer` of its evaluate-v1.1.py: lower case, no ASCII
punctuation, no a/an/the, single spaces). Containing the alias is no match.
"""

import re
import string
from pathlib import Path

from eval.benchmarks.benchmark import benchmark
from eval.benchmarks.closed_book import ClosedBook

__all__ = ["NqOpen", "normalised"]

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@benchmark
class NqOpen(ClosedBook):
    """Natural Questions, open form, dev split."""

    name = "nq-open"
    protocol = (
        "Question, then one instruction (answer alone, short); closed book. Read: last box, else "
        "after 'Answer:', else the first line. Score: SQuAD-normalised exact match with any alias."
    )
    benchmark_id = "nq_open_dev"
    file = "nq_open_dev.jsonl"

    def prefix(self, source: Path) -> str:
        """Only the dev file's numbers may join with other tables."""
        is_dev = source.stem in ("nq_open_dev", "NQ-open.dev")
        return "nq_open_dev" if is_dev else f"nq_open:{source.stem}"

    def normalised(self, answer: str) -> str:
        """SQuAD's."""
        return normalised(answer)


def normalised(answer: str) -> str:
    """SQuAD's `normalize_answer`."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())
