"""Small puzzles twice: of the recorded seed, and of a fresh one.

The tasks, wording and scoring of `reasoning_gym_small.py`. Canonical are the questions of seed 0
(those of the recorded samples, public since), perturbed those of `--seed`. A template is a task;
its questions of both kinds share the cluster.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from eval.benchmarks.benchmark import Question, benchmark
from eval.benchmarks.gsm8k_renumbered import CANONICAL, PERTURBED
from eval.benchmarks.reasoning_gym_small import SMALL_TASKS, ReasoningGymSmall
from router.errors import InputError

__all__ = ["ReasoningGymTwins"]

RECORDED = 0
"""The public seed."""


@benchmark
class ReasoningGymTwins(ReasoningGymSmall):
    """Ten of the recorded seed and ten of a fresh one, a task."""

    name = "reasoning-gym-twins"
    tasks: ClassVar[Mapping[str, Mapping[str, Any]]] = SMALL_TASKS
    per_task = 10

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """The recorded ones, then the fresh ones."""
        if abs(seed - RECORDED) < self.per_task:
            raise InputError(
                f"--seed: question i of seed s is made from s + i; give one that is at least "
                f"{self.per_task} from the recorded {RECORDED}"
            )
        old = super().questions(path, RECORDED)
        new = super().questions(path, seed)
        return [
            q.model_copy(update={"subject": kind})
            for kind, part in ((CANONICAL, old), (PERTURBED, new))
            for q in part
        ]
