"""Every trap of the data's README that its bytes show is found in the real tables.

Of the tables whose scores must stay unseen (see `eval/preregistration.yaml`), only what a
trap counts is looked at.
"""

import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from eval.sources.check import Finding, check
from eval.sources.shared import shared_data
from eval.sources.traps.alignment import misaligned_arms
from eval.sources.traps.rows import differing_golds, differing_texts, shared_ids
from eval.sources.traps.texts import contaminated_queries, overlaps, private_texts
from policies.outcome import OutcomeSet
from router.errors import SetupError

LABELS = ("source", "benchmark", "domain", "subject")
KEPT = (*LABELS, "query_id", "params_b", "prompt_tokens", "completion_tokens", "response_chars")


def place() -> Path:
    try:
        return shared_data()
    except SetupError as error:
        pytest.skip(str(error))


@cache
def load(name: str) -> OutcomeSet:
    """A shared table as it stands; an unparsed answer keeps its score."""
    frame = pl.read_parquet(place() / f"outcomes/{name}.parquet")
    frame = frame.with_columns(pl.col(*LABELS, "model").cast(pl.String))
    parsed, cost = pl.col("answer_parsed"), pl.col("cost_usd")
    outcomes = frame.select(
        *KEPT,
        cost,
        arm="model",
        # RouterArena has one score below zero; that is the loader's to settle.
        score=pl.col("correct").cast(pl.Float64).clip(0, 1),
        status=pl.when(parsed == 0).then(pl.lit("unparsed")).otherwise(pl.lit("ok")),
        cost_basis=pl.when(cost.is_not_null()).then(pl.lit("billed")),
    )
    path = place() / f"queries/{name}.parquet"
    if path.is_file():
        return OutcomeSet(outcomes, pl.read_parquet(path))
    return OutcomeSet(outcomes, frame.select(*LABELS, "query_id").unique(maintain_order=True))


@cache
def found(name: str) -> dict[str, Finding]:
    """The findings of a table on its own, by code."""
    return {f.code: f for f in check(load(name), contaminated=listed())}


@cache
def listed() -> tuple[str, ...]:
    """RouteLLM's two lists of contaminated prompts."""
    prompts = []
    for benchmark in ("gsm8k", "mmlu"):
        path = place() / f"raw/routellm/{benchmark}/contaminated_prompts.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        prompts += [json.loads(line)["eval_prompt"] for line in lines]
    return tuple(prompts)


def questions(name: str, benchmark: str) -> OutcomeSet:
    """A question file as a set without outcomes."""
    lines = (place() / f"questions/{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    queries = pl.DataFrame(
        {
            "source": [name] * len(rows),
            "benchmark": [benchmark] * len(rows),
            "query_id": [r["id"] for r in rows],
            "query": [r["question"] for r in rows],
            "gold": [str(r["answer"]) for r in rows],
        }
    )
    return OutcomeSet(load("routellm").outcomes.clear(), queries)


# --- mmlupro --------------------------------------------------------------------------


@pytest.mark.slow
def test_mmlupro_unparsed_answers() -> None:
    finding = found("mmlupro")["unparsed"]
    assert (finding.severity, finding.rows, finding.queries) == ("warning", 32697, 7535)
    assert finding.examples == ("Qwen1.5-7B-Chat/mmlu_pro",)


def test_mmlupro_has_up_to_ten_options() -> None:
    finding = found("mmlupro")["guess_floor"]
    assert finding.queries == 12032
    assert "up to 10 options, floor 0.111" in finding.message  # not all questions have ten


def test_mmlupro_incomplete_models() -> None:
    finding = found("mmlupro")["incomplete_arms"]
    assert "DeepSeek-Coder-V2 1681 of 12032" in finding.message
    assert "10326 of 12032 queries are complete" in finding.message
    assert (finding.rows, finding.queries) == (1713, 1706)
    assert finding.examples[0] == "DeepSeek-Coder-V2/mmlu_pro"


def test_mmlupro_models_without_a_size() -> None:
    assert found("mmlupro")["no_params"].examples == ("gemini-1.5-flash-002", "gemini-1.5-pro-002")


def test_mmlupro_golds_that_differ_between_files() -> None:
    """Of the README's 33, three show in the two result archives that are here."""
    (path, *_) = sorted(place().glob("raw/mmlu_pro/*.zip"))
    with zipfile.ZipFile(path) as archive:
        rows = json.loads(archive.read(archive.namelist()[0]))
    golds = {f"mmlu_pro:{r['question_id']}": r["answer"] for r in rows}
    data = load("mmlupro")
    theirs = data.queries.with_columns(gold=pl.col("query_id").replace_strict(golds))
    (finding,) = differing_golds(data, {"archive": OutcomeSet(data.outcomes, theirs)})
    assert (finding.severity, finding.queries) == ("error", 3)


def test_mmlupro_has_nothing_else() -> None:
    assert set(found("mmlupro")) == {
        *("unparsed", "guess_floor", "incomplete_arms", "no_params"),
        *("duplicate_texts", "near_duplicates", "contaminated_listed"),
        *("no_cost", "no_tokens", "no_logprobs", "no_answers", "no_latency", "single_sample"),
    }
    assert found("mmlupro")["duplicate_texts"].queries == 318
    # MMLU's contaminated prompts came along into MMLU-Pro, with more options.
    assert "0 queries are among the 17" in found("mmlupro")["contaminated_listed"].message


# --- families -------------------------------------------------------------------------


@pytest.mark.slow
def test_mmlu_pro_overlaps_mmlu() -> None:
    """3,268 share the first 140 characters; with options cut and frames apart, 6,764 do."""
    (first, *_) = overlaps(load("mmlupro"), {"routellm": load("routellm")})
    assert (first.code, first.severity) == ("set_overlap", "warning")
    assert "6764 of 12032 queries of mmlu_pro have a twin in routellm's mmlu" in first.message
    assert first.rows > 190_000


@pytest.mark.parametrize("name", ["zeroeval", "gsm8k_gpt3", "questions"])
def test_gsm8k_stands_in_four_sets(name: str) -> None:
    other = questions("gsm8k_test", "gsm8k") if name == "questions" else load(name)
    data = load("routellm").only(["gsm8k"])
    twins = {f.message.split(" have")[0]: f for f in overlaps(data, {name: other})}
    assert twins["1319 of 1319 queries of gsm8k"].queries == 1319
    (by_id,) = shared_ids(data, {name: other})
    assert by_id.queries == 1319
    assert not list(differing_texts(data, {name: other}))
    assert not list(differing_golds(data, {name: other}))


def test_ids_that_slipped_between_two_sets_are_found() -> None:
    data, other = load("routellm").only(["gsm8k"]), load("gsm8k_gpt3")
    texts = other.queries["query"].to_list()
    moved = other.queries.with_columns(query=pl.Series([*texts[1:], texts[0]]))
    slipped = OutcomeSet(other.outcomes, moved)
    (finding,) = differing_texts(data, {"slipped": slipped})
    assert (finding.severity, finding.queries) == ("error", 1319)


def test_humaneval_plus_repeats_humaneval() -> None:
    finding = found("code_evalplus")["duplicate_texts"]
    assert finding.queries == 1126
    assert "family_overlap" not in found("code_evalplus")  # a family holds both


# --- routellm -------------------------------------------------------------------------


@pytest.mark.slow
def test_routellm_contaminated_prompts() -> None:
    finding = found("routellm")["contaminated_marked"]
    assert finding.queries == 17 and "gsm8k 12, mmlu 5" in finding.message
    finding = found("routellm")["contaminated_listed"]
    assert "17 queries are among the 17 prompts" in finding.message
    assert finding.queries == 18  # another MMLU question on one of the passages


def test_contaminated_prompts_are_found_in_other_tables() -> None:
    (finding,) = contaminated_queries(load("gsm8k_gpt3"), listed())
    assert (finding.code, finding.queries) == ("contaminated_listed", 12)


def test_routellm_has_no_gold_for_mmlu_and_no_answers() -> None:
    finding = found("routellm")["no_gold"]
    assert finding.queries == 14202 and "mmlu 14042, mt_bench 160" in finding.message
    for code in ("no_answers", "no_logprobs", "single_sample", "no_cost", "no_tokens"):
        assert found("routellm")[code].rows == 31042
    assert "floor 0.250" in found("routellm")["guess_floor"].message
    assert not {"misaligned_arm", "incomplete_arms", "row_conflict"} & set(found("routellm"))


# --- llmrouter ------------------------------------------------------------------------


@pytest.mark.slow
def test_llmrouter_format_failures() -> None:
    zeros = found("llmrouter")["format_zeros"]
    assert {"llama3-chatqa-1.5-8b/mmlu", "llama3-chatqa-1.5-70b/mmlu"} <= set(zeros.examples)
    assert "trivia_qa" in found("llmrouter")["low_everywhere"].examples
    below = found("llmrouter")["below_guess_floor"]
    assert below.severity == "warning" and below.rows == 5094
    assert "14 arm x benchmark cells" in below.message


def test_llmrouter_keeps_no_gpqa_text() -> None:
    data = load("llmrouter")
    assert not list(private_texts(data))
    assert found("llmrouter")["no_texts"].queries == 448
    leaked = data.queries.with_columns(pl.col("query").fill_null("A question in plain text"))
    (finding,) = private_texts(OutcomeSet(data.outcomes, leaked))
    assert (finding.severity, finding.queries) == ("error", 448)


# --- the small ones -------------------------------------------------------------------


def test_routerarena_dearer_is_worse() -> None:
    finding = found("routerarena")["dearer_is_worse"]
    assert finding.examples == ("claude-3-haiku-20240307", "gemini-2.0-flash-001")
    assert finding.queries == 809
    assert not {"no_cost", "no_tokens", "impossible_tokens"} & set(found("routerarena"))


def test_qwen3_think_has_no_texts() -> None:
    finding = found("qwen3_think")["no_texts"]
    assert finding.queries == 306 and "simpleqa 216" in finding.message


def test_zeroeval_incomplete_models() -> None:
    assert found("zeroeval")["incomplete_arms"].rows == 638 + 311
    assert "absent_cells" in found("zeroeval")


@pytest.mark.parametrize("name", ["routellm", "mmlupro", "routerarena", "qwen3_think"])
def test_no_table_without_an_error_is_called_wrong(name: str) -> None:
    assert not [f.code for f in found(name).values() if f.severity == "error"]


# --- slipped rows: no real table has them, so one is made ---------------------------------


def slipped(name: str, arm: Callable[[OutcomeSet], str]) -> tuple[str, OutcomeSet]:
    data = load(name)
    who = arm(data)
    mine = data.outcomes.filter(pl.col("arm") == who).sort("benchmark", "query_id")
    moved = mine.with_columns(score=pl.concat([mine["score"].tail(1), mine["score"].head(-1)]))
    rest = data.outcomes.filter(pl.col("arm") != who)
    return who, OutcomeSet(pl.concat([rest, moved]), data.queries)


@pytest.mark.slow
def test_a_slipped_model_of_mmlupro_is_found() -> None:
    """Moved by one row, which mostly stays in its subject. (Of all 29, 28 are found so.)"""
    assert not list(misaligned_arms(load("mmlupro")))
    missed = []
    weak = "Llama-2-7b-hf"  # near its guess floor: it goes with nothing anyway
    for arm in sorted({*load("mmlupro").arms[::5], weak}):
        _, data = slipped("mmlupro", lambda _, arm=arm: arm)
        found_here = [(f.severity, f.examples[0]) for f in misaligned_arms(data)]
        if not found_here:
            missed.append(arm)
        else:
            assert found_here == [("error", f"{arm}/mmlu_pro")]
    assert missed == [weak]


def test_a_slipped_model_of_routellm_is_found() -> None:
    assert not list(misaligned_arms(load("routellm")))
    _, data = slipped("routellm", lambda d: d.arms[0])
    places = {f.examples[0].split("/")[-1] for f in misaligned_arms(data)}
    assert "gsm8k" in places
