"""Facts of the World Factbook, asked closed-book, with the gold passage, retrieved, distracted.

Four benchmarks, one a condition, with the same questions under the same ids and in the same
words, so that their runs are paired:

    coverage-closed        nothing; for an arm with context `none`
    coverage-gold          the passages that hold the answer; for an arm with context `index`
    coverage-retrieved     what the index finds; for an arm with context `index`
    coverage-distractors   near passages without the answer; for an arm with context `index`

`--path` is a file of questions (`eval/knowledge/drawn.py`); without one all that the generator
makes are asked, in an order by `--seed` that goes round the fields. The prompt is the question,
then one instruction that says the form and the unit. Scoring: `eval/knowledge/scoring.py`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Graded, Question, benchmark
from eval.knowledge.conditions import library
from eval.knowledge.drawn import draw_evenly, read_questions
from eval.knowledge.gold import Gold
from eval.knowledge.questions import FactQuestion, checksum
from eval.knowledge.scoring import score
from eval.sources.shared import checksums
from router.state import Passage

__all__ = ["CONDITIONS", "Coverage", "instruction"]

CONDITIONS = ("closed", "gold", "retrieved", "distractors")

_RIGHT = "\0"
"""In place of every right answer where answers are compared: nothing that is said."""
_UNITS = {
    "km**2": "in square kilometres",
    "km": "in kilometres",
    "m": "in metres",
    "percent": "in percent",
    "USD": "in US dollars",
    "years": "in years",
    "hours": "in hours",
    "litres": "in litres",
    "tonnes": "in tonnes",
    "ug/m**3": "in micrograms per cubic metre",
}
_PROTOCOL = (
    "Question, then one instruction (the answer alone; the unit is stated). {given} Read: last "
    "box, else after 'Answer:', else the first sentence. Score: numbers after conversion within "
    "the field's tolerance, names by alias, whole dates; several answers where one is asked are "
    "wrong."
)


class Coverage(Benchmark):
    """What the four conditions share."""

    benchmark_id = "factbook"
    max_tokens = 160

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """In the file's order, or all of them, the fields in turn."""
        asked = read_questions(path) if path is not None else draw_evenly(seed)
        return [self._question(q, seed) for q in asked]

    async def score(self, question: Question, text: str) -> Graded:
        """1 where the answer says the gold one, and nothing beside it."""
        return score(Gold.model_validate_json(question.gold), text, question.prompt)

    async def cluster(self, question: Question, answers: Sequence[str]) -> list[int | None]:
        """Right answers are equivalent; of the others those with the same text."""
        gold = Gold.model_validate_json(question.gold)
        right = [score(gold, answer, question.prompt).score == 1 for answer in answers]
        said = [_RIGHT if yes else answer for yes, answer in zip(right, answers, strict=True)]
        return await super().cluster(question, said)

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """Of the questions and of the corpus that passages are taken from."""
        made = {"corpus": library().fingerprint}
        if path is not None:
            return {**made, **checksums([path]), "questions": checksum(read_questions(path))}
        return made

    def _question(self, question: FactQuestion, seed: int) -> Question:
        return Question(
            id=question.id,
            prompt=f"{question.prompt}\n\n{instruction(question.gold)}",
            gold=json.dumps(question.gold.model_dump(mode="json"), ensure_ascii=False),
            cluster_id=f"factbook:{question.code}",
            subject=question.field,
            passages=self.passages(question, seed),
        )

    def passages(self, question: FactQuestion, seed: int) -> tuple[Passage, ...] | None:
        """What the question brings; None: nothing, and an arm that reads searches."""
        return None


@benchmark
class CoverageClosed(Coverage):
    """Out of the model's own parameters."""

    name = "coverage-closed"
    protocol = _PROTOCOL.format(given="Nothing else is given.")


@benchmark
class CoverageGold(Coverage):
    """With the passages that hold the answer."""

    name = "coverage-gold"
    protocol = _PROTOCOL.format(given="The passages of the field that hold the answer are given.")

    def passages(self, question: FactQuestion, seed: int) -> tuple[Passage, ...]:
        """At most three, mostly one."""
        return library().gold(question)


@benchmark
class CoverageRetrieved(Coverage):
    """With what the index finds."""

    name = "coverage-retrieved"
    protocol = _PROTOCOL.format(given="The arm searches its index with this whole prompt.")


@benchmark
class CoverageDistractors(Coverage):
    """With passages that look right and do not hold the answer."""

    name = "coverage-distractors"
    protocol = _PROTOCOL.format(
        given="Given are passages without the answer: the field of two other countries, another "
        "field of the country."
    )

    def passages(self, question: FactQuestion, seed: int) -> tuple[Passage, ...]:
        """Three, in an order by seed."""
        return library().distractors(question, seed)


def instruction(gold: Gold) -> str:
    """Form and unit of the answer."""
    if gold.kind == "number":
        unit = _UNITS.get(gold.unit)
        return f"Answer with the number alone{f', {unit}' if unit else ''}."
    if gold.kind == "date":
        year = ", month and year" if len(gold.values[0]) > len("08-08") else " and month"
        return f"Answer with day{year} alone."
    if gold.kind == "names" and gold.needed > 1:
        return "Answer with all the names alone, separated by commas."
    if gold.kind == "text":
        return "Answer in a few words."
    return "Answer with the name alone."
