"""`ockham eval`: arguments, folders, resuming, what is printed and what is written."""

import json
import signal

import polars as pl
import pytest
from typer.testing import CliRunner

import eval.runs.session
from eval.benchmarks import benchmark as registry
from eval.runs.commands import app
from eval.runs.journal import Journal
from eval.runs.outcomes import OUTCOMES_FOLDER
from policies.outcome import query_hash
from router.errors import ConfigError, InputError
from router.outcomes import read_outcomes

from ..conftest import Sums, add, fake_router  # noqa: TID252  no package


@pytest.fixture
def ready(sums, clean_env, fake_model, monkeypatch):
    """The sums benchmark before a fake small model, configured through the environment."""
    fake_model.answer = add
    monkeypatch.setattr(eval.runs.session, "Router", fake_router)
    env = {"API_BASE": fake_model.api_base, "API_KEY": "secret-1", "MAX_TOKENS": "64"}
    env |= {"INPUT_USD_PER_MILLION": "1", "OUTPUT_USD_PER_MILLION": "4"}
    for name, value in env.items():
        clean_env.setenv(f"OCKHAM_MODELS__SMALL__{name}", value)
    return clean_env


def ockham(*args, code=0):
    done = CliRunner().invoke(app, [str(a) for a in args])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def run(folder, *args, code=0):
    base = ("run", "--benchmark", "sums", "--out", folder, "--json")
    if not {"--arm", "--policy"} & set(args):
        args = ("--arm", "small", *args)
    return json.loads(ockham(*base, *args, code=code).stdout)


def asked(fake):
    return [p for r in fake.requests if "What is" in (p := r["messages"][-1]["content"])]


def test_a_run_writes_an_outcome_set(ready, tmp_path, fake_model):
    data = run(tmp_path / "r", "--limit", 5, "--offset", 2, "--samples", 2)
    assert data["complete"] and data["done"] == 10 and data["accuracy"]["value"] == 1
    assert data["accuracy"]["questions"] == 5 and data["accuracy"]["low"] < 1
    assert data["cost_by_arm_usd"]["small"]["attempts"] == 10
    assert data["latency_s"]["p50"] <= data["latency_s"]["p95"]
    found = read_outcomes(tmp_path / "r" / OUTCOMES_FOLDER)
    assert len(found.outcomes) == 10 and len(found.queries) == 5
    assert found.outcomes["query_id"].unique(maintain_order=True).to_list() == [
        f"sums:{i}" for i in range(2, 7)
    ]
    assert found.outcomes["cost_usd"].sum() == pytest.approx(data["cost_usd"])
    assert set(found.outcomes["benchmark"]) == {"sums_test"}
    assert found.outcomes["answer_cluster"].to_list() == [0] * 10
    assert found.queries["query"][0] == "What is 2 + 2?" and found.queries["gold"][0] == "4"
    assert found.about["partial"] is False and found.about["manifest"]["same"]["seed"] == 0


def test_no_secret_and_no_path_in_what_is_shared(ready, tmp_path):
    run(tmp_path / "r", "--limit", 1, "--path", tmp_path / "mine.csv")
    for file in (tmp_path / "r").rglob("*"):
        if file.is_file():
            assert b"secret-1" not in file.read_bytes(), file
    about = (tmp_path / "r" / OUTCOMES_FOLDER / "about.json").read_text()
    assert str(tmp_path) not in about


def test_the_same_command_again_asks_nothing(ready, tmp_path, fake_model):
    run(tmp_path / "r", "--limit", 3)
    again = run(tmp_path / "r", "--limit", 3)
    assert len(asked(fake_model)) == 3 and again["done"] == 3


def test_the_default_folder_is_found_again(ready, fake_model):
    args = ("run", "--benchmark", "sums", "--arm", "small", "--limit", 2, "--json")
    first, second = (json.loads(ockham(*args).stdout) for _ in range(2))
    assert first["folder"] == second["folder"] and len(asked(fake_model)) == 2
    other = json.loads(ockham(*args, "--seed", 1).stdout)
    assert other["folder"] != first["folder"]


CHANGES = {
    "--limit": ("4", "limit: 3 in the folder, 4 now"),
    "--samples": ("2", "samples"),
    "--seed": ("7", "seed"),
    "--offset": ("1", "offset"),
}


@pytest.mark.parametrize("option", CHANGES)
def test_other_arguments_are_refused_and_named(ready, tmp_path, fake_model, option):
    run(tmp_path / "r", "--limit", 3)
    value, said = CHANGES[option]
    given = {"--limit": "3"} | {option: value}
    flat = [x for pair in given.items() for x in pair]
    with pytest.raises(InputError, match=f"(?s)another run.*{said}.*--out"):
        run(tmp_path / "r", *flat)
    assert len(asked(fake_model)) == 3


def test_another_subject_or_setting_is_refused_and_named(ready, tmp_path):
    run(tmp_path / "r", "--limit", 1)
    with pytest.raises(InputError, match=r"subject\.name"):
        run(tmp_path / "r", "--limit", 1, "--policy", "always-small")
    ready.setenv("OCKHAM_MODELS__SMALL__MAX_TOKENS", "32")
    with pytest.raises(InputError, match=r"settings\.models\.small\.max_tokens: 64 .* 32 now"):
        run(tmp_path / "r", "--limit", 1)


def test_a_new_key_is_no_other_run(ready, tmp_path):
    run(tmp_path / "r", "--limit", 1)
    ready.setenv("OCKHAM_MODELS__SMALL__API_KEY", "secret-2")
    assert run(tmp_path / "r", "--limit", 1)["complete"]


def test_other_questions_under_the_same_name_are_refused(ready, tmp_path, monkeypatch):
    run(tmp_path / "r")
    monkeypatch.setattr(Sums, "size", 41)
    with pytest.raises(InputError, match="questions"):
        run(tmp_path / "r")


def test_the_ceiling_ends_with_its_own_code_and_resume_goes_on(ready, tmp_path, fake_model):
    data = run(tmp_path / "r", "--limit", 30, "--max-cost", 0.0015, code=5)
    assert 0 < data["done"] < 30 and not data["complete"] and data["cost_usd"] <= 0.0015
    assert not (tmp_path / "r" / OUTCOMES_FOLDER).exists()
    done = ockham("run", "--resume", tmp_path / "r", "--json", "--max-cost", 1)
    assert json.loads(done.stdout)["done"] == 30 and len(asked(fake_model)) == 30


def test_partial_writes_what_is_there_and_asks_nothing(ready, tmp_path, fake_model):
    data = run(tmp_path / "r", "--limit", 30, "--max-cost", 0.0015, code=5)
    before = len(asked(fake_model))
    ockham("run", "--resume", tmp_path / "r", "--partial", "--json")
    found = read_outcomes(tmp_path / "r" / OUTCOMES_FOLDER)
    assert len(found.outcomes) == data["done"] and found.about["partial"] is True
    assert len(found.queries) == 30 and len(asked(fake_model)) == before


def test_an_interrupted_try_is_told_of_and_counted(ready, tmp_path):
    folder = tmp_path / "r"
    run(folder, "--limit", 30, "--max-cost", 0.0015, code=5)
    with Journal.open(folder) as journal:
        journal.start("sums:29", 0, 0.125)
    data = run(folder, "--limit", 30)
    assert data["interrupted"] == 1 and data["interrupted_worst_case_usd"] == 0.125
    assert data["cost_usd"] > 0.125
    about = read_outcomes(folder / OUTCOMES_FOLDER).about
    assert about["interrupted"] == {"tries": 1, "worst_case_usd": 0.125}
    text = ockham("show", folder).stdout
    assert "1 interrupted tries" in text and "may have been charged" in text


def test_failed_samples_are_kept_until_somebody_asks_for_them(ready, tmp_path, fake_model):
    folder = tmp_path / "r"
    fake_model.answer = lambda m: 1 / 0 if "3 + 3" in m[-1]["content"] else add(m)
    data = run(folder, "--limit", 5)
    assert data["failed"] == 1 and data["accuracy"]["value"] == pytest.approx(0.8)
    fake_model.answer = add
    assert run(folder, "--limit", 5)["failed"] == 1
    data = run(folder, "--limit", 5, "--retry-failed")
    assert data["failed"] == 0 and data["superseded"] == 1 and data["done"] == 5


def test_ctrl_c_ends_with_130_and_a_whole_journal(ready, tmp_path, fake_model):
    def interrupting(messages):
        if "5 + 5" in messages[-1]["content"] and not hit:
            hit.append(1)
            signal.raise_signal(signal.SIGINT)
        return add(messages)

    hit = []
    fake_model.answer = interrupting
    data = run(tmp_path / "r", "--limit", 10, "--concurrency", 1, code=130)
    assert data["open"] == 0 and not data["complete"] and data["interrupted"] <= 1
    assert run(tmp_path / "r", "--limit", 10)["done"] == 10


def test_two_runs_at_once(ready, tmp_path):
    run(tmp_path / "r", "--limit", 1)
    with Journal.open(tmp_path / "r"), pytest.raises(InputError, match="another process"):
        run(tmp_path / "r", "--limit", 1)


def test_a_strange_folder_is_left_alone(ready, tmp_path, fake_model):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no run"):
        run(tmp_path / "r", "--limit", 1)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        run(tmp_path / "file", "--limit", 1)


def test_a_damaged_manifest_is_a_clear_error(ready, tmp_path):
    run(tmp_path / "r", "--limit", 1)
    (tmp_path / "r" / "manifest.json").write_text("{")
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        run(tmp_path / "r", "--limit", 1)


def test_text_that_may_not_be_kept_is_nowhere(ready, tmp_path, monkeypatch, fake_model):
    monkeypatch.setattr(Sums, "keep_text", False)
    fake_model.answer = lambda m: f"You asked: {m[-1]['content']} It is {add(m)}"
    run(tmp_path / "r", "--limit", 3)
    for file in (tmp_path / "r").rglob("*"):
        if file.is_file():
            assert b"What is" not in file.read_bytes(), file
    found = read_outcomes(tmp_path / "r" / OUTCOMES_FOLDER)
    assert found.queries["query"].null_count() == 3 and found.queries["gold"].null_count() == 3
    assert found.queries["query_hash"][0] == query_hash("What is 0 + 0?")
    assert found.outcomes["answer"].str.starts_with("sha256:").all()
    assert found.outcomes["score"].sum() == 3


def test_a_policys_outcomes_keep_every_attempt(ready, tmp_path, fake_model, other_fake_model):
    fake_model.answer = lambda _: "It is 1 + 1 = 3, so the sum is 3"
    other_fake_model.answer = add
    env = {"API_BASE": other_fake_model.api_base, "API_KEY": "k", "MODEL": "hosted_vllm/big"}
    for name, value in env.items():
        ready.setenv(f"OCKHAM_MODELS__LARGE__{name}", value)
    ready.setenv("OCKHAM_MODELS__LARGE__USD_PER_HOUR", "0.1")
    data = run(tmp_path / "r", "--limit", 2, "--policy", "verifiability")
    assert data["accuracy"]["value"] == 1
    frame = read_outcomes(tmp_path / "r" / OUTCOMES_FOLDER).outcomes
    assert frame["arm"].to_list() == ["small", "large"] * 2
    assert frame["returned"].to_list() == [False, True] * 2
    large = frame.filter(pl.col("arm") == "large")
    assert set(large["cost_basis"]) == {"local"} and set(large["model"]) == {"hosted_vllm/big"}
    assert frame["verdict"].to_list()[0] == "failed"


WRONG = [
    (("--arm", "small"), "--benchmark: say which"),
    (("--benchmark", "sums"), "give --arm or --policy"),
    (("--benchmark", "sums", "--arm", "a", "--policy", "b"), "one of the two"),
    (("--benchmark", "sums", "--arm", "tiny"), "no arm 'tiny'; there are: small"),
    (("--benchmark", "nope", "--arm", "small"), "unknown benchmark 'nope'; known: "),
    (("--benchmark", "sums", "--arm", "small", "--offset", "999"), "has 40 questions"),
    (("--resume", "x", "--seed", "3"), "--seed: --resume takes it"),
    (("--resume", "x"), "is it a run folder"),
]


@pytest.mark.parametrize(("args", "said"), WRONG)
def test_wrong_arguments_are_named(ready, args, said):
    with pytest.raises(InputError, match=said):
        ockham("run", *args)


def test_an_unknown_policy_is_named(ready):
    with pytest.raises(ConfigError, match="nope"):
        ockham("run", "--benchmark", "sums", "--policy", "nope")


def test_list_prints_protocols(ready):
    assert "sums (version 1): zero-shot" in ockham("list").stdout
    assert {"sums"} <= {b["name"] for b in json.loads(ockham("list", "--json").stdout)}


def test_a_greedy_arm_with_repeats_is_noted(ready, tmp_path):
    ready.setenv("OCKHAM_MODELS__SMALL__TEMPERATURE", "0")
    data = run(tmp_path / "r", "--limit", 1, "--samples", 2)
    assert any("greedy" in note for note in data["notes"])


def test_every_shipped_benchmark_is_listed(clean_env):
    names = registry.available_benchmarks()
    said = ockham("list").stdout
    assert all(name in said for name in names)


def test_a_rebuilt_index_is_another_run(ready, tmp_path):
    current = tmp_path / "data" / "knowledge" / "CURRENT"
    current.parent.mkdir(parents=True)
    current.write_text("v-1")
    run(tmp_path / "r", "--limit", 1)
    current.write_text("v-2")
    with pytest.raises(InputError, match='knowledge index: "v-1" in the folder, "v-2" now'):
        run(tmp_path / "r", "--limit", 1)


def test_the_rate_is_handed_to_the_runner(ready, tmp_path, monkeypatch):
    from eval.runs.rate import RateLimit

    made = []
    original = RateLimit.__init__

    def init(self, per_second, *args, **kwargs):
        made.append(per_second)
        original(self, per_second, *args, **kwargs)

    monkeypatch.setattr(RateLimit, "__init__", init)
    run(tmp_path / "r", "--limit", 2, "--rate", 50)
    assert made == [50]
