"""A mixed set from reasoning-gym: puzzles made from a seed, each with its own checker.

An entry as the package makes it (own words), one task a kind of puzzle:

    {"question": "Spell this word backward (example: sun -> nus): lamp", "answer": "pmal",
     "metadata": {"source_dataset": "spell_backward", "source_index": 0, ...}}

Protocol: Stojanovski et al. 2025 (arXiv 2505.24760), with one change: correct is
`score_answer(...) == 1.0` and nothing else, since the package gives partial credit by default.
Reading: the last box, else after "Answer:" or "the answer is", else the last line; tried as
written and tidied (no LaTeX dress, no thousands commas, the side after "=").

Which tasks: answers of one line, a unique or checkable result, nothing but the prompt needed.
Never a task whose checker evaluates what the model wrote (`router.verify.logic`, which scores,
names them). A test reads the checkers of our tasks for such calls.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from eval.benchmarks.benchmark import Benchmark, Graded, Question, benchmark
from policies.outcome import Status
from router.errors import InputError
from router.verify.logic import MAX_ANSWER, full_marks, need_package, read_answer

__all__ = ["TASKS", "ReasoningGym", "dataset"]

INSTRUCTION = 'Think step by step. End with the line "Answer: X", X the final answer alone.'
TASKS: Mapping[str, Mapping[str, Any]] = {
    "chain_sum": {"max_terms": 5, "max_digits": 3},
    "caesar_cipher": {"max_words": 5, "max_rotation": 5},
    "knights_knaves": {},
    "gcd": {},
    "letter_counting": {"max_words": 10},
    "simple_equations": {"max_terms": 3},
    "base_conversion": {"max_value": 300},
    "zebra_puzzles": {"num_people": 3, "num_characteristics": 3},
    "products": {"max_digits": 3},
    "spell_backward": {},
    "calendar_arithmetic": {},
    "lcm": {},
    "word_sorting": {"max_words": 6},
    "shortest_path": {"max_rows": 5, "max_cols": 5},
    "fraction_simplification": {"styles": ("plain",), "max_value": 100, "max_factor": 20},
    "prime_factorization": {"max_value": 500},
    "simple_geometry": {},
    "count_primes": {"max_n": 200},
}
"""Task -> its settings where they are easier than the package's own. The order is part of it."""


@benchmark
class ReasoningGym(Benchmark):
    """Eighteen kinds of puzzles, interleaved."""

    name = "reasoning-gym"
    protocol = (
        "Question, then one instruction (step by step, last line 'Answer: X'). Read: last box, "
        "else after 'Answer:', else the last line. Score: the task's own checker gives 1.0."
    )
    benchmark_id = "reasoning_gym"
    prefix: ClassVar[str] = "reasoning_gym"
    """Begins the ids: two sets never share one."""
    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = TASKS
    per_task: ClassVar[int] = 25

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """One of each task, then the second of each, and so on: any limit gets a mixture."""
        if path is not None:
            raise InputError(f"{self.name} makes its questions from the seed: leave --path out")
        made = {task: self._made(task, seed) for task in self.tasks}
        return [made[task][i] for i in range(self.per_task) for task in self.tasks]

    def prompt(self, task: str, question: str) -> str:
        """The whole user turn for a question as the package words it."""
        return f"{question.strip()}\n\n{INSTRUCTION}"

    def read(self, text: str) -> str:
        """The final answer as written; empty where there is none."""
        return read_answer(text)

    def _made(self, task: str, seed: int) -> list[Question]:
        return [
            Question(
                id=f"{self.prefix}:{task}:{seed}:{i}",
                prompt=self.prompt(task, entry["question"]),
                gold=json.dumps({"task": task, **entry}, ensure_ascii=False),
                cluster_id=f"{self.prefix}:{task}",
                subject=task,
            )
            for i, entry in enumerate(dataset(task, self.per_task, seed, self.tasks[task]))
        ]

    async def score(self, question: Question, text: str) -> Graded:
        """1 where the task's checker is wholly content."""
        answer = self.read(text)
        if not answer:
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        entry = json.loads(question.gold)
        is_right = full_marks(entry.pop("task"), entry, answer)
        return Graded(score=float(is_right), answer=answer[:MAX_ANSWER])

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """The package's version: with the seed it fixes every question."""
        return {"reasoning-gym": version("reasoning-gym")}


def dataset(task: str, size: int, seed: int, settings: Mapping[str, Any]) -> Any:
    """The package's questions of one task."""
    need_package()
    import reasoning_gym

    return reasoning_gym.create_dataset(task, size=size, seed=seed, **settings)
