"""MMLU-Pro's published result archives: one zip a model, one JSON list of questions inside.

A record (shortened):

    {"question_id": 70, "question": "...", "options": ["...", ...], "answer": "E",
     "category": "business", "src": "ori_mmlu-business_ethics", "pred": "I",
     "generated_text": "... The answer is (I)."}

Correct is `pred == answer` of the *same* file: gold answers of 33 questions differ between
files. The query table keeps text and gold of the first file (by name) that has the question.
An absent `pred` is unparsed and counts 0; the authors fill one at random when they score, so
their published means are up to some points higher. The files of Llama 3.1 have those random
letters in `pred` already; they cannot be told from answers, so they count.
"""

import zipfile
from pathlib import Path
from typing import Any

import polars as pl

from eval.sources.assemble import assemble
from eval.sources.files import present, read_json_list, take
from eval.sources.sizes import size_of
from eval.sources.source import Source, register, remote_files
from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["SOURCE", "domain_of", "parse"]

_LETTERS = "ABCDEFGHIJ"
_REASONING = ("chemistry", "computer science", "engineering", "physics")


def domain_of(category: str, origin: str) -> str:
    """The table's own domain; business is split by where the question comes from."""
    if category == "math":
        return "math"
    if category == "business":
        return "knowledge" if origin.startswith("ori_mmlu-") else "reasoning"
    return "reasoning" if category in _REASONING else "knowledge"


def parse(folder: Path) -> OutcomeSet:
    """Every archive of the folder; `InputError` names the archive and the record."""
    queries: dict[str, dict[str, Any]] = {}
    tables = []
    for path in present(folder, "model_outputs_*_5shots.zip"):
        rows = []
        for place, record in enumerate(_records(path)):
            query = _query(record, f"{path}, record {place}")
            queries.setdefault(query["query_id"], query)
            rows.append(_outcome(query, record, _model(path)))
        tables.append(pl.DataFrame(rows, schema_overrides=_TYPES, infer_schema_length=None))
    frame = pl.DataFrame(list(queries.values()), infer_schema_length=None)
    return assemble(pl.concat(tables, how="diagonal"), frame, SOURCE.about())


_TYPES = {
    "params_b": pl.Float64,
    "params_active_b": pl.Float64,
    "answer": pl.String,
    "response_chars": pl.Int64,
}


def _model(path: Path) -> str:
    """`model_outputs_Meta-Llama-3_1-8B_5shots.zip` holds Meta-Llama-3.1-8B."""
    name = path.stem.removeprefix("model_outputs_").removesuffix("_5shots")
    return name.replace("Llama-3_1", "Llama-3.1")


def _records(path: Path) -> list[dict[str, Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith(".json")]
            if len(names) != 1:
                raise InputError(f"{path}: one JSON file is expected inside, not {len(names)}")
            data = archive.read(names[0])
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: no archive can be read ({error})") from None
    return read_json_list(path, data)


def _query(record: dict[str, Any], where: str) -> dict[str, Any]:
    options = take(record, "options", where)
    if len(options) > len(_LETTERS):
        raise InputError(f"{where}: {len(options)} options, there are at most {len(_LETTERS)}")
    category, origin = take(record, "category", where), take(record, "src", where)
    lines = [f"({letter}) {option}" for letter, option in zip(_LETTERS, options, strict=False)]
    return {
        "source": "TIGER-AI-Lab/MMLU-Pro",
        "benchmark": "mmlu_pro",
        "domain": domain_of(category, origin),
        "subject": f"{category}|{origin}",
        "query_id": f"mmlu_pro:{take(record, 'question_id', where)}",
        "query": "\n".join([take(record, "question", where), *lines]),
        "gold": take(record, "answer", where),
    }


def _outcome(query: dict[str, Any], record: dict[str, Any], model: str) -> dict[str, Any]:
    said = record.get("pred") or None
    text = record.get("generated_text")
    params, active = size_of(model)
    return {
        **{k: v for k, v in query.items() if k not in ("query", "gold")},
        "arm": model,
        "params_b": params,
        "params_active_b": active,
        "status": "ok" if said else "unparsed",
        "score": float(said == query["gold"]),
        "answer": said,
        "response_chars": None if text is None else len(text),
        "label_source": "gold",
    }


SOURCE = register(
    Source(
        name="mmlupro",
        home="https://github.com/TIGER-AI-Lab/MMLU-Pro",
        commit="f418b11",
        licence="Apache-2.0",
        files=remote_files("mmlupro"),
        parser=parse,
        pairs=(
            ("Meta-Llama-3.1-8B-Instruct", "Meta-Llama-3.1-70B-Instruct"),
            ("Meta-Llama-3.1-8B", "Meta-Llama-3.1-70B"),
            ("Meta-Llama-3-8B", "Meta-Llama-3-70B"),
            ("Llama-2-7b-hf", "Llama-2-70b-hf"),
            ("Mistral-7B-v0.1", "Mixtral-8x7B-v0.1"),
            ("Qwen1.5-7B-Chat", "Qwen1.5-72B-Chat"),
            ("Yi-6B", "Yi-34B"),
            ("gemini-1.5-flash-002", "gemini-1.5-pro-002"),
        ),
        notes=(
            "Up to ten options: the guess floor is about 0.1.",
            "An unparsed answer counts as wrong here; the authors fill one at random.",
            "Five models (the four Llama 3.1 and mathstral) have no unparsed answer at all: their "
            "files come with the random fills in them (seen in the bytes of both Llama 3.1 "
            "Instruct files: 188 and 694 answers name no letter); one in ten is right by chance.",
            "Qwen1.5-72B-Chat comes from another run than its published number.",
            "The gold answers of 33 questions differ between the models' files: each model is "
            "scored by its own file, the query table shows the first file's.",
            "DeepSeek-Coder-V2 lacks 1,681 rows (most of engineering and chemistry): 10,326 "
            "queries are complete over all 29 models.",
            "The two Gemini models have no published parameter count.",
            "3,268 queries share their opening with RouteLLM's MMLU.",
            "Already looked at before the predictions were registered: verdicts are exploratory.",
        ),
    )
)
