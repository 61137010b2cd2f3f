"""`ockham policy frontier` on a small stored set of three arms: figures, files, messages."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from eval.policy_commands import app
from policies.outcome import OutcomeSet
from router.errors import OckhamError
from router.outcomes import write_outcomes

N = 60


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Sums need the middle arm, poems the dear one: the words tell."""
    tmp_path = tmp_path_factory.mktemp("frontier")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
        kind = np.arange(N) % 3
        text = ["Say hello, number {}.", "What is {} plus seven?", "Write a poem of {} lines."]
        asked = pl.DataFrame(
            {
                "source": "made",
                "benchmark": "mixed",
                "query_id": [str(i) for i in range(N)],
                "query": [text[k].format(i) for i, k in enumerate(kind)],
            }
        )
        arms = {"tiny": (kind == 0, 1.0), "middle": (kind <= 1, 3.0), "huge": (kind != 1, 9.0)}
        rows = [
            asked.select("source", "benchmark", "query_id").with_columns(
                arm=pl.lit(arm), status=pl.lit("ok"), score=pl.Series(right.astype(float)),
                cost_usd=pl.lit(usd / 1000), cost_basis=pl.lit("billed"),
            )
            for arm, (right, usd) in arms.items()
        ]  # fmt: skip
        data = OutcomeSet(pl.concat(rows), asked, {"name": "made", "pairs": [["tiny", "huge"]]})
        yield write_outcomes(data, tmp_path / "made")


def run(stored: Path, *args: str) -> tuple[int, str]:
    done = CliRunner().invoke(
        app, ["frontier", "--source", str(stored), "--benchmark", "mixed", *args]
    )
    if isinstance(done.exception, OckhamError):
        raise done.exception
    return done.exit_code, done.stdout


def test_three_arms_are_told_apart_and_written(stored: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "f.json", tmp_path / "f.png"
    code, text = run(
        stored, "--arms", "all", "--policies", "knn,prompt-length", "--seeds", "2",
        "--bootstrap", "50", "--against", "best-single", "--out", str(out), "--plot", str(plot),
        "--json",
    )  # fmt: skip
    facts = json.loads(text.splitlines()[-1])
    assert code == 0 and facts == json.loads(out.read_text())
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert [a["name"] for a in facts["arms"]] == ["tiny", "middle", "huge"]
    assert facts["range"] == pytest.approx([1.0, 9.0])
    by = {p["policy"]: p for p in facts["policies"]}
    assert set(by) == {"best-single", "random-mix", "oracle", "knn", "prompt-length"}
    assert facts["refused"] == {} and facts["nothing_to_keep"] == ""
    # Between tiny and huge, which are right on a third and on two thirds.
    assert by["prompt-length"]["end"]["value"] == pytest.approx(2 / 3)
    assert by["prompt-length"]["end-cost"]["value"] == pytest.approx(9.0)
    # Oracle: 1, 3 and 9 thousandths on a third each.
    assert by["oracle"]["best"]["value"] == 1.0
    assert by["oracle"]["best-cost"]["value"] == pytest.approx(13 / 3)
    assert by["knn"]["end"]["value"] > 0.9  # the words tell
    assert by["knn"]["gains"]["best-single"]["aiq"]["low"] > 0
    assert by["knn"]["labels"] == 48 and len(by["knn"]["aiq-per-seed"]) == 2
    assert by["knn"]["curve"]["price"][0] == "inf" and by["knn"]["curve"]["price"][-1] == 0
    assert "cost-apgr" not in by["knn"]


def test_a_pair_is_shown_with_its_area(stored: Path) -> None:
    code, text = run(
        stored, "--pair", "tiny::huge", "--policies", "prompt-length", "--seeds", "1",
        "--bootstrap", "20", "--points", "5",
    )  # fmt: skip
    assert code == 0
    assert "2 arms, 60 questions (0 lack an arm), 1 seeds" in text and "cost-APGR" in text
    assert "over best-single" in text and "prompt-length" in text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--arms", "all", "--policies", "nope"), "--policies nope"),
        (("--arms", "all", "--price", "free"), "--price 'free'"),
        (("--arms", "all", "--against", "knn"), "--against knn"),
        (("--arms", "all", "--range", "low"), "--range 'low'"),
        (("--arms", "all", "--labels", "99"), "--labels 99"),
    ],
)
def test_bad_input_names_the_option(stored: Path, args: tuple[str, ...], message: str) -> None:
    with pytest.raises(OckhamError, match=message):
        run(stored, "--seeds", "1", "--bootstrap", "10", *args)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--range", "3:1"), "--range '3:1': give LOW:HIGH with"),
        (("--range", "nan:1"), "--range 'nan:1': give LOW:HIGH with"),
        (("--range", "0:inf"), "--range '0:inf': give LOW:HIGH with"),
        (("--against", "irt"), "--against irt: not compared; there are: best-single, random-mix"),
        (("--out", "f.txt"), "--out f.txt: the file's name ends in .json"),
        (("--plot", "f.pdf"), "--plot f.pdf: the file's name ends in .png"),
    ],
)
def test_what_cannot_end_well_is_refused_before_anything_is_traced(
    stored: Path, args: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def traced(*_: object) -> None:
        raise AssertionError("was traced")

    monkeypatch.setattr("eval.frontier.compare.compare", traced)
    with pytest.raises(OckhamError) as caught:
        run(stored, "--arms", "all", *args)
    assert said in str(caught.value)


def test_a_benchmark_that_is_not_there_is_named(stored: Path) -> None:
    with pytest.raises(OckhamError, match="--benchmark: no 'odes' here; there are: mixed"):
        CliRunner().invoke(
            app,
            ["frontier", "--source", str(stored), "--benchmark", "mixed+odes", "--arms", "all"],
            catch_exceptions=False,
        )
