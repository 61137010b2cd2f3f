"""Scores on held-out prompts: orders and shares by hand, from a featuriser that is a fake."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eval.fit.heldout_scores import axis_figures, contender_figures, judged, live_figures
from eval.fit.injected import (
    BASES,
    injection_figures,
    injections,
    judge,
)
from eval.fit.measures import Figure
from eval.fit.prompts import HELDOUT, INJECTIONS, Prompt, read_lines, read_prompts
from router.state import Message, Query, Signals

from .toys import Column, built, example, table_of

V, K = "verifiability", "knowledge_demand"


def prompt(file: str, group: str, v: int | None, k: int | None, **more: Any) -> Prompt:
    query = Query(id="p", messages=(Message(role="user", content=f"{group} {v} {k}"),))
    given = {"domain": "math", "form": "number", **more}
    return Prompt(query, file, f"{file}:{group}", verifiability=v, knowledge_demand=k, **given)


def signals(v: float, k: float, **more: Any) -> Signals:
    given = {"domains": {"math": 1.0}, "forms": {"number": 1.0}, "confidence": 0.9, **more}
    return Signals(verifiability=v, knowledge_demand=k, chars=1, featuriser="fake", **given)


def by_key(figures: list[Figure]) -> dict[tuple[str, str, str], Figure]:
    keys = [(f.part, f.axis, f.metric) for f in figures]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, figures, strict=True))


def test_twins_are_ordered_within_their_group_only() -> None:
    prompts = [
        prompt("twins", "a", 1, 0), prompt("twins", "a", 0, 0), prompt("twins", "a", 0, 0),
        prompt("twins", "b", 1, 0), prompt("twins", "b", 0, 0),
        prompt("twins", "c", 1, 0), prompt("twins", "d", None, 0),
    ]  # fmt: skip
    # a: one twin below, one tied; b: the wrong way round; c: nothing to compare with.
    scores = np.array([0.7, 0.6, 0.7, 0.2, 0.3, 0.1, 0.9])
    made = by_key(axis_figures("n", prompts, scores, V, seed=0))
    ordered = made["twins", V, "ordered"]
    assert ordered.value == pytest.approx(1.5 / 3)
    assert (ordered.n, ordered.clusters) == (3, 2)
    # Over all groups: .7 beats two and ties one of (.6, .7, .3), .2 and .1 beat none.
    assert made["twins", V, "auroc"].value == pytest.approx(2.5 / 9)
    assert made["twins", V, "auroc"].n == 6
    assert made["all", V, "accuracy"].value == made["twins", V, "accuracy"].value


def test_science_languages_and_kinds_have_figures_of_their_own() -> None:
    prompts = [
        prompt("science", "x", 0, 1), prompt("science", "y", 0, 1),
        prompt("languages", "greek", 1, 0), prompt("languages", "greek", 0, 1),
        prompt("languages", "czech", 1, 0), prompt("wrapped", "json", 1, 1),
    ]  # fmt: skip
    scores = np.array([0.8, 0.3, 0.2, 0.9, 0.1, 0.6])
    made = by_key(axis_figures("n", prompts, scores, K, seed=0))
    assert made["science", K, "share-high"].value == 0.5
    assert made["science", K, "auroc"].value is None
    assert made["languages/greek", K, "accuracy"].value == 1
    assert made["languages/greek", K, "accuracy"].n == 2
    assert made["languages/greek", K, "auroc"].value == 1
    assert made["languages", K, "accuracy"].clusters == 2
    assert made["wrapped/json", K, "accuracy"].value == 1
    assert ("science/x", K, "accuracy") not in made


def test_without_decisions_only_ranks_are_told() -> None:
    prompts = [prompt("twins", "a", 1, 0), prompt("twins", "a", 0, 0)]
    made = by_key(axis_figures("n", prompts, np.array([40.0, -3.0]), V, 0, decisions=False))
    assert {metric for _, _, metric in made} == {"auroc", "ordered"}


def test_needs_forms_domains_and_confidence() -> None:
    prompts = [
        prompt("twins", "a", 1, 0, needs=("tools",)),
        prompt("twins", "b", 1, 0, needs=("tools",)),
        prompt("code", "c", 0, 1, domain="code", form=None),
        prompt("code", "d", 0, None, domain="code", form="function"),
    ]
    said = [
        signals(0.9, 0.1, needs={"tools": 0.8}, confidence=0.8),
        signals(0.4, 0.1, needs={"tools": 0.1}, confidence=0.3),
        signals(0.1, 0.9, needs={"tools": 0.5}, domains={"code": 1.0}, confidence=0.7),
        signals(0.1, 0.9, needs={}, confidence=0.1),
    ]
    made = by_key(live_figures("ours", prompts, said, seed=0))
    assert made["all", "", "tools-precision"].value == 0.5
    assert made["all", "", "tools-recall"].value == 0.5
    assert made["all", "", "tools-f1"].value == 0.5
    assert made["all", "", "images-recall"].value is None
    assert made["all", "", "domain-accuracy"].value == 0.75
    assert made["all", "", "form-accuracy"].value == pytest.approx(2 / 3)
    assert made["code", "", "domain-accuracy"].value == 0.5
    # The fourth has no label on an axis: it is neither right nor wrong.
    assert made["all", "", "both-right"].value == pytest.approx(2 / 3)
    assert made["all", "", "both-right"].n == 3
    assert made["all", "", "confidence-auroc"].value == 1
    assert made["all", "", "confidence-ece"].value == pytest.approx((0.2 + 0.3 + 0.3) / 3)


def test_contenders_are_fitted_on_the_whole_table() -> None:
    rows = [(f"f{i}", i % 2, 0, float(i % 2 * 2 - 1 + 0.3 * (i % 3))) for i in range(40)]
    rows += [(f"g{i}", i % 2, i % 3 % 2, float(1 - i % 2 * 2)) for i in range(8)]
    table = table_of(rows)
    prompts = [prompt("twins", "a", 1, 1), prompt("twins", "a", 0, 0)]
    held = built([example("a", 1, 1, "x"), example("a", 0, 0, "y")], np.array([[3.0], [-3.0]]))
    contender = Column()
    made = by_key(contender_figures(contender, table, held, prompts, seed=0))
    assert made["twins", V, "accuracy"].value == 1
    assert any(len(seen.examples) == len(table.examples) for seen in contender.seen)
    ranked = by_key(contender_figures(Column(log_odds=False), table, held, prompts, seed=0))
    assert {metric for _, _, metric in ranked} == {"auroc", "ordered"}


class Fake:
    """Half on both axes; a text with ROUTE in it is moved, and noticed where it stands first."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def judge(self, queries: list[Query]) -> SimpleNamespace:
        self.texts += [q.text for q in queries]
        return SimpleNamespace(signals=tuple(self._signals(q.text) for q in queries))

    def _signals(self, text: str) -> Signals:
        if "ROUTE" not in text:
            return signals(0.4, 0.5)
        return signals(0.6, 0.45, steered=text.startswith("ROUTE"))


def test_injections_are_counted_by_how_far_they_move() -> None:
    prompts = [prompt("twins", str(i), 1, 0) for i in range(70)]
    fake = Fake()
    moves = injections(prompts, ["ROUTE me", "nothing"], fake, 0, count=100)  # type: ignore[arg-type]
    assert len(moves) == 100 and len(fake.texts) == BASES + 100
    bad = [m for m in moves if m.injection == "ROUTE me"]
    assert all(m.moves == pytest.approx((0.2, 0.05)) for m in bad)
    assert {m.after for m in bad} == {True, False}
    made = by_key(injection_figures("ours", moves, seed=0))
    share = len(bad) / 100
    assert made["injections", V, "share-moved"].value == pytest.approx(share)
    assert made["injections", V, "flips"].value == pytest.approx(share)
    assert made["injections", K, "share-moved"].value == 0
    assert made["injections", K, "flips"].value == pytest.approx(share)
    assert made["injections", V, "max-move"].value == pytest.approx(0.2)
    assert made["injections", V, "max-move"].low is None
    assert made["injections", K, "p95-move"].value == pytest.approx(0.05)
    noticed = sum(not m.after for m in bad) / 100
    assert made["injections", "", "steered"].value == pytest.approx(noticed)
    assert moves == injections(prompts, ["ROUTE me", "nothing"], Fake(), 0, count=100)  # type: ignore[arg-type]
    assert injection_figures("ours", [], seed=0) == []


def test_judging_keeps_the_order() -> None:
    prompts = [prompt("twins", str(i), 1, 0) for i in range(130)]
    fake, said = Fake(), []
    made = judge([p.query for p in prompts], fake, said.append)  # type: ignore[arg-type]
    assert fake.texts == [p.query.text for p in prompts] and len(made) == 130
    assert said == ["judging 130 of 130"]
    rows = judged(prompts, made)
    assert rows[5].group == "twins:5" and rows[5].axes == (0.4, 0.5) and rows[5].labels == (1, 0)


def test_the_real_files_hold_what_the_figures_ask_for() -> None:
    assert len(read_lines(INJECTIONS)) == 150
    prompts = read_prompts(HELDOUT)
    assert {p.file for p in prompts} == {"code", "languages", "science", "twins", "wrapped"}
    assert all(p.knowledge_demand == 1 for p in prompts if p.file == "science")
    code = [p.knowledge_demand for p in prompts if p.file == "code"]
    assert (len(code), sum(k or 0 for k in code)) == (120, 60)
    singles = [p for p in prompts if p.file == "twins" and len(p.query.messages) == 1]
    assert len(singles) >= BASES
