"""The arithmetic by hand, its assumptions kept, and a command that names who loses."""

import json
import math
from dataclasses import asdict, replace

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from eval.breakeven import (
    AtCap,
    Offer,
    Outcomes,
    Serving,
    cells,
    expected_tokens,
    offers,
    quantile,
)
from eval.breakeven_commands import app, losses
from eval.breakeven_inputs import measured_serving, read_facts, read_outcomes, read_set
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.models.check import Report
from router.outcomes import write_outcomes

OUTCOMES = Outcomes(
    benchmark="b",
    n=100,
    caps={1000: AtCap(right=0.2, cut=0.8), 3000: AtCap(right=0.5, cut=0.4)},
    source="by hand",
)
MACHINE = Serving(name="m", streams={10: 100.0}, source="by hand")
OFFER = Offer("hosted", attempt_usd=0.9, right=0.9)


def one(cap, usd=3600.0, busy=1.0, offer=OFFER):
    (cell,) = cells([MACHINE], OUTCOMES, [offer], usd_per_hour=[usd], caps=[cap], busy=busy)
    return cell


def test_expected_tokens_are_the_area_under_the_survival():
    points = OUTCOMES.survival()
    assert points == [(0, 1.0), (1000, 0.8), (3000, 0.4)]
    assert expected_tokens(points, 1000) == pytest.approx(900)
    assert expected_tokens(points, 3000) == pytest.approx(900 + 1200)


def test_quantiles_of_a_trace_that_is_cut():
    points = OUTCOMES.survival()
    assert quantile(points, 3000, 0.1) == pytest.approx(500)
    assert quantile(points, 3000, 0.5) == pytest.approx(1000 + 2000 * 0.3 / 0.4)
    assert quantile(points, 3000, 0.95) == 3000
    assert quantile(points, 1000, 0.5) == 1000


def test_one_cell_by_hand():
    cell = one(3000)
    # USD 1 a second; 2,100 tokens at 100 tokens/s of all streams: 21 seconds of the machine.
    assert cell.attempt_usd == pytest.approx(21.0)
    assert cell.idle_usd == 0
    assert cell.small_usd == pytest.approx(42.0)
    assert cell.small_low_usd < 42 < cell.small_high_usd
    assert cell.hosted_usd == pytest.approx(1.0)
    assert cell.both_right == pytest.approx(0.5 + 0.5 * 0.9)
    assert cell.both_usd == pytest.approx((21 + 0.45) / 0.95)
    # One of ten streams writes 10 tokens/s.
    assert (cell.p50_s, cell.p95_s) == (pytest.approx(250.0), pytest.approx(300.0))
    assert cell.verdict == "loses"
    assert one(3000, usd=3600 / 420).verdict == "wins"


def test_idle_time_is_paid_and_told_apart():
    cell = one(3000, busy=0.25)
    assert cell.attempt_usd == pytest.approx(21.0)
    assert cell.idle_usd == pytest.approx(63.0)
    assert cell.small_usd == pytest.approx(4 * 42.0)


@pytest.mark.parametrize("cap", [1000, 3000])
@pytest.mark.parametrize("busy", [1.0, 0.3])
def test_at_the_break_even_price_all_three_cost_the_same(cap, busy):
    price = one(cap, busy=busy).breakeven_usd_per_hour
    cell = one(cap, usd=price, busy=busy)
    assert cell.small_usd == pytest.approx(cell.hosted_usd)
    assert cell.both_usd == pytest.approx(cell.hosted_usd)
    assert cell.verdict == "close"


def test_escalation_changes_no_verdict():
    facts = read_facts()
    sold = offers(facts.hosted, facts.hosted_tokens, 200)
    for cell in cells(
        facts.serving, facts.outcomes, sold, usd_per_hour=[0.1, 1, 10], caps=[1024, 32768], busy=0.5
    ):
        assert (cell.small_usd > cell.hosted_usd) == (cell.both_usd > cell.hosted_usd)


def test_a_cap_at_which_nothing_is_right_loses():
    never = Outcomes(benchmark="b", n=10, caps={10: AtCap(right=0, cut=1)}, source="by hand")
    (cell,) = cells([MACHINE], never, [OFFER], usd_per_hour=[1], caps=[10], busy=1)
    assert math.isinf(cell.small_usd) and cell.breakeven_usd_per_hour == 0
    assert math.isfinite(cell.both_usd)


def test_the_shipped_survival_agrees_with_the_published_median():
    """Two published figures that do not know of each other: 15,961 tokens in the middle."""
    facts = read_facts()
    middle = quantile(facts.outcomes.survival(), 32768, 0.5)
    assert middle == pytest.approx(facts.hosted_tokens, rel=0.03)


def test_your_own_machine(tmp_path):
    path = tmp_path / "check.json"
    report = Report(
        name="small",
        model="hosted_vllm/x",
        api_base=None,
        measured_at="2026-11-22T00:00:00+00:00",
        tokens_per_s={1: 40.0, 8: 110.0},
        facts=(),
    )
    path.write_text(json.dumps(asdict(report)))
    assert measured_serving(path).streams == {1: 40.0, 8: 110.0}
    done = CliRunner().invoke(app, ["breakeven", "--measured", str(path), "--json"])
    assert {c["streams"] for c in json.loads(done.stdout)["cells"]} == {1, 8}
    shown = CliRunner().invoke(app, ["breakeven", "--measured", str(path)]).output
    assert "note: the speed is your server's, the scores are VibeThinker-3B's" in shown
    path.write_text(json.dumps(asdict(replace(report, tokens_per_s={}))))
    with pytest.raises(InputError, match="--measured"):
        measured_serving(path)


def test_your_own_outcomes(tmp_path):
    path = tmp_path / "o.yaml"
    path.write_text(yaml.safe_dump(OUTCOMES.model_dump()))
    assert read_outcomes(path) == OUTCOMES
    body = OUTCOMES.model_dump()
    body["caps"][3000]["cut"] = 0.9
    path.write_text(yaml.safe_dump(body))
    with pytest.raises(InputError, match="the cut part must not grow with the cap"):
        read_outcomes(path)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--cap", "5000"], "--cap: nothing was measured at 5000"),
        (["--busy", "0"], "--busy: must be above 0"),
        (["--usd-per-hour", "-1"], "--usd-per-hour: must be above 0"),
        (["--usd-per-hour", "nan"], "--usd-per-hour: must be above 0"),
        (["--hosted", "gpt-5"], "--hosted: 'gpt-5' is not MODEL=PART"),
        (["--hosted", "gpt-5=7"], "--hosted: 'gpt-5=7' is not MODEL=PART"),
        (["--hosted", "nobody/x=0.5"], "--hosted: 'nobody/x' is not in LiteLLM's price map"),
        (["--measured", "gone.json"], "--measured: cannot read gone.json"),
        (["--outcomes", "gone.yaml"], "--outcomes: cannot read gone.yaml"),
    ],
)
def test_bad_input_names_its_option(args, says):
    done = CliRunner().invoke(app, ["breakeven", *args])
    assert isinstance(done.exception, InputError)
    assert says in str(done.exception)


def test_json_has_no_infinity(tmp_path):
    never = {"benchmark": "b", "n": 10, "caps": {10: {"right": 0, "cut": 1}}, "source": "by hand"}
    (tmp_path / "o.yaml").write_text(yaml.safe_dump(never))
    args = ["breakeven", "--outcomes", str(tmp_path / "o.yaml"), "--json"]
    done = CliRunner().invoke(app, args)
    assert {c["small_usd"] for c in json.loads(done.output)["cells"]} == {None}
    assert "Infinity" not in done.output
    out = tmp_path / "p.png"
    assert CliRunner().invoke(app, [*args[:-1], "--out", str(out)]).exit_code == 0


def test_losing_cells_are_named():
    grid = [one(1000), one(3000), one(3000, usd=1.0)]
    head, lines = losses(grid)
    assert head == "2 of 3 cells (0 too close to call):"
    assert lines == ["m, 10 at once: every cap at USD 3600/h"]
    assert losses([one(3000, usd=1.0)]) == ("0 of 1 cells (0 too close to call)", [])


def test_the_command_shows_tables_losses_and_a_picture(tmp_path):
    out = tmp_path / "deep" / "be.png"
    done = CliRunner().invoke(app, ["breakeven", "--out", str(out)], env={"COLUMNS": "160"})
    assert done.exit_code == 0, done.output
    for model in ("gpt-5", "deepseek/deepseek-v3.2", "groq/openai/gpt-oss-20b"):
        assert f"Small LOSES to {model} (USD " in done.output
    assert "…" not in done.output
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_set_gives_the_figures_of_every_lower_cap(tmp_path):
    rows = [(10, "ok", 1.0), (40, "ok", 0.0), (60, "ok", 1.0), (80, "truncated", 0.0)]
    frame = pl.DataFrame(
        [
            {"source": "s", "benchmark": "b", "query_id": str(i), "arm": "small", "status": status,
             "score": score, "completion_tokens": tokens}
            for i, (tokens, status, score) in enumerate(rows)
        ]
    )  # fmt: skip
    asked = pl.DataFrame(
        [{"source": "s", "benchmark": "b", "query_id": str(i), "query": f"q{i}"} for i in range(4)]
    )
    write_outcomes(OutcomeSet(frame, asked, {"name": "mine"}), tmp_path / "set")
    found = read_set(str(tmp_path / "set"), "small")
    assert (found.benchmark, found.n, list(found.caps)) == ("b", 4, [2, 5, 10, 20, 40, 80])
    assert found.caps[80] == AtCap(right=0.5, cut=0.25)
    assert found.caps[40] == AtCap(right=0.25, cut=0.5)
    assert found.caps[5] == AtCap(right=0.0, cut=1.0)
    with pytest.raises(InputError, match="--arm: .* has no row of 'large'"):
        read_set(str(tmp_path / "set"), "large")
    args = ["breakeven", "--outcomes", str(tmp_path / "set"), "--arm", "small"]
    assert "b, n = 4 a cap" in CliRunner().invoke(app, args, env={"COLUMNS": "160"}).output
