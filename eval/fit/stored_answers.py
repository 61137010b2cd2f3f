"""RouteLLM's stored GSM8K answers with two labels each: as published, and scored again.

The published column marks some right answers wrong ("20.00" against 20). `corrected` is the
word of this project's GSM8K scorer (`eval/benchmarks/gsm8k.py`), which reads the number and
compares it exactly; `ockham outcomes rescore` lists where the two differ, and who is right.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from eval.benchmarks.benchmark import Question
from eval.benchmarks.gsm8k import Gsm8k
from eval.sources.files import read_csv
from eval.sources.routellm import MODELS
from router.errors import InputError

__all__ = ["StoredAnswer", "answer_files", "stored_answers"]

_COLUMNS = ("prompt", *MODELS, *(f"{m}_response" for m in MODELS))


class StoredAnswer(NamedTuple):
    """One model's answer to one question."""

    query_id: str
    model: str
    question: str
    response: str
    gold: str
    published: bool
    corrected: bool
    read: str | None
    """The number that the scorer read."""


def answer_files(data: Path) -> list[Path]:
    """What is read, for a checksum."""
    return [
        data / "raw" / "routellm" / "gsm8k" / "gsm8k_responses.csv",
        data / "questions" / "gsm8k_test.jsonl",
    ]


def stored_answers(data: Path) -> list[StoredAnswer]:
    """All 2,638, question by question; `InputError` where a file is missing or another one."""
    answers, golds = answer_files(data)
    benchmark = Gsm8k()
    try:
        return asyncio.run(_all(benchmark, answers, benchmark.questions(golds, seed=0)))
    finally:
        benchmark.close()


async def _all(benchmark: Gsm8k, path: Path, golds: Sequence[Question]) -> list[StoredAnswer]:
    found: list[StoredAnswer] = []
    for place, (line, record) in enumerate(read_csv(path, _COLUMNS)):
        asked = record["prompt"].strip()
        if place >= len(golds) or not golds[place].prompt.startswith(asked):
            raise InputError(f"{path}:{line}: not the question of {golds[place % len(golds)].id}")
        for model in MODELS:
            response = record[f"{model}_response"]
            graded = await benchmark.score(golds[place], response)
            found.append(
                StoredAnswer(
                    query_id=golds[place].id,
                    model=model,
                    question=asked,
                    response=response,
                    gold=golds[place].gold,
                    published=record[model] == "True",
                    corrected=graded.score == 1,
                    read=graded.answer,
                )
            )
    return found
