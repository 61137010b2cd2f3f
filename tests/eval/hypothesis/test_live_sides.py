"""P2 from a coverage result, P3 from live runs."""

import json

import polars as pl
import pytest

from eval.hypothesis.gold_context import gold_verdicts
from eval.hypothesis.live_set import live_drops, live_seed
from eval.hypothesis.memorisation import drops_of, memorisation_verdict
from eval.hypothesis.registration import read_registration
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import write_outcomes

REGISTRATION = read_registration()


def coverage(folder, share, gap, reference="large"):
    def one(value, low, high):
        return {"value": value, "low": low, "high": high, "n": 100, "clusters": 50, "undefined": 0}

    model = {
        "arm": "small", "model": "VibeThinker-3B", "reference": reference, "questions": 100,
        "countries": 50, "says": ["Gold facts close something."],
        "numbers": {"gap closed by gold": one(*share), "gap": one(*gap),
                    "accuracy closed": one(0.2, 0.1, 0.3)},
    }  # fmt: skip
    stamp = {"seed": 1, "questions": {"checksum": "abc"}}
    (folder / "coverage.json").write_text(json.dumps({"models": [model], "stamp": stamp}))
    return folder


@pytest.mark.parametrize(
    ("share", "gap", "reference", "word"),
    [((0.8, 0.7, 0.9), (0.4, 0.3, 0.5), "large", "supported"),
     ((0.3, 0.2, 0.4), (0.4, 0.3, 0.5), "large", "refuted"),
     ((0.55, 0.45, 0.7), (0.4, 0.3, 0.5), "large", "undecided"),
     ((0.8, 0.7, 0.9), (0.4, 0.04, 0.5), "large", "undecided"),
     ((0.8, 0.7, 0.9), (0.4, 0.3, 0.5), None, "undecided"),
     ((None, None, None), (-0.1, -0.2, 0.0), "large", "undecided")],
)  # fmt: skip
def test_gold_context_follows_the_rule_and_its_guard(tmp_path, share, gap, reference, word):
    (found,) = gold_verdicts(REGISTRATION, coverage(tmp_path, share, gap, reference))
    assert found.word == word, found.reason
    assert found.questions == 100
    assert found.models == (2 if reference else 1)


@pytest.mark.parametrize(
    ("drawn", "kind"), [(None, "exploratory"), (2, "exploratory"), (1, "confirmatory")]
)
def test_only_the_seed_that_was_drawn_confirms(tmp_path, drawn, kind):
    folder = coverage(tmp_path, (0.8, 0.7, 0.9), (0.4, 0.3, 0.5))  # its seed is 1
    (found,) = gold_verdicts(REGISTRATION, folder, drawn)
    assert (found.word, found.kind) == ("supported", kind)
    assert any("seed is not the one" in n for n in found.notes) == (kind == "exploratory")


def test_no_experiment_and_a_damaged_one(tmp_path):
    (found,) = gold_verdicts(REGISTRATION, None)
    assert found.word == "undecided"
    (tmp_path / "coverage.json").write_text("{")
    with pytest.raises(InputError, match="no result"):
        gold_verdicts(REGISTRATION, tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        gold_verdicts(REGISTRATION, tmp_path / "elsewhere")


def answers(arm, canonical, renumbered, templates=20, benchmark="b"):
    rows, queries = [], []
    for t in range(templates):
        for kind, right in (("canonical", canonical), ("perturbed", renumbered)):
            query = f"{benchmark}:{t}:{kind}"
            base = {"source": "live", "benchmark": benchmark, "query_id": query,
                    "cluster_id": f"t{t}", "subject": kind}  # fmt: skip
            rows.append({**base, "arm": arm, "status": "ok", "score": float(t < right)})
            queries.append({**base, "query": f"{query}?"})
    return OutcomeSet(pl.DataFrame(rows), pl.DataFrame(queries))


@pytest.mark.parametrize(
    ("small", "large", "word"),
    [((12, 12), (15, 15), "supported"), ((16, 3), (15, 15), "refuted"),
     ((0, 0), (15, 15), "undecided"), ((12, 12), (20, 20), "undecided")],
)  # fmt: skip
def test_memorisation_compares_the_drops(small, large, word):
    found = {a: drops_of(answers(a, *n)) for a, n in (("small", small), ("large", large))}
    made = memorisation_verdict(REGISTRATION, found, "small", "large", 1)
    assert made.word == word, made.reason
    assert made.models == 2
    assert (made.population, made.kind) == ("live_fresh_seed", "confirmatory")


def test_each_set_is_printed_beside_the_whole():
    made = [
        answers("small", *n, benchmark=b)
        for b, n in (("gsm8k_test", (12, 9)), ("reasoning_gym_small", (12, 12)))
    ]
    rows, texts = (
        pl.concat(
            frame.with_columns(cluster_id=pl.concat_str("benchmark", pl.lit(":"), "cluster_id"))
            for frame in frames
        )
        for frames in ([m.outcomes for m in made], [m.queries for m in made])
    )
    own = drops_of(OutcomeSet(rows, texts))
    made = memorisation_verdict(REGISTRATION, {"small": own}, "small", None, 1)
    assert made.kind == "confirmatory"
    assert made.beside["small: drop, points"].value == pytest.approx(7.5)
    drops = {k: v.value for k, v in made.beside.items() if "drop, points, " in k}
    assert drops == {
        "small: drop, points, GSM8K renumbered (20 templates)": pytest.approx(15.0),
        "small: drop, points, reasoning-gym twins (20 templates)": 0.0,
    }


def test_memorisation_without_a_large_model_or_a_run():
    own = {"small": drops_of(answers("small", 12, 9))}
    made = memorisation_verdict(REGISTRATION, own, "small", None, 1)
    assert made.word == "undecided"
    assert "no large model" in made.reason
    assert made.beside["small: drop, points"].value == pytest.approx(15.0)
    assert memorisation_verdict(REGISTRATION, {}, "small", None, 1).word == "undecided"


def test_the_seed_is_drawn_once_and_kept(tmp_path):
    first = live_seed(tmp_path / "live")
    assert live_seed(tmp_path / "live") == first
    assert first["seed"] >= 1000
    (tmp_path / "live" / "seed.json").write_text("{}")
    with pytest.raises(InputError, match="holds no seed"):
        live_seed(tmp_path / "live")


def test_only_sets_that_all_arms_finished_are_counted(tmp_path):
    places = [tmp_path / "small" / b / "outcomes"
              for b in ("reasoning-gym-twins", "gsm8k-renumbered")]  # fmt: skip
    write_outcomes(answers("small", 9, 9, benchmark="r"), places[0].absolute())
    assert live_drops(tmp_path, ["small"])["small"].questions == 40
    assert live_drops(tmp_path, ["small", "large"]) == {}
    write_outcomes(answers("small", 9, 9, benchmark="g"), places[1].absolute())
    assert live_drops(tmp_path, ["small"])["small"].questions == 80
