"""TriviaQA: questions of trivia enthusiasts, asked without the articles that came with them.

A row as the shared question set holds it (own words); `answer` lists what counts as right:

    {"id": "llmrouter:trivia_qa:train:3", "question": "Which river ...", "answer": ["danube"]}

Protocol: Joshi et al. 2017 (arXiv 1705.03551), closed book: exact match with any alias after
the normalisation of the authors' `triviaqa_evaluation.py` (mandarjoshi90/triviaqa): lower case,
underscores as spaces, punctuation and curly quotes as spaces, no a/an/the, single spaces.
That differs from SQuAD's (`nq_open.normalised`), which drops punctuation without a space.

The shared set is LLMRouter's sample with *one* alias a question, where the authors publish
many, and it is any of them: for the Thames it is "temz river", for Hawaii "haiwii". So
accuracies on it are a lower bound, far below published ones, and good for comparing models
on the same file only.
"""

import re
import string
from pathlib import Path

from eval.benchmarks.benchmark import benchmark
from eval.benchmarks.closed_book import ClosedBook

__all__ = ["TriviaQa", "normalised"]

_PUNCTUATION = {ord(mark): " " for mark in (*string.punctuation, *"‘’´`")}
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@benchmark
class TriviaQa(ClosedBook):
    """Trivia, open form; the shared sample has one alias a question."""

    name = "trivia-qa"
    protocol = (
        "Question, then one instruction (answer alone, short); closed book. Read: last box, else "
        "after 'Answer:', else the first line. Score: exact match with any alias after "
        "TriviaQA's normalisation; the shared sample gives one alias a question."
    )
    benchmark_id = "trivia_qa"
    file = "triviaqa_550.jsonl"

    def prefix(self, source: Path) -> str:
        """Of the file."""
        return f"trivia_qa:{source.stem}"

    def normalised(self, answer: str) -> str:
        """TriviaQA's."""
        return normalised(answer)


def normalised(answer: str) -> str:
    """TriviaQA's `normalize_answer`."""
    plain = answer.lower().replace("_", " ").translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())
