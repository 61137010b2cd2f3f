"""Replay's records: every key, every note, paired draws, and a result file that comes back."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from eval.compare import bootstrap
from eval.contenders import BASELINES, enter
from eval.folds import folds_of
from eval.replay import Curve, Plan, Record
from eval.replay import replay as run
from eval.replay_files import data_checksum, read_result, stamp, write_result
from eval.scorecard import Scorecard
from router.errors import InputError, SetupError

from .hand import features_by_hand, learnable, table_by_hand

PLAN = Plan(folds=4, resamples=30)
KEYS = {"source", "benchmark", "policy", "metric", "value", "low", "high", "n", "seed",
        "protocol", "labels", "pair", "note"}  # fmt: skip


def records(table, plan=PLAN, train=None):
    return [item for item in run(table, plan, train) if isinstance(item, Record)]


def by_name(items):
    made = {(r.policy, r.metric): r for r in items}
    assert len(made) == len(items), "a number stands twice"
    return made


@pytest.fixture(scope="module")
def found():
    return by_name(records(learnable(40)))


def test_a_record_has_exactly_these_keys(found):
    for record in found.values():
        assert set(json.loads(record.model_dump_json())) == KEYS
    first = found["text-logistic", "apgr"]
    assert (first.source, first.benchmark, first.pair) == ("hand", "b", "s -> l")
    assert (first.n, first.seed, first.labels, first.protocol) == (40, 0, 30, "in-distribution")


def test_every_baseline_is_there(found):
    shown = {policy for policy, metric in found if metric == "accuracy"}
    assert shown == set(BASELINES)


def test_a_null_has_a_note_and_a_number_lies_in_its_interval(found):
    for record in found.values():
        if record.value is None:
            assert record.note, record
        elif record.low is not None and record.metric in ("accuracy", "large-share"):
            assert record.low <= record.value <= record.high


def test_values_and_intervals_are_those_of_a_card_on_its_own(found):
    table = learnable(40)
    entry = enter("prompt-length", table, folds_of(table, 4, None, 0), 0.5)
    card = Scorecard(table, entry)
    alone = bootstrap(card.values, table.cluster, 30, 0)
    for name, got in zip(card.names, alone, strict=True):
        record = found["prompt-length", name]
        for ours, theirs in ((record.value, got.value), (record.low, got.low)):
            if math.isfinite(theirs):
                assert ours == pytest.approx(theirs, abs=1e-12)
            else:
                assert ours is None


def test_a_difference_is_paired_by_draw(found):
    table = learnable(40)
    folds = folds_of(table, 4, None, 0)
    ours, theirs = (
        Scorecard(table, enter(n, table, folds, 0.5)) for n in ("text-logistic", "prompt-length")
    )
    at, other = ours.names.index("apgr"), theirs.names.index("apgr")
    alone = bootstrap(lambda w: ours.values(w)[at] - theirs.values(w)[other], table.cluster, 30, 0)
    record = found["text-logistic", "apgr-minus-prompt-length"]
    assert (record.value, record.low, record.high) == pytest.approx(alone[:3], abs=1e-12)
    apart = found["text-logistic", "apgr"].value - found["prompt-length", "apgr"].value
    assert record.value == pytest.approx(apart, abs=1e-12)


def test_nothing_is_compared_with_itself_and_the_oracle_not_at_all(found):
    for policy, metric in found:
        rival = metric.partition("-minus-")[2] or metric.partition("p-utility-vs-")[2]
        assert not rival or policy not in (rival, "oracle")


def test_p_values_are_adjusted_over_all_of_them(found):
    tests = [r for (_, metric), r in found.items() if metric.startswith("p-utility")]
    assert {r.note for r in tests} == {f"two-sided, Holm over {len(tests)} tests"}
    assert all(0 < r.value <= 1 for r in tests)
    # No policy is better than the smallest p that 2,000 flips can show, times its place.
    assert min(r.value for r in tests) >= len(tests) / 2001 - 1e-12


def test_the_same_seed_gives_the_same_digits_and_another_one_other_draws(found):
    again = by_name(records(learnable(40)))
    assert again == found
    other = by_name(records(learnable(40), replace(PLAN, seeds=(1,))))
    name = ("prompt-length", "apgr")
    assert other[name].value == found[name].value  # nothing of it is drawn
    assert other[name].low != found[name].low
    assert other["random", "accuracy"].value != found["random", "accuracy"].value


def test_seeds_are_run_one_after_another():
    made = records(learnable(40), replace(PLAN, seeds=(3, 4), resamples=10))
    made = [r for r in made if not r.metric.endswith("-over-seeds")]
    assert {r.seed for r in made} == {3, 4}
    halves = [[r for r in made if r.seed == s] for s in (3, 4)]
    assert len(halves[0]) == len(halves[1])
    assert halves[0] == records(learnable(40), replace(PLAN, seeds=(3,), resamples=10))


def test_exactly_the_labels_asked_for():
    made = by_name(records(learnable(40), replace(PLAN, labels=25, resamples=10)))
    assert made["text-logistic", "apgr"].labels == 25
    assert made["best-single", "accuracy"].labels == 25
    assert made["prompt-length", "apgr"].labels == 0
    with pytest.raises(InputError, match=r"--labels 31: 4 folds of 40 rows .* leave 30"):
        records(learnable(40), replace(PLAN, labels=31))


def other_benchmark(n=60):
    table = learnable(n, seed=7)
    return replace(
        table, benchmark="c", benchmarks=("c",) * n, row_key=table.row_key + np.uint64(1)
    )


def test_transfer_takes_its_labels_from_the_other_table():
    plan = replace(PLAN, labels=50, resamples=10)
    made = by_name(records(learnable(40), plan, other_benchmark()))
    record = made["text-logistic", "apgr"]
    assert (record.protocol, record.labels, record.n) == ("transfer from c", 50, 40)
    assert made["prompt-length", "apgr"].protocol == "untrained"


def test_transfer_from_itself_is_refused():
    with pytest.raises(InputError, match="--train-on b: 40 of its queries are scored"):
        records(learnable(40), PLAN, learnable(40))


# Tables on which some of it has no meaning

TABLES = {
    "large worse": table_by_hand([1, 1, 1, 0, 1, 1], [1, 0, 0, 0, 1, 0]),
    "large as good": table_by_hand([1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 1, 0]),
    "large as dear": table_by_hand([1, 0, 0, 0, 1, 0], [1, 1, 1, 0, 1, 0], cost=(1, 1)),
    "large cheaper": table_by_hand([1, 0, 0, 0, 1, 0], [1, 1, 1, 0, 1, 0], cost=(2, 1)),
    "all right": table_by_hand([1] * 6, [1] * 6),
    "all wrong": table_by_hand([0] * 6, [0] * 6),
    "free": table_by_hand([1, 1, 0, 0, 1, 0], [1, 1, 1, 0, 1, 0], cost=(0, 0)),
    "small free": table_by_hand([1] * 6, [1] * 6, cost=(0, 1)),
    "one row a fold": table_by_hand([0, 1, 0, 1], [1, 1, 0, 1]),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("with_texts", [True, False])
def test_odd_tables_give_records_and_no_crash(kind, with_texts):
    table = TABLES[kind]
    if with_texts:
        table = replace(table, features=features_by_hand(len(table)))
    made = by_name(records(table, Plan(folds=3, resamples=10)))
    for record in made.values():
        assert record.value is not None or record.note, record
    refused = {policy for policy, metric in made if metric == "not-replayable"}
    fitted = {"text-logistic", "prompt-length", "verifiability-threshold"}
    # With texts only the fit is refused: so few questions are nothing to learn from.
    assert refused == ({"text-logistic"} if with_texts else fitted)
    assert made["all-small", "accuracy"].value == table.score[:, 0].mean()


def test_where_large_is_no_better_areas_are_null_and_say_why():
    table = replace(TABLES["large worse"], features=features_by_hand(6))
    made = by_name(records(table, Plan(folds=3, resamples=10)))
    for metric in ("apgr", "cpt50", "cost-apgr"):
        record = made["prompt-length", metric]
        assert (record.value, record.low) == (None, None)
        assert "strong" in record.note
    gap = made["verifiability-threshold", "apgr-minus-prompt-length"]
    assert gap.value is None and gap.note
    assert not [m for _, m in made if m.startswith("p-utility")]
    assert made["prompt-length", "apgr-routellm"].value is None


def test_one_cluster_cannot_be_replayed():
    table = table_by_hand([0, 1], [1, 1], cluster=np.zeros(2, dtype=int))
    with pytest.raises(InputError, match="the 1 questions"):
        records(table)


def test_rows_of_one_cluster_are_one_question():
    table = learnable(40, cluster=np.arange(40) // 4)
    made = by_name(records(table))
    assert {r.n for r in made.values()} == {10}


def test_unpriced_tables_have_areas_and_no_costs():
    table = learnable(24)
    table.cost[3, 1] = np.nan
    items = list(run(table, replace(PLAN, resamples=10)))
    made = by_name([i for i in items if isinstance(i, Record)])
    assert made["prompt-length", "apgr"].value is not None
    assert ("prompt-length", "usd-per-1000") not in made
    assert not [i for i in items if isinstance(i, Curve)]


def test_a_policy_that_needs_verdicts_says_so_where_there_are_none():
    plan = replace(PLAN, policies=("verifiability",), resamples=10)
    made = by_name(records(learnable(40), plan))
    record = made["verifiability", "not-replayable"]
    assert record.value is None
    assert record.note.startswith("verifiability: not replayable on this table")
    assert [m for p, m in made if p == "verifiability"] == ["not-replayable"]
    rng = np.random.default_rng(0)
    checked = replace(learnable(40), checked=True, passed=rng.integers(0, 2, (40, 2)) * 1.0)
    made = by_name(records(checked, plan))
    assert made["verifiability", "accuracy"].value is not None
    assert ("verifiability", "apgr") not in made


def test_a_curve_runs_from_all_small_to_all_large():
    table = learnable(40)
    curves = [i for i in run(table, replace(PLAN, resamples=10)) if isinstance(i, Curve)]
    assert {c.policy for c in curves} == set(BASELINES) - {"all-small", "all-large", "best-single"}
    for curve in curves:
        assert (curve.share[0], curve.share[-1]) == (0, 1)
        assert curve.accuracy[0] == pytest.approx(table.score[:, 0].mean())
        assert curve.accuracy[-1] == pytest.approx(table.score[:, 1].mean())
        assert curve.usd[-1] == pytest.approx(0.01)
        assert len(curve.share) == len(curve.usd) == len(curve.accuracy) <= 201


# The result file


def test_a_result_comes_back_as_it_was(tmp_path):
    table = learnable(24)
    plan = replace(PLAN, resamples=10)
    items = list(run(table, plan))
    made = stamp({"name": "hand"}, ["replay", "--seed", "0"], plan, [table], 1.234)
    path = tmp_path / "deep" / "out.jsonl"
    write_result(path, made, items)
    again, found, curves = read_result(path)
    assert again == json.loads(json.dumps(made))
    assert found == [i for i in items if isinstance(i, Record)]
    assert curves == [i for i in items if isinstance(i, Curve)]
    assert again["plan"]["folds"] == 4
    assert again["tables"][0]["checksum"] == data_checksum(table)
    assert again["tables"][0]["incomplete"] == 0
    assert [p.name for p in path.parent.iterdir()] == ["out.jsonl"]


def test_the_checksum_moves_with_ids_scores_and_costs():
    table = learnable(24)
    score, cost = table.score.copy(), table.cost.copy()
    score[3, 0] = 0.5
    cost[3, 0] = 0.5
    ids = ("other", *table.query_id[1:])
    others = [replace(table, score=score), replace(table, cost=cost), replace(table, query_id=ids)]
    assert len({data_checksum(t) for t in (table, *others)}) == 4
    assert data_checksum(learnable(24)) == data_checksum(table)


RECORD = json.dumps({"source": "s", "benchmark": "b", "policy": "p", "metric": "m", "value": 1,
                     "low": None, "high": None, "n": 1, "seed": 0})  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "",
        "[1]",
        "7",
        "null",
        '"text"',
        '{"kind": "other"}',
        '{"kind": ["record"]}',
        '{"kind": "record", "source": "s"}',
        RECORD[:-1] + ', "colour": 1}',
        RECORD.replace('"n": 1', '"n": "many"'),
        '{"kind": "curve", "share": 1}',
    ],
)
def test_a_damaged_line_is_named(tmp_path, line):
    path = tmp_path / "out.jsonl"
    path.write_text(f"{RECORD}\n{RECORD}\n{line}\n{RECORD}\n")
    with pytest.raises(InputError, match=r"out\.jsonl, line 3: no record of `ockham replay`"):
        read_result(path)


def test_a_cut_file_and_one_that_is_no_text_are_named(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text(RECORD + "\n" + RECORD[:40])
    with pytest.raises(InputError, match="line 2"):
        read_result(path)
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match=r"out\.jsonl, line"):
        read_result(path)


def test_a_file_without_records_or_none_at_all(tmp_path):
    path = tmp_path / "out.jsonl"
    with pytest.raises(InputError, match=r"out\.jsonl: cannot be read: No such file"):
        read_result(path)
    path.write_text('{"kind": "stamp", "command": "x"}\n')
    with pytest.raises(InputError, match="holds no records"):
        read_result(path)


def test_a_place_that_cannot_be_written_is_a_setup_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"--out .*out\.jsonl: cannot be written"):
        write_result(tmp_path / "file" / "out.jsonl", {}, [])
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match="--out .*folder: cannot be written"):
        write_result(tmp_path / "folder", {}, [])
    assert not list(tmp_path.glob(".*.new"))
