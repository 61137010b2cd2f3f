import numpy as np
import pytest
import yaml

from eval.hypothesis import judge
from eval.hypothesis.effective import contrasts, effective_sizes, slopes_in_points
from eval.hypothesis.published import Published, published


def test_the_published_table_gives_the_figures_of_the_first_look():
    table = published()
    points = slopes_in_points(table)
    assert points["GPQA-Diamond"][0] == pytest.approx(11.0, abs=0.05)
    assert points["AIME25"][0] == pytest.approx(11.7, abs=0.05)
    first, second = contrasts(table)[:2]
    assert (first.model, second.model) == ("VibeThinker-3B", "Olmo-3-Think")
    assert first.difference == pytest.approx(1.94, abs=0.01)


def line(scores):
    """Eight peers on a line of log-odds over size, and models with these scores."""
    sizes = {f"m{k}": (float(s), None) for k, s in enumerate((3, 5, 10, 20, 50, 100, 300, 1000))}
    rng = np.random.default_rng(0)
    made = {
        m: {"AIME25": 100 / (1 + np.exp(-(np.log10(s) - 1.5 + rng.normal(0, 0.03))))}
        for m, (s, _) in sizes.items()
    }
    for name, score in scores.items():
        sizes[name], made[name] = (3.0, None), {"AIME25": score}
    about = {"AIME25": {"axis": "verifiable", "questions": 30, "options": 1},
             "GPQA-Diamond": {"axis": "knowledge", "questions": 198, "options": 4}}  # fmt: skip
    return Published("made up", about, sizes, made, "0" * 16)


def test_a_score_on_the_line_gives_the_size_that_it_belongs_to():
    found = [e for e in effective_sizes(line({"VibeThinker-x": 50.0})) if "Vibe" in e.model]
    (one,) = found
    assert one.value == pytest.approx(10**1.5, rel=0.1)
    assert one.low < one.half_low < one.value < one.half_high < one.high
    assert not one.below
    assert not one.above


@pytest.mark.parametrize(("score", "says"), [(99.0, "at least 1000"), (1.0, "at most 3")])
def test_beyond_the_peers_nothing_is_read_off(score, says):
    (one,) = [e for e in effective_sizes(line({"VibeThinker-x": score})) if "Vibe" in e.model]
    assert one.says == says
    assert one.above is (score > 50)
    assert one.below is (score < 50)


def test_a_benchmark_with_equal_scores_has_no_sizes():
    table = line({})
    flat = {m: {"AIME25": 50.0} for m in table.scores}
    assert not effective_sizes(Published("x", table.benchmarks, table.sizes, flat, ""))


def test_the_counts_in_the_claims_are_those_of_the_table():
    table = published()
    own, scaled = table.scores["VibeThinker-3B"], table.scores["VibeThinker-3B + CLR"]

    def above(mine, other):
        theirs = table.scores[other]
        both = [b for b in table.on("verifiable") if b in mine and b in theirs]
        return sum(mine[b] > theirs[b] for b in both), len(both)

    claims = yaml.safe_load((judge._HERE / "claims.yaml").read_text())
    note = next(c["note"] for c in claims if "own abstract" in c["source"])
    rivals = ("DeepSeek V3.2", "Gemini 3 Pro", "GLM-5")
    assert [above(own, r) for r in rivals] == [(1, 6), (1, 6), (0, 5)]
    assert "DeepSeek V3.2 on 1 of 6" in note
    assert [above(scaled, r) for r in rivals] == [(5, 5), (3, 5), (1, 4)]
    assert "5 of 5, 3 of 5 and 1 of 4" in note
    small = [m for m, (size, _) in table.sizes.items() if size and size < 120 and "Vibe" not in m]
    best = max(table.scores[m].get("LiveCodeBench v6", 0) for m in small)
    assert best == 72.0 < own["LiveCodeBench v6"]
    assert all(c["report"] in {"supported", "partly", "not supported", "not in the report"}
               for c in claims)  # fmt: skip
