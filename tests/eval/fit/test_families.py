"""Leaving families out: AUROCs by hand, near twins, resuming, calibration on what was seen."""

from pathlib import Path

import numpy as np
import pytest

from eval.fit import families
from eval.fit.contenders import Ours
from eval.fit.families import (
    FamilyScores,
    Pair,
    calibration,
    family_figures,
    leave_one_out,
    leave_pairs_out,
    pair_figure,
    score_family,
    score_pair,
    sides,
    stamp_of,
)
from eval.fit.journal import Journal, Progress, checksum
from eval.fit.signals import out_of_fold
from eval.fit.table import Table
from router.errors import SetupError

from .toys import Column, Row, table_of

AXIS = "verifiability"

# Positive families p (3, 1) and q (9, 9); negative ones m (2, 0) and n (1, 9).
ROWS: list[Row] = [
    ("p", 1, 0, 3.0), ("p", 1, 0, 1.0), ("q", 1, 0, 9.0), ("q", 1, 0, 9.0),
    ("m", 0, 1, 2.0), ("m", 0, 1, 0.0), ("n", 0, 1, 1.0), ("n", 0, 1, 9.0),
    ("written:a", 1, 0, 5.0), ("written:a", 0, 0, -5.0), ("x", None, 1, 7.0),
]  # fmt: skip
BY_HAND = {("p", "m"): 0.75, ("p", "n"): 0.375, ("q", "m"): 1.0, ("q", "n"): 0.75}
"""p-n: 3 > 1 wins, 1 = 1 is half, both lose to 9: 1.5 of 4. q-n: two wins, two ties."""


@pytest.fixture(autouse=True)
def two_rows_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "LEAST", 2)


def toy() -> Table:
    return table_of(ROWS)


def pairs_of(table: Table, contender: Column, journal: Journal | None = None) -> list[Pair]:
    return leave_pairs_out(table, contender, AXIS, journal or Journal(None, ""), seed=0)


def test_sides_are_families_with_enough_rows_of_a_label() -> None:
    rows = [*ROWS, ("r", 1, 0, 0.0)]
    assert sides(table_of(rows), AXIS) == (["p", "q"], ["m", "n"])
    assert sides(table_of(rows), "knowledge_demand") == (["m", "n"], ["p", "q"])


def test_aurocs_of_pairs_are_those_by_hand_and_the_figure_is_their_mean() -> None:
    pairs = pairs_of(toy(), Column())
    assert {(p.positive, p.negative): p.auroc for p in pairs} == pytest.approx(BY_HAND)
    assert {(p.n_positive, p.n_negative) for p in pairs} == {(2, 2)}
    figure = pair_figure(pairs, seed=0)
    assert figure.value == pytest.approx(np.mean(list(BY_HAND.values())))
    assert (figure.n, figure.clusters, figure.metric) == (4, 4, "macro-auroc")
    # Two families a side: a resample may draw one pair only, never more than the best.
    assert figure.low == pytest.approx(0.375) and figure.high == pytest.approx(1.0)


def test_a_pair_is_scored_by_a_fit_that_saw_neither_family() -> None:
    contender = Column()
    pairs = pairs_of(toy(), contender)
    for pair, seen in zip(pairs, contender.seen, strict=True):
        groups = set(seen.groups.tolist())
        assert groups == {"p", "q", "m", "n", "written:a"} - {pair.positive, pair.negative}


def test_a_family_with_both_labels_is_paired_with_itself() -> None:
    table = table_of([("b", 1, 0, 1.0), ("b", 1, 0, 4.0), ("b", 0, 0, 2.0), ("b", 0, 0, 0.0)])
    (pair,) = pairs_of(table, Column())
    assert (pair.positive, pair.negative, pair.auroc) == ("b", "b", 0.75)


def test_near_twins_of_held_out_rows_are_not_trained_on() -> None:
    embedding = np.eye(len(ROWS) + 2, dtype=np.float32)[: len(ROWS)]
    embedding[2] = embedding[0]  # q's first row is p's first
    embedding[8] = [0.96, *[0] * 9, 0, 0.28, 0]  # a written one is near p's first: .96
    embedding[9] = [0.94, *[0] * 9, 0, 0, np.sqrt(1 - 0.94**2)]  # this one is not near enough
    contender = Column()
    pair = score_pair(table_of(ROWS, embedding), contender, AXIS, "p", "m")
    assert pair.dropped == 2
    assert [e.text for e in contender.seen[0].examples if e.group != "x"] == [
        "row 3", "row 6", "row 7", "row 9"
    ]  # fmt: skip
    one = score_family(table_of(ROWS * 4, np.tile(embedding, (4, 1))), Column(), AXIS, "p", 0)
    assert one.dropped == 8


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    table, path = toy(), tmp_path / "deep" / "journal.jsonl"
    with pytest.raises(KeyboardInterrupt):
        pairs_of(table, Column(stop_after=3), Journal(path, "s"))
    rest = Column()
    resumed = pairs_of(table, rest, Journal(path, "s"))
    assert len(rest.seen) == 1
    assert resumed == pairs_of(table, Column())
    third = Column()
    pairs_of(table, third, Journal(path, "s"))
    assert third.seen == []


def test_a_line_that_was_cut_off_and_another_stamp_count_as_not_done(tmp_path: Path) -> None:
    table, path = toy(), tmp_path / "journal.jsonl"
    pairs_of(table, Column(), Journal(path, "s"))
    path.write_text(path.read_text(encoding="utf-8")[:-20] + "\n[1]", encoding="utf-8")
    again = Column()
    pairs_of(table, again, Journal(path, "s"))
    assert len(again.seen) == 1
    other = Column()
    pairs_of(table, other, Journal(path, "t"))
    assert len(other.seen) == 4
    assert pairs_of(table, Column(stop_after=0), Journal(path, "s"))


def test_a_journal_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match="cannot be written"):
        pairs_of(toy(), Column(), Journal(tmp_path / "file" / "journal.jsonl", "s"))


def test_the_stamp_knows_rows_labels_seed_and_contender() -> None:
    table = toy()
    stamps = {
        stamp_of(table, Column(), 0),
        stamp_of(table, Column(), 1),
        stamp_of(table, Ours(), 0),
        stamp_of(table_of([*ROWS[:-1], ("x", None, 0, 7.0)]), Column(), 0),
        stamp_of(table_of([*ROWS[:-1], ("x", None, 1, 7.5)]), Column(), 0),
    }
    assert len(stamps) == 5
    assert stamp_of(toy(), Column(), 0) in stamps
    assert checksum(table) == checksum(toy())


def test_a_limit_takes_a_seeded_sample() -> None:
    table, none = toy(), Journal(None, "")
    few = leave_pairs_out(table, Column(), AXIS, none, 1, limit=2)
    assert len(few) == 2
    assert few == leave_pairs_out(table, Column(), AXIS, none, 1, limit=2)
    assert len(leave_one_out(table_of(ROWS * 4), Column(), AXIS, none, 0, limit=3)) == 3


def random_table(n: int = 300) -> Table:
    """Ten families and ten topics, a label that the two columns tell with noise."""
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for i in range(n):
        label = int(rng.random() < 0.5)
        kind = "written" if i % 2 else "family"
        rows.append((f"{kind}:{i % 20}", label, 0, label * 2 + rng.normal()))
    return table_of(rows)


def test_the_calibration_of_ours_is_that_of_the_fit() -> None:
    table = random_table()
    held = out_of_fold(table, AXIS, 3)
    assert calibration(Ours(), table, AXIS, 3) == pytest.approx((held.scale, held.shift))


def test_a_family_is_calibrated_on_what_was_seen() -> None:
    table, family = random_table(), "family:4"
    own = table.groups == family
    scores = score_family(table, Column(), AXIS, family, 0)
    scale, shift = calibration(Column(), table.take(~own), AXIS, 0)
    assert scores.log_odds == pytest.approx(tuple(scale * table.x[own][:, 0] + shift))
    assert scores.labels == tuple(table.take(own).labels(AXIS))
    # Labels of the family itself change nothing of its scores.
    turned = table_of(
        [
            (e.group, 1 - e.axis(AXIS) if e.group == family else e.axis(AXIS), 0, float(x))
            for e, x in zip(table.examples, table.x[:, 0], strict=True)
        ]
    )
    assert score_family(turned, Column(), AXIS, family, 0).log_odds == scores.log_odds


def family(name: str, log_odds: list[float], labels: list[int]) -> FamilyScores:
    return FamilyScores(
        contender="c", axis=AXIS, family=name, log_odds=tuple(log_odds), labels=tuple(labels),
        dropped=0,
    )  # fmt: skip


def test_families_are_pooled_and_told_one_by_one() -> None:
    given = [family("a", [2.0, 1.0, 3.0, -1.0], [1, 1, 1, 1]), family("b", [-2.0, 1.0], [0, 0])]
    made = {(f.part, f.metric): f for f in family_figures(given, seed=0)}
    assert made["families", "accuracy"].value == pytest.approx(4 / 6)
    assert made["families", "family-accuracy"].value == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert (made["families", "accuracy"].n, made["families", "accuracy"].clusters) == (6, 2)
    p = 1 / (1 + np.exp(-np.array([2.0, 1.0, 3.0, -1.0, -2.0, 1.0])))
    y = np.array([1, 1, 1, 1, 0, 0])
    assert made["families", "brier"].value == pytest.approx(((p - y) ** 2).mean())
    # F1 of ones: 2 * 3 / (2 * 3 + 2); of zeros: 2 * 1 / (2 * 1 + 2).
    assert made["families", "macro-f1"].value == pytest.approx((0.75 + 0.5) / 2)
    assert made["families/a", "accuracy"].value == 0.75
    assert made["families/b", "mean-probability"].value == pytest.approx(p[4:].mean())
    assert ("families/a", "auroc") not in made
    assert family_figures([], seed=0) == []


def test_progress_speaks_at_the_end_and_names_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    progress = Progress("pair", 3, said.append)
    for name in ("a", "b", "c"):
        progress.step(name)
    assert len(said) == 1 and "pair 3 of 3 (c)" in said[0]
    monkeypatch.setattr("eval.fit.journal.SAY_EVERY", 0.0)
    Progress("pair", 2, said.append).step("d", fresh=False)
    assert "pair 1 of 2 (d)" in said[1]
