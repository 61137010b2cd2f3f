"""A recorded table: made from a plan, resumed, joined, and without texts."""

import json

import polars as pl
import pytest
import yaml

from policies.outcome import query_hash
from router.errors import InputError
from router.outcomes import read_outcomes

from .test_commands import ockham, ready

__all__ = ["ready"]


@pytest.fixture
def plan(tmp_path):
    def write(**more):
        (tmp_path / "settings.yaml").write_text("arms: {small: {model: small, logprobs: 5}}")
        data = {
            "settings": "settings.yaml",
            "arm": "small",
            "samples": 3,
            "runs": [{"benchmark": "sums", "limit": 4}],
            **more,
        }
        file = tmp_path / "plan.yaml"
        file.write_text(yaml.safe_dump(data))
        return file

    return write


def record(plan, out, code=0):
    return ockham("record", "--plan", plan, "--out", out, code=code)


def test_a_table_is_recorded_resumed_and_holds_no_text(ready, plan, tmp_path, fake_model):
    fake_model.logprob_of = lambda reply: -0.5
    record(plan(), tmp_path / "table")
    asked = len(fake_model.requests)
    found = read_outcomes(tmp_path / "table")
    assert len(found.outcomes) == 12
    assert found.outcomes["sample"].to_list() == [0, 1, 2] * 4
    assert found.outcomes["logprob_mean"].to_list() == pytest.approx([-0.5] * 12)
    assert found.outcomes["answer_cluster"].to_list() == [0] * 12
    assert found.outcomes["answer"].to_list()[:3] == ["0"] * 3
    assert found.queries["query"].null_count() == found.queries["gold"].null_count() == 4
    assert found.queries["query_hash"][2] == query_hash("What is 2 + 2?")
    everything = b"".join(f.read_bytes() for f in (tmp_path / "table").iterdir())
    assert b"What is" not in everything
    assert str(tmp_path).encode() not in everything
    record(plan(), tmp_path / "table")
    assert len(fake_model.requests) == asked  # finished samples are not asked again


def test_an_answer_longer_than_a_value_is_left_out(ready, plan, tmp_path, fake_model):
    fake_model.answer = lambda messages: "The sum is " + "9" * 60
    record(plan(), tmp_path / "table")
    rows = read_outcomes(tmp_path / "table").outcomes
    assert rows["answer"].null_count() == 12
    assert rows.filter(pl.col("answer_cluster").is_not_null()).height == 12


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"samples": 0}, "samples: Input should be greater than or equal to 1"),
        ({"runs": []}, "runs: "),
        ({"color": 1}, "color: Extra inputs are not permitted"),
        ({"runs": [{"benchmark": "sums", "limits": 3}]}, r"runs\.0\.limits: Extra inputs"),
        ({"arm": "nobody"}, "--arm: no arm 'nobody'"),
        ({"settings": "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
def test_a_bad_plan(ready, plan, tmp_path, change, said):
    with pytest.raises(Exception, match=said):
        record(plan(**change), tmp_path / "table")
    assert not (tmp_path / "table").exists()


def test_a_plan_that_is_no_yaml(ready, tmp_path):
    (tmp_path / "plan.yaml").write_text("{")
    with pytest.raises(InputError, match="is not valid YAML"):
        record(tmp_path / "plan.yaml", tmp_path / "table")
    with pytest.raises(InputError, match="cannot be read"):
        record(tmp_path / "none.yaml", tmp_path / "table")
    assert json.dumps([p.name for p in tmp_path.iterdir()]) == '["plan.yaml"]'
