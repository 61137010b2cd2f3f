"""The verdict's words follow the intervals."""

from pathlib import Path
from typing import Any

from eval.report.data import load
from eval.report.verdict import verdicts

from .report_results import record, routed, single, stamp, usual, write


def said(tmp_path: Path, lines: list[dict[str, Any]]) -> list[str]:
    """The verdict of a file's only section."""
    _, (section,) = load([write(tmp_path / "r.jsonl", lines)])
    return verdicts(section)


def test_a_fitted_policy_that_wins(tmp_path: Path) -> None:
    fitted, untrained = said(tmp_path, usual())
    assert fitted == (
        "text-logistic (in-distribution, 400 labels) has an APGR of 0.660 [0.640, 0.680]; it beats "
        "the random mix (+0.160 [+0.140, +0.180]), prompt length alone (+0.080 [+0.060, +0.100]) "
        "and the best single model (utility at its operating point +0.0800 [+0.0600, +0.1000])."
    )
    assert untrained.startswith("prompt-length has an APGR of 0.580 [0.560, 0.600]; it beats")


def test_a_fitted_policy_that_loses(tmp_path: Path) -> None:
    lines = [line for line in usual() if line.get("policy") != "text-logistic"] + routed(
        "text-logistic", 0.49, protocol="transfer from c", labels=300
    )
    made = said(tmp_path, lines)
    name = "text-logistic (transfer from c, 300 labels)"
    assert made[0] == (
        f"{name} has an APGR of 0.490 [0.470, 0.510]; it loses to prompt length alone "
        "(−0.090 [−0.110, −0.070]) and is not told from the random mix (−0.010 [−0.030, +0.010]) "
        "and the best single model (utility at its operating point −0.0050 [−0.0250, +0.0150])."
    )
    assert f"Prompt length alone beats {name} (−0.090 [−0.110, −0.070]), in APGR." in made


def test_worse_than_random_and_than_best_single(tmp_path: Path) -> None:
    made = said(tmp_path, [*usual(), *routed("backwards", 0.4)])
    assert any(t.startswith("The random mix beats backwards (−0.100") for t in made)
    assert any(t.startswith("The best single model beats backwards (−0.0500") for t in made)


def test_the_best_of_several(tmp_path: Path) -> None:
    made = said(tmp_path, [*usual(), *routed("new", 0.59)])
    assert made[1].startswith("Of 2 policies (untrained), new has the best APGR, 0.590")
    assert "In APGR, not told from prompt length alone: new (+0.010 [−0.010, +0.030])." in made


def test_another_outcome_over_cost_is_said(tmp_path: Path) -> None:
    more = record("backwards", "cost-apgr-minus-prompt-length", 0.1)
    made = said(tmp_path, [*usual(), *routed("backwards", 0.4), more])
    assert not any("in cost-APGR" in t for t in made)
    more = record("backwards", "cost-apgr-minus-prompt-length", 0.001)
    made = said(tmp_path, [*usual(), *routed("backwards", 0.4), more])
    assert any(t.startswith("In cost-APGR, the area over cost") for t in made)


def test_long_lists_are_cut(tmp_path: Path) -> None:
    many = [line for i in range(30) for line in routed(f"p{i}", 0.3 + i / 1000)]
    made = said(tmp_path, [*usual(), *many])
    assert all(len(text) < 500 for text in made)
    assert any("p3 (" in text and "and 26 more, in APGR" in text for text in made)


def test_points_only(tmp_path: Path) -> None:
    (made,) = said(tmp_path, [stamp(), *single("all-small", 0.1, 0.6), *single("mine", 2, 0.7)])
    assert made == (
        "No policy here traces a curve, so there is no APGR. The best accuracy is mine's: "
        "0.700 [0.680, 0.720], for 2.000 USD per 1,000 queries."
    )


def test_no_meaning(tmp_path: Path) -> None:
    note = "the large arm is no better"
    lines = [record("random", "apgr", None, note=note), record("p", "apgr", None, note=note)]
    (made,) = said(tmp_path, lines)
    assert made == "No APGR can be stated (the large arm is no better)."


def test_no_intervals(tmp_path: Path) -> None:
    bare = {"low": None, "high": None}
    (made,) = said(
        tmp_path,
        [record("p", "apgr", 0.6, **bare), record("p", "apgr-minus-random", 0.1, **bare)],
    )
    assert made == "p has an APGR of 0.600."
