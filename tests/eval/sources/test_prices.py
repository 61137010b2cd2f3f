"""The price list and what it does to a set: hand-computed costs, the ratio, every real model."""

import importlib.metadata
import importlib.util
import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from eval.sources.prices import PRICES, price, price_list
from eval.sources.shared import shared_data
from policies.outcome import OutcomeSet
from router.errors import InputError, SetupError

MIXTRAL, GPT4 = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"


def made(**over: list[object]) -> OutcomeSet:
    """One question of 36 characters, both models; columns may be replaced."""
    rows = {
        "source": ["t", "t"],
        "benchmark": ["b", "b"],
        "domain": ["math", "math"],
        "query_id": ["q", "q"],
        "arm": [MIXTRAL, GPT4],
        "status": ["ok", "ok"],
        "score": [0.0, 1.0],
        "response_chars": [360, 720],
    }
    queries = pl.DataFrame(
        {"source": ["t"], "benchmark": ["b"], "query_id": ["q"], "query": ["x" * 36]}
    )
    return OutcomeSet(pl.DataFrame({**rows, **over}), queries)


def costs(data: OutcomeSet) -> list[float]:
    return data.outcomes["cost_usd"].to_list()


# 10 prompt tokens; 100 and 200 of completion; 0.6/0.6 and 10/30 USD a million.
SMALL, LARGE = 110 * 0.6e-6, (10 * 10 + 200 * 30) * 1e-6


def test_costs_are_tokens_times_prices() -> None:
    rows = price(made()).outcomes
    assert rows["prompt_tokens"].to_list() == [10, 10]
    assert rows["completion_tokens"].to_list() == [100, 200]
    assert rows["cost_usd"].to_list() == pytest.approx([SMALL, LARGE])
    assert rows["tokens_basis"].to_list() == ["estimated"] * 2
    assert rows["cost_basis"].to_list() == ["priced"] * 2
    assert rows["price_snapshot"][0] == "ockham-prices 2026-11-22: listed, tokens chars_3.6"


def test_a_cost_of_the_table_stays() -> None:
    data = made(cost_usd=[0.5, None], cost_basis=["billed", None])
    rows = price(data).outcomes
    assert rows["cost_usd"].to_list() == pytest.approx([0.5, LARGE])
    assert rows["cost_basis"].to_list() == ["billed", "priced"]
    assert rows["tokens_basis"].to_list() == [None, "estimated"]


def test_reported_tokens_are_used_and_called_reported() -> None:
    data = made(
        prompt_tokens=[1000, 1000], completion_tokens=[0, 1000], tokens_basis=["reported"] * 2
    )
    rows = price(data).outcomes
    assert rows["cost_usd"].to_list() == pytest.approx([0.0006, 0.04])
    assert rows["tokens_basis"].to_list() == ["reported"] * 2


def test_an_unknown_length_takes_the_mean_of_its_domain() -> None:
    rows = price(made(response_chars=[None, None], domain=["code", "unheard of"])).outcomes
    means = price_list().tokens.completion
    assert rows["completion_tokens"].to_list() == [means["code"], means["other"]]


def test_a_missing_row_costs_nothing_and_a_failed_one_does() -> None:
    data = made(status=["missing", "failed"], score=[None, None])
    rows = price(data).outcomes
    assert rows["cost_usd"][0] is None and rows["prompt_tokens"][0] is None
    assert rows["cost_usd"][1] == pytest.approx(LARGE)


def test_no_row_is_lost_or_moved() -> None:
    data = made()
    assert (
        price(data)
        .outcomes.select("query_id", "arm")
        .equals(data.outcomes.select("query_id", "arm"))
    )


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_the_ratio_moves_the_dear_arm_only(ratio: float) -> None:
    assert costs(price(made(), ratio)) == pytest.approx([SMALL, LARGE * ratio])


def test_a_priced_set_scales_as_an_unpriced_one() -> None:
    assert costs(price(price(made()), 2.0)) == pytest.approx(costs(price(made(), 2.0)))
    assert "(price ratio x 2)" in price(made(), 2.0).outcomes["price_snapshot"][0]


def test_an_arm_never_becomes_cheaper_than_the_cheapest() -> None:
    data = made(cost_usd=[0.10, 0.12], cost_basis=["billed"] * 2)
    assert costs(price(data, 0.5)) == pytest.approx([0.10, 0.10])
    assert costs(price(data, 2.0)) == pytest.approx([0.10, 0.24])


def test_equal_prices_stay_equal() -> None:
    data = made(cost_usd=[0.1, 0.1], cost_basis=["billed"] * 2)
    assert costs(price(data, 2.0)) == [0.1, 0.1]


def test_a_set_without_any_cost_can_be_scaled() -> None:
    data = made(status=["missing", "missing"], score=[None, None])
    assert costs(price(data, 2.0)) == [None, None]


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ratio_must_be_positive(ratio: float) -> None:
    with pytest.raises(InputError, match="positive"):
        price(made(), ratio)


def test_a_model_without_a_price_names_the_file() -> None:
    with pytest.raises(InputError, match=r"'novel-1'.*prices\.yaml"):
        price(made(arm=["novel-1", GPT4]))


def test_a_model_without_a_price_is_fine_where_the_cost_is_known() -> None:
    data = made(arm=["novel-1", GPT4], cost_usd=[0.1, 0.2], cost_basis=["billed"] * 2)
    assert costs(price(data)) == [0.1, 0.2]
    assert costs(price(data, 2.0)) == pytest.approx([0.1, 0.4])


def test_a_damaged_list_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("listed: {}")
    with pytest.raises(SetupError, match=r"prices\.yaml"):
        price_list(path)


def test_a_model_priced_twice_is_refused(tmp_path: Path) -> None:
    raw = yaml.safe_load(PRICES.read_text())
    raw["recalled"][GPT4] = {"input": 1, "output": 1}
    path = tmp_path / "prices.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(SetupError, match="twice"):
        price_list(path)


def test_every_kind_of_price_says_where_it_comes_from() -> None:
    known = price_list()
    for kind in {p.kind for p in known.prices.values()}:
        assert known.sources[kind]["url"].startswith("https://")
    assert "assumption" in known.sources["tier"]["what"]


def test_listed_prices_are_those_of_the_packaged_file() -> None:
    raw = yaml.safe_load(PRICES.read_text())
    version = importlib.metadata.version("litellm")
    if version not in raw["sources"]["listed"]["what"]:
        pytest.skip(f"LiteLLM is {version}; the list cites another version")
    spec = importlib.util.find_spec("litellm")  # located, not imported: it takes seconds
    assert spec is not None and spec.origin is not None
    packaged = json.loads(
        Path(spec.origin).with_name("model_prices_and_context_window_backup.json").read_text()
    )
    for model, line in raw["listed"].items():
        theirs = packaged[line["key"]]
        assert theirs["input_cost_per_token"] * 1e6 == pytest.approx(line["input"]), model
        assert theirs["output_cost_per_token"] * 1e6 == pytest.approx(line["output"]), model


TABLES = "routellm mmlupro zeroeval llmrouter code_evalplus gsm8k_gpt3 qwen3_think routerarena"


@pytest.mark.parametrize("name", TABLES.split())
def test_every_model_of_the_tables_has_a_price_and_fits_its_tier(name: str) -> None:
    try:
        path = shared_data() / "outcomes" / f"{name}.parquet"
    except SetupError as error:
        pytest.skip(f"no real data: {error}")
    raw = yaml.safe_load(PRICES.read_text())
    sizes = pl.read_parquet(path, columns=["model", "params_b"]).unique()
    for model, params in sizes.with_columns(pl.col("model").cast(pl.String)).iter_rows():
        assert price_list().of(model).input > 0
        tier = raw["tier"].get(model)
        if tier and params:
            # 8.03 B is sold as 8 B, 1.1 B more than the bound is not.
            assert params <= raw["tiers"][tier]["up_to_b"] + 0.1
