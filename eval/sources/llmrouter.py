"""LLMRouter's test file: 500 questions, ten tasks of 50 in a row, nine models' scores.

A record: {"question": "...", "scores": {"qwen2.5-7b-instruct": 0.0, ...}}. The file names no
task: the place tells it, and `_marks` checks each block by its wording before it is believed.

Not in this file: gold answers, options of the choice questions, and which ids of the training
file the mbpp and human_eval questions have (they repeat questions there), so those two tasks
and GPQA get ids of their own (`...:file:N`).
"""

from pathlib import Path
from typing import Any

import polars as pl

from eval.sources.assemble import assemble
from eval.sources.files import read_json_list, take
from eval.sources.sizes import size_of
from eval.sources.source import Source, register, remote_files
from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["BLOCK", "SOURCE", "TASKS", "parse"]

BLOCK = 50
# benchmark: (domain, metric, what a question of the task looks like); in the file's order.
TASKS: dict[str, tuple[str, str, str]] = {
    "agentverse-logicgrid": ("reasoning", "em_mc", "houses"),
    "agentverse-mgsm": ("math", "MATH", ""),
    "commongen": ("other", "commongen_coverage", ""),
    "natural_qa": ("knowledge", "f1_score", ""),
    "trivia_qa": ("knowledge", "f1_score", ""),
    "mmlu": ("knowledge", "em_mc", ""),
    "gpqa": ("reasoning", "em_mc", ""),
    "mbpp": ("code", "code_eval", "function"),
    "human_eval": ("code", "code_eval", "def "),
    "gsm8k": ("math", "GSM8K", ""),
}
_OTHER_IDS = ("gpqa", "mbpp", "human_eval")


def parse(folder: Path) -> OutcomeSet:
    """`test.json`; `InputError` where it is not the 500 records that the blocks assume."""
    path = folder / "test.json"
    records = read_json_list(path)
    if len(records) != BLOCK * len(TASKS):
        raise InputError(
            f"{path}: {len(records)} records, {BLOCK * len(TASKS)} are expected: tasks are told "
            "by place, so another version of the file cannot be read"
        )
    queries, outcomes = [], []
    for place, record in enumerate(records):
        query = _query(place, record, f"{path}, record {place}")
        queries.append(query)
        outcomes.extend(_outcomes(query, record, f"{path}, record {place}"))
    return assemble(
        pl.DataFrame(outcomes, infer_schema_length=None),
        pl.DataFrame(queries, infer_schema_length=None),
        SOURCE.about(),
    )


def _query(place: int, record: dict[str, Any], where: str) -> dict[str, Any]:
    task = list(TASKS)[place // BLOCK]
    domain, metric, mark = TASKS[task]
    text = take(record, "question", where)
    if mark not in text:
        raise InputError(f"{where}: this is no {task} question; the file's order has changed")
    part = "file" if task in _OTHER_IDS else "test"
    return {
        "source": "ulab-uiuc/LLMRouter",
        "benchmark": task,
        "domain": domain,
        "subject": metric,
        "query_id": f"llmrouter:{task}:{part}:{place % BLOCK}",
        "query": text,
    }


def _outcomes(query: dict[str, Any], record: dict[str, Any], where: str) -> list[dict[str, Any]]:
    rows = []
    for model, score in take(record, "scores", where).items():
        if not isinstance(score, int | float) or not 0 <= score <= 1:
            raise InputError(f"{where}: the score of {model} is {score!r}, 0..1 is expected")
        params, active = size_of(model)
        rows.append(
            {
                **{k: v for k, v in query.items() if k != "query"},
                "arm": model,
                "params_b": params,
                "params_active_b": active,
                "status": "ok",
                "score": float(score),
                "label_source": "gold",
            }
        )
    return rows


SOURCE = register(
    Source(
        name="llmrouter",
        home="https://github.com/ulab-uiuc/LLMRouter",
        commit="4e7a796",
        licence="MIT",
        files=remote_files("llmrouter"),
        parser=parse,
        pairs=(
            ("llama-3.1-8b-instruct", "llama-3.3-nemotron-super-49b-v1"),
            ("llama-3.1-8b-instruct", "llama-3.1-nemotron-51b-instruct"),
            ("llama3-chatqa-1.5-8b", "llama3-chatqa-1.5-70b"),
        ),
        notes=(
            "Only the 500 test questions are read from the published file, without gold answers "
            "and options; the normalised table has 5,989 queries.",
            "Many zeros are format failures (chatqa about 0 on MMLU, TriviaQA 10 to 22 % "
            "everywhere): fit no size slopes on it.",
            "GPQA's texts are dropped on reading; a hash stays.",
            "agentverse-mgsm is GSM8K's test in English: it overlaps gsm8k.",
            "Unseen population: no score of it is to be looked at before the verdict command.",
        ),
    )
)
