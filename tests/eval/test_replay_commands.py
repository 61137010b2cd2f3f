"""`ockham replay` on small stored sets: what it prints, writes and refuses."""

import json
import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from eval import features
from eval.replay_commands import replay
from eval.replay_files import read_result
from router.errors import InputError, OckhamError, SetupError
from router.outcomes import write_outcomes

from .hand import LetterFeaturiser, outcome_set, row

FEW = ("--folds", "3", "--bootstrap", "10")


def pairs(benchmark, n, **more):
    """Small is right on every third question, large on two of three."""
    rows = []
    for i in range(n):
        facts = {"benchmark": benchmark, **more}
        rows.append(row(f"{i}", "s", float(i % 3 == 0), **facts))
        rows.append(row(f"{i}", "l", float(i % 3 < 2), **facts))
    return rows


@pytest.fixture(autouse=True)
def stored(clean_env):
    rows = [*pairs("a", 9), *pairs("c", 12), *pairs("d", 6, verdict="passed")]
    rows += [row("only", "x", benchmark="z"), row("gone", "s", benchmark="a")]
    rows += pairs("e", 1, subject="algebra|contaminated")
    write_outcomes(outcome_set(rows, licence="MIT"), "few")
    clean_env.setattr(features, "Featuriser", LetterFeaturiser)


def ask(*arguments):
    app = typer.Typer()
    app.command()(replay)
    result = CliRunner().invoke(app, ["--source", "few", *FEW, *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def lines(*arguments):
    return [json.loads(line) for line in ask("--json", *arguments).stdout.splitlines()]


def test_json_lines_are_records_of_every_benchmark():
    found = lines("--benchmark", "a", "--benchmark", "c")
    assert {r["benchmark"] for r in found} == {"a", "c"}
    assert {r["source"] for r in found} == {"hand"}
    assert {r["pair"] for r in found} == {"s -> l"}
    accuracy = {(r["benchmark"], r["policy"]): r for r in found if r["metric"] == "accuracy"}
    assert accuracy["a", "all-small"]["value"] == pytest.approx(1 / 3)
    assert accuracy["c", "all-large"]["value"] == pytest.approx(2 / 3)
    assert (accuracy["a", "all-small"]["n"], accuracy["c", "all-small"]["n"]) == (9, 12)


def test_a_pool_is_one_table_of_both():
    found = lines("--benchmark", "a+c")
    assert {r["benchmark"] for r in found} == {"a+c"}
    assert {r["n"] for r in found} == {21}


def test_by_default_every_benchmark_of_the_pair():
    with pytest.raises(InputError, match="no query of hand/e has all of: s, l"):
        lines()  # all of e is contaminated: said, not skipped
    found = lines("--exclude-subject", "", "--benchmark", "a+c+d+e")
    assert {r["n"] for r in found} == {28}


def test_seeds_labels_and_share_reach_the_records():
    found = lines(
        "--benchmark", "c", "--seed", "5", "--seeds", "2", "--labels", "6", "--share", "1"
    )
    assert {r["seed"] for r in found} == {5, 6}
    fitted = [r for r in found if r["policy"] == "best-single"]
    assert {r["labels"] for r in fitted} == {6}
    shares = {r["value"] for r in found if r["metric"] == "large-share" and r["policy"] == "random"}
    assert shares == {1}


def test_transfer_fits_on_the_other_benchmark():
    found = lines("--benchmark", "a", "--train-on", "c", "--labels", "11")
    fitted = [r for r in found if r["policy"] == "best-single"]
    assert {(r["protocol"], r["labels"]) for r in fitted} == {("transfer from c", 11)}


def test_transfer_leaves_its_own_benchmark_out_unless_it_is_asked_for():
    found = lines("--train-on", "c+e", "--exclude-subject", "")
    assert {r["benchmark"] for r in found} == {"a", "d"}
    with pytest.raises(InputError, match="--train-on c: 12 of its queries are scored in c"):
        lines("--benchmark", "c", "--train-on", "c")


def test_a_policy_beside_the_baselines():
    found = lines("--benchmark", "a+d", "--policies", "verifiability, always-small")
    by = {(r["policy"], r["metric"]): r for r in found}
    assert by["always-small", "accuracy"]["value"] == by["all-small", "accuracy"]["value"]
    assert by["verifiability", "accuracy"]["value"] is not None
    found = lines("--benchmark", "a", "--policies", "verifiability")
    [refused] = [r for r in found if r["policy"] == "verifiability"]
    assert refused["metric"] == "not-replayable"
    assert "not replayable on this table" in refused["note"]


def test_the_table_on_the_terminal():
    shown = ask("--benchmark", "a").stdout
    assert "hand / a: 9 questions, s 0.3333 -> l 0.6667" in shown
    for policy in ("all-small", "prompt-length", "verifiability-threshold", "oracle"):
        assert policy in shown


def test_out_comes_back_and_equals_what_was_printed(tmp_path):
    path = tmp_path / "result.jsonl"
    printed = lines("--benchmark", "a", "--out", str(path))
    made, records, curves = read_result(path)
    assert [json.loads(r.model_dump_json()) for r in records] == printed
    assert {c.policy for c in curves} >= {
        "random",
        "oracle",
        "prompt-length",
        "verifiability-threshold",
    }
    assert made["plan"]["folds"] == 3
    assert made["licence"] == "MIT"
    [table] = made["tables"]
    assert (table["benchmark"], table["questions"], table["incomplete"]) == ("a", 9, 1)
    assert table["usd_per_1000"] == pytest.approx([1, 10])


def test_the_same_command_prints_the_same():
    once, again = (ask("--benchmark", "c", "--json").stdout for _ in range(2))
    assert once == again


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--source", "many"], SetupError, r"no outcome set 'many' \(stored: few\)"),
        (["--benchmark", "gsm8k"], InputError, "--benchmark: no benchmark 'gsm8k' .*: a, c"),
        (["--benchmark", "a+x"], InputError, "--benchmark: no benchmark 'x' with both s and l"),
        (["--pair", "s"], InputError, "--pair 's': give small::large"),
        (["--pair", "s::big"], InputError, "--pair: no arm 'big'; there are: s, l, x"),
        (["--pair", "s::s"], InputError, "--pair: 's' twice"),
        (["--pair", "s::x"], InputError, "--pair s::x: no benchmark to score has both arms"),
        (
            ["--policies", "nearest-guess"],
            InputError,
            "--policies nearest-guess: .*unknown policy 'nearest-guess'; known",
        ),
        (["--policies", "no.module:X"], InputError, "--policies no.module:X: .*cannot import"),
        (["--benchmark", "a", "--folds", "10"], InputError, "--folds 10: .*the 9 questions"),
        (["--benchmark", "a", "--labels", "7"], InputError, "--labels 7: .* leave 6"),
        (["--train-on", "z"], InputError, "--train-on: no benchmark 'z'"),
        (["--benchmark", "a", "--train-on", "c", "--labels", "13"], InputError, "--labels 13: c"),
    ],
)
def test_what_cannot_be_names_its_option(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        ask("--json", *arguments)
    assert isinstance(caught.value, OckhamError)


@pytest.mark.parametrize(
    "arguments", [["--folds", "1"], ["--share", "1.5"], ["--labels", "0"], ["--seeds", "0"]]
)
def test_numbers_out_of_range_are_refused_by_their_option(arguments):
    app = typer.Typer()
    app.command()(replay)
    result = CliRunner().invoke(app, ["--source", "few", *arguments])
    assert result.exit_code == 2
    assert arguments[0] in result.output


def test_a_set_without_a_pair_asks_for_one():
    write_outcomes(outcome_set(pairs("a", 6), pairs=[]), "nopair")
    with pytest.raises(InputError, match="--pair small::large is needed; the arms are: s, l"):
        ask("--source", "nopair")


def test_a_set_of_one_arm_is_not_asked_for_two_that_it_has_not():
    rows = [each for each in pairs("a", 6) if each["arm"] == "s"]
    write_outcomes(outcome_set(rows, pairs=[]), "single")
    with pytest.raises(InputError, match="--source: its only arm is s, and two are compared"):
        ask("--source", "single")


def test_the_command_itself_with_the_real_encoder(tmp_path):
    write_outcomes(outcome_set(pairs("a", 40)), "real")
    environment = {**os.environ, "OCKHAM_DATA_DIR": str(tmp_path / "data")}
    main = [sys.executable, "-c", "from router.cli import main; main()", "replay"]

    def call(*arguments):
        return subprocess.run(
            [*main, "--source", "real", *FEW, *arguments],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = call("--benchmark", "nosuch")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: --benchmark: no benchmark 'nosuch'")
    done = call("--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {r["policy"] for r in found if r["metric"] == "accuracy"} >= {"text-logistic", "oracle"}
    assert "features of a: 40 of 40 texts" in done.stderr
