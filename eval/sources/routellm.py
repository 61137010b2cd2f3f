"""RouteLLM's own answer files: Mixtral-8x7B (weak) and GPT-4 (strong) on MMLU and GSM8K.

    gsm8k/gsm8k_responses.csv      prompt, a True/False and an answer text a model
    mmlu/mmlu_<subject>.csv        prompt, a True/False a model
    {gsm8k,mmlu}/contaminated_prompts.jsonl   eval_prompt: too close to RouteLLM's training data

The place of a record in its file is its id; a contaminated prompt is marked in `subject`.
Not read: MT-Bench (its judgements are another format) and gold answers (the files have none).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from eval.sources.assemble import assemble
from eval.sources.files import present, read_csv, read_jsonl, take
from eval.sources.sizes import size_of
from eval.sources.source import Source, register, remote_files
from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["MODELS", "SOURCE", "parse"]

MODELS = ("mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview")

# The table's own domains: coarser than the labels of `labels.py`, and not to be mixed with them.
_MATH = """
abstract_algebra college_mathematics elementary_mathematics high_school_mathematics
high_school_statistics
"""
_REASONING = """
astronomy college_chemistry college_computer_science college_physics conceptual_physics
econometrics electrical_engineering formal_logic high_school_chemistry
high_school_computer_science high_school_physics logical_fallacies machine_learning
"""


def mmlu_domain(subject: str) -> str:
    """math, reasoning or knowledge: the domain of one of MMLU's 57 subjects."""
    if subject in _MATH.split():
        return "math"
    return "reasoning" if subject in _REASONING.split() else "knowledge"


def parse(folder: Path) -> OutcomeSet:
    """Both benchmarks, or the one that the folder has; `InputError` names file and line."""
    queries: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for path in [
        *folder.glob("gsm8k/gsm8k_responses.csv"),
        *sorted(folder.glob("mmlu/mmlu_*.csv")),
    ]:
        for query, record, where in _records(path):
            queries.append(query)
            outcomes.extend(_outcome(query, model, record, where) for model in MODELS)
    if not queries:
        present(folder, "gsm8k/gsm8k_responses.csv")  # says what is wanted
    return assemble(
        pl.DataFrame(outcomes, infer_schema_length=None),
        pl.DataFrame(queries, infer_schema_length=None),
        SOURCE.about(),
    )


def _records(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, str], str]]:
    """The query, its record and where it stands, in the file's order."""
    gsm8k = path.parent.name == "gsm8k"
    subject = "gsm8k" if gsm8k else path.stem.removeprefix("mmlu_")
    prefix = "gsm8k_test" if gsm8k else f"mmlu_test:{subject}"
    marked = _contaminated(path.with_name("contaminated_prompts.jsonl"))
    for place, (line, record) in enumerate(read_csv(path, ("prompt", *MODELS))):
        query = {
            "source": "lm-sys/RouteLLM",
            "benchmark": "gsm8k" if gsm8k else "mmlu",
            "domain": "math" if gsm8k else mmlu_domain(subject),
            "subject": f"{subject}|contaminated" if record["prompt"] in marked else subject,
            "query_id": f"{prefix}:{place}",
            "query": record["prompt"],
        }
        yield query, record, f"{path}:{line}"


def _contaminated(path: Path) -> frozenset[str]:
    """Without that list every prompt would look clean, so it must be there."""
    if not path.is_file():
        raise InputError(f"{path} is missing: it says which prompts are contaminated")
    return frozenset(take(row, "eval_prompt", f"{path}:{n}") for n, row in read_jsonl(path))


def _outcome(
    query: dict[str, Any], model: str, record: dict[str, str], where: str
) -> dict[str, Any]:
    if record[model] not in ("True", "False"):
        raise InputError(f"{where}: {model} is {record[model]!r}, True or False is expected")
    answer = record.get(f"{model}_response")
    params, active = size_of(model)
    return {
        **{k: v for k, v in query.items() if k != "query"},
        "arm": model,
        "params_b": params,
        "params_active_b": active,
        "status": "ok",
        "score": float(record[model] == "True"),
        "answer": answer,
        "response_chars": None if answer is None else len(answer),
        "label_source": "gold",
    }


SOURCE = register(
    Source(
        name="routellm",
        home="https://github.com/lm-sys/RouteLLM",
        commit="0b64fda",
        licence="Apache-2.0",
        files=remote_files("routellm"),
        pairs=(MODELS,),
        parser=parse,
        notes=(
            "Contaminated prompts carry |contaminated in subject: 5 of MMLU, 12 of GSM8K. "
            "RouteLLM's published numbers leave them out (14,037 and 1,307 kept).",
            "MMLU has no gold answers and no answer texts; GSM8K has one text a model, no gold.",
            "MT-Bench is not read from the published files: the normalised table has it.",
            "GSM8K's test also stands in zeroeval and gsm8k_gpt3; 3,268 MMLU-Pro queries share "
            "their opening with MMLU here: de-duplicate before any hold-out across tables.",
            "Both models are of 2023: mathematics is where the small one is worst.",
        ),
    )
)
