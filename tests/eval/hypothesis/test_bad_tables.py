"""Tables that must not give a verdict, read from a data folder by the command itself."""

import json
import re

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from eval.hypothesis import commands
from eval.hypothesis.populations import Absent, load_population
from eval.sources.shared_tables import read_normalised
from eval.sources.source import source
from router.errors import InputError
from router.outcomes import write_outcomes

SIZES = (8.0, 70.0)
FAMILIES = {
    "llama": ("Meta-Llama-3.1-8B", "Meta-Llama-3.1-70B"),  # a pair of the source, for P4
    "qwen": ("Qwen1.5-7B-Chat", "Qwen1.5-72B-Chat"),
    "yi": ("Yi-6B", "Yi-34B"),
    "opt": ("opt-6.7b", "opt-66b"),
    "bloom": ("bloom-7b1", "bloom-176b"),
}
EACH = 20
"""Questions a subject."""


def table(families, sized=True, equal=False):
    """MMLU-Pro's columns; knowledge and verifiable subjects, rising with size."""
    outcomes, queries = [], []
    for subject in ("math|ori_mmlu-college_mathematics", "history|ori_mmlu-prehistory"):
        for k in range(EACH):
            about = {"source": "mmlupro", "benchmark": "mmlu_pro", "domain": "knowledge",
                     "subject": subject, "query_id": f"{subject}:{k}"}  # fmt: skip
            queries.append({**about, "query": f"question {k} of {subject}", "gold": "A"})
            for place, family in enumerate(families):
                for name, size in zip(FAMILIES[family], SIZES, strict=True):
                    right = k < EACH * (0.5 if equal else 0.3 + 0.004 * size + 0.02 * place)
                    outcomes.append({
                        **about, "model": name, "params_b": size if sized else None,
                        "params_active_b": None, "correct": float(right), "prompt_tokens": None,
                        "completion_tokens": None, "cost_usd": None, "answer_parsed": 1,
                        "response_chars": None,
                    })  # fmt: skip
    kinds = {"params_b": pl.Float64, "params_active_b": pl.Float64, "cost_usd": pl.Float64,
             "prompt_tokens": pl.Int64, "completion_tokens": pl.Int64,
             "response_chars": pl.Int64}  # fmt: skip
    return pl.DataFrame(outcomes, schema_overrides=kinds), pl.DataFrame(queries)


def verdicts(folder, *arguments):
    app = typer.Typer()
    app.command()(commands.hypothesis)
    out = folder / "out"
    result = CliRunner().invoke(app, ["--data", str(folder), "--out", str(out), *arguments])
    if result.exception:
        raise result.exception
    made = json.loads((out / "hypothesis.json").read_text())
    page = (out / "index.html").read_text()
    return {(v["prediction"], v["population"]): v for v in made["verdicts"]}, page, made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("queries", "questions", "outcomes", "own"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "own"))
    return tmp_path


def put(folder, *tables):
    for name, frame in zip(("outcomes", "queries"), tables, strict=True):
        frame.write_parquet(folder / name / "mmlupro.parquet")


@pytest.mark.parametrize(
    ("bad", "slopes", "coupling", "routing"),
    [
        ({"families": ["llama"]}, "one family cannot be resampled", "2 models, 12 are needed",
         "queries on one side of the label"),
        ({"families": list(FAMILIES), "sized": False}, "no model has a size",
         "no source has models", "queries on one side of the label"),
        ({"families": list(FAMILIES), "equal": True}, "no lower bound", "all scores equal",
         "small matches large on every query, or on none"),
    ],
    ids=["one family", "no sizes", "all equal"],
)  # fmt: skip
def test_a_bad_table_is_undecided_with_the_reason(folder, bad, slopes, coupling, routing):
    put(folder, *table(**bad))
    found, page, _ = verdicts(folder)
    words = {"P1_slopes": slopes, "P5_decoupling": coupling, "P4_routing_value": routing}
    for prediction, words_of in words.items():
        verdict = found[prediction, "mmlupro"]
        assert verdict["verdict"] == "undecided"
        assert words_of in verdict["reason"]
        assert re.sub(r"\s+", " ", verdict["reason"])[:40] in page


def test_a_table_that_is_not_here_is_undecided_and_says_how_to_get_it(folder):
    found, _, _ = verdicts(folder)
    assert {v["verdict"] for v in found.values()} == {"undecided"}
    assert "ockham outcomes import zeroeval" in found["P1_slopes", "zeroeval"]["reason"]
    assert "only a data folder holds it" in found["P1_slopes", "outcomes_aggregates"]["reason"]
    assert found["P1_slopes", "published_table"]["models"] == 24


def test_a_damaged_table_is_an_error_that_names_it(folder):
    (folder / "outcomes" / "mmlupro.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"mmlupro\.parquet"):
        verdicts(folder)
    assert not (folder / "out").exists()


def test_an_imported_table_serves_where_no_folder_has_it(folder):
    put(folder, *table(families=["llama", "yi"]))
    own = load_population("mmlupro", folder)
    with pytest.raises(Absent, match="ockham outcomes import mmlupro"):
        load_population("mmlupro", None)
    write_outcomes(read_normalised(folder, source("mmlupro")), "mmlupro")
    imported = load_population("mmlupro", None)
    assert imported.grid.models == own.grid.models
    assert np.array_equal(imported.grid.mean, own.grid.mean)
    assert (imported.notes, imported.checksum) == (own.notes, own.checksum)
