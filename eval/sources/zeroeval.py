r"""ZeroEval's result files of MATH level 5: `math-l5_<model>.json`, one JSON list a model.

A record (shortened):

    {"id": 0, "problem": "Find the sum ...", "answer": "-15",
     "output": ["```json\n{\"reasoning\": \"...\", \"answer\": \"-9\"\n}```"]}

Scored as ZeroEval does: the answer is the *first* "answer" field of the output (models may
write several, and JSON broken by LaTeX is read all the same), and it is right if its first
number equals the gold answer's first number, commas and dollar signs ignored. So `6√2` equals
`6`, and `100100_b` equals `100100`: kept, because the published table counts so.
No field at all: unparsed, 0.

Not read: gsm8k and cruxeval (no published file of theirs has been seen by us) and fractions
that are no plain `a/b`.
"""

import re
from pathlib import Path
from typing import Any

import polars as pl

from eval.sources.assemble import assemble
from eval.sources.files import present, read_json_list, take
from eval.sources.sizes import size_of
from eval.sources.source import Source, register, remote_files
from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["SOURCE", "answer_of", "first_number", "parse"]

_FIELD = re.compile(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\n]+)')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FRACTION = re.compile(r"(-?\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)")
_PREFIX = "math-l5_"


def answer_of(output: str) -> str | None:
    """What the first "answer" field says, without its quotes; None where there is no field."""
    found = _FIELD.search(output)
    return found[1].strip().strip('"') if found else None


def first_number(text: str) -> float | None:
    """The number that is compared; a bare fraction is divided out."""
    text = text.replace("$", "").replace(",", "").strip()
    fraction = _FRACTION.fullmatch(text)
    if fraction and float(fraction[2]):
        return float(fraction[1]) / float(fraction[2])
    found = _NUMBER.search(text)
    return float(found[0]) if found else None


def parse(folder: Path) -> OutcomeSet:
    """Every model's file of the folder; `InputError` names the file and the record."""
    queries: dict[str, dict[str, Any]] = {}
    outcomes = []
    for path in present(folder, f"{_PREFIX}*.json"):
        model = path.stem.removeprefix(_PREFIX)
        for place, record in enumerate(read_json_list(path)):
            where = f"{path}, record {place}"
            query = _query(record, where)
            known = queries.setdefault(query["query_id"], query)
            if known["query"] != query["query"]:
                raise InputError(f"{where}: id {record['id']} is another problem in another file")
            outcomes.append(_outcome(query, record, model, where))
    return assemble(
        pl.DataFrame(outcomes, infer_schema_length=None),
        pl.DataFrame(list(queries.values()), infer_schema_length=None),
        SOURCE.about(),
    )


def _query(record: dict[str, Any], where: str) -> dict[str, Any]:
    return {
        "source": "WildEval/ZeroEval",
        "benchmark": "math_l5",
        "domain": "math",
        "subject": "math_l5",
        "query_id": f"zeroeval_math_l5:{take(record, 'id', where)}",
        "query": take(record, "problem", where),
        "gold": take(record, "answer", where),
    }


def _outcome(
    query: dict[str, Any], record: dict[str, Any], model: str, where: str
) -> dict[str, Any]:
    output = take(record, "output", where)
    if not isinstance(output, list) or not output or not isinstance(output[0], str):
        raise InputError(f"{where}: output is expected to be a list that starts with a text")
    said = answer_of(output[0])
    value, gold = first_number(said or ""), first_number(query["gold"])
    params, active = size_of(model)
    return {
        **{k: v for k, v in query.items() if k not in ("query", "gold")},
        "arm": model,
        "params_b": params,
        "params_active_b": active,
        "status": "unparsed" if said is None else "ok",
        "score": float(value is not None and value == gold),
        "answer": said,
        "response_chars": len(output[0]),
        "label_source": "gold",
    }


SOURCE = register(
    Source(
        name="zeroeval",
        home="https://github.com/WildEval/ZeroEval",
        commit="8c1485e",
        licence="Apache-2.0",
        files=remote_files("zeroeval"),
        parser=parse,
        pairs=(
            ("Meta-Llama-3.1-8B-Instruct", "Meta-Llama-3.1-70B-Instruct"),
            ("Meta-Llama-3-8B-Instruct", "Meta-Llama-3-70B-Instruct"),
            ("Qwen2.5-7B-Instruct", "Qwen2.5-72B-Instruct"),
            ("Qwen2-7B-Instruct", "Qwen2-72B-Instruct"),
            ("gemma-2-2b-it", "gemma-2-27b-it"),
            ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06"),
            ("Meta-Llama-3.1-8B-Instruct", "Qwen2.5-72B-Instruct"),
        ),
        notes=(
            "Only MATH level 5 is read from published files, and two of its models are listed for "
            "download; the normalised table has 56 models and gsm8k and cruxeval as well.",
            "An answer is right if its first number is: 6√2 passes for 6.",
            "Not every model was run on every benchmark: 44 on gsm8k, 43 on MATH, 51 on cruxeval.",
            "Nearly all answers need JSON around them: an unparsed answer is often a format "
            "failure of a model that solved the problem.",
            "GSM8K's test also stands in routellm and gsm8k_gpt3.",
            "Unseen population: no score of it is to be looked at before the verdict command.",
        ),
    )
)
