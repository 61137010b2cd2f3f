"""Commands that make a set of another one: what they refuse before they work or write."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from eval.sources.commands import app
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import read_outcomes, write_outcomes


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two benchmarks of one question; `sums` is all that a command may keep."""
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path))
    asked = pl.DataFrame(
        {"source": "made", "benchmark": ["sums", "poems"], "query_id": ["1", "2"], "query": "How?"}
    )
    rows = asked.drop("query").with_columns(
        arm=pl.lit("small"), status=pl.lit("ok"), score=pl.lit(1.0), domain=pl.lit("math"),
        answer=pl.lit("1"),
    )  # fmt: skip
    return write_outcomes(OutcomeSet(rows, asked, {"name": "own", "notes": []}), "own")


def run(*args: str) -> None:
    done = CliRunner().invoke(app, list(args))
    raise done.exception or AssertionError(done.output)


MAKERS = {
    "verify": ("verify", "own", "--benchmark", "sums", "--as"),
    "synthetic": ("synthetic", "own", "--price-of", "none", "--out"),
    "derive": ("derive", "own", "--k", "2", "--out"),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_no_set_is_made_over_the_one_it_is_made_of(maker: str, stored: Path) -> None:
    for target in ("own", str(stored), f"{stored.parent}/./own"):
        with pytest.raises(InputError, match=f"{MAKERS[maker][-1]} .*the set it is made of"):
            run(*MAKERS[maker], target)
    assert read_outcomes("own").queries["benchmark"].to_list() == ["sums", "poems"]


@pytest.mark.parametrize(
    "args",
    [("verify", "own", "--as", "new"), ("synthetic", "own", "--price-of", "none", "--out", "new")],
)
def test_a_benchmark_that_is_not_there_is_named_with_those_that_are(args: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"--benchmark: no benchmark 'odes' here; .*poems, sums"):
        run(*args, "--benchmark", "odes")


def test_golds_that_nothing_reads_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--golds: nothing is scored again without --corrected"):
        run("verify", "own", "--benchmark", "sums", "--as", "new", "--golds", str(tmp_path))


def test_a_synthetic_arm_must_say_so_in_its_own_option() -> None:
    with pytest.raises(InputError, match="--as gpt: a made-up arm has 'synthetic'"):
        run("synthetic", "own", "--price-of", "none", "--out", "new", "--as", "gpt")
