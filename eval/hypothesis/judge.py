"""Every verdict in one go: all populations of the pre-registration, in its order.

What is read, fitted and simulated here is all that the page shows; writing it is `report.py`.
Populations marked unseen are opened by this module and nowhere else in the project.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from eval.hypothesis.decoupling import NAME as COUPLING
from eval.hypothesis.decoupling import Levels, coupling_verdict, levels_of
from eval.hypothesis.effective import (
    Contrast,
    Effective,
    contrasts,
    effective_sizes,
    slopes_in_points,
)
from eval.hypothesis.gold_context import gold_verdicts
from eval.hypothesis.live_set import drawn_seed, live_memorisation
from eval.hypothesis.populations import (
    Absent,
    Population,
    checksum_of,
    load_population,
    table,
    with_redux,
)
from eval.hypothesis.published import published
from eval.hypothesis.registration import Registration
from eval.hypothesis.routing_table import routing_verdict
from eval.hypothesis.routing_value import NAME as ROUTING
from eval.hypothesis.routing_value import Routed
from eval.hypothesis.rules import Verdict, undecided
from eval.hypothesis.slope_ratio import FAMILIES, NAME, slope_verdict
from eval.hypothesis.slopes import design
from eval.hypothesis.slopes_beside import (
    Frontier,
    Pair,
    frontier,
    pairs,
    points_a_decade,
    quick_ratio,
)
from eval.hypothesis.worlds import Report, needed, simulate
from policies.outcome import Status, counted_score

__all__ = ["Findings", "Plan", "judge"]

GRIDS = (
    "mmlupro",
    "published_table",
    "qwen3_think",
    "outcomes_aggregates",
    "zeroeval",
    "code_evalplus",
)
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line."""

    data: Path | None
    """None: only tables that were imported."""
    seed: int
    coverage: Path | None = None
    live: Path | None = None
    small: str = "small"
    large: str | None = None
    worlds: int = 200
    resamples: int | None = None
    """None: as the pre-registration says."""
    signals: int = 0
    """Queries of each table whose signals are read, for a number beside P4; some 0.1 s each."""
    skip: frozenset[str] = frozenset()
    """Populations that are not opened; for tests, so that unseen ones stay so."""


@dataclass
class Findings:
    """All that was found."""

    registration: Registration
    verdicts: list[Verdict] = field(default_factory=list)
    populations: dict[str, Population] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    """Of every table that was read."""
    pairs: dict[str, list[Pair]] = field(default_factory=dict)
    frontiers: dict[str, list[Frontier]] = field(default_factory=dict)
    naive: dict[str, Mapping[str, float]] = field(default_factory=dict)
    levels: dict[str, list[Levels]] = field(default_factory=dict)
    routed: dict[str, list[Routed]] = field(default_factory=dict)
    worlds: dict[str, Report] = field(default_factory=dict)
    needed: dict[str, dict[int, dict[str, float]]] = field(default_factory=dict)
    effective: Sequence[Effective] = ()
    contrasts: Sequence[Contrast] = ()
    points: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    verifier: Sequence[str] = ()
    """What `gsm8k_gpt3` shows, printed beside P1."""
    claims: Sequence[Mapping[str, Any]] = ()
    missing: Mapping[str, Any] = field(default_factory=dict)


def judge(
    plan: Plan, registration: Registration, say: Callable[[str], None] = lambda _: None
) -> Findings:
    """All verdicts. `say` is told what is being worked on.

    Raises:
        SetupError: there is no data.
        InputError: a table, or a result file, is damaged.
    """
    found = Findings(registration)
    for name in GRIDS:
        if name not in plan.skip:
            say(name)
            _on_grid(found, name, plan)
    drawn = None if plan.live is None else drawn_seed(plan.live)
    found.verdicts += gold_verdicts(registration, plan.coverage, drawn)
    found.verdicts.append(
        live_memorisation(registration, plan.live, plan.small, plan.large, plan.seed)
    )
    for name in ("mmlupro", "routellm", "qwen3_think", "llmrouter"):
        if name not in plan.skip:
            say(f"{name}: routing value")
            _on_pairs(found, name, plan)
    found.verdicts.append(_no_live_routing(registration))
    say("effective sizes")
    reported = published()
    found.effective, found.contrasts = effective_sizes(reported), contrasts(reported)
    found.points = slopes_in_points(reported)
    if "gsm8k_gpt3" not in plan.skip:
        _verifier(found, plan.data)
    found.claims = yaml.safe_load((_HERE / "claims.yaml").read_text(encoding="utf-8"))
    found.missing = yaml.safe_load((_HERE / "missing.yaml").read_text(encoding="utf-8"))
    order = list(registration.data["predictions"])
    found.verdicts.sort(key=lambda v: (order.index(v.prediction), v.kind == "exploratory"))
    return found


def _on_grid(found: Findings, name: str, plan: Plan) -> None:
    registration = found.registration
    asked = registration.data["populations"][name]["for"]
    try:
        population = load_population(name, plan.data)
    except Absent as error:
        found.verdicts += [_absent(registration, p, name, error) for p in (NAME, COUPLING)
                           if p in asked]  # fmt: skip
        return
    found.populations[name], found.checksums[name] = population, population.checksum
    grid = population.grid.on_both_axes()
    found.naive[name] = points_a_decade(population.grid)
    if NAME in asked:
        verdict = slope_verdict(registration, population, plan.seed, plan.resamples)
        if len(grid.two_sizes()) >= FAMILIES:
            prediction = registration.prediction(NAME)
            report = simulate(grid, prediction, plan.seed, plan.worlds)
            if report is not None:
                found.worlds[name] = report
                few = 0 if plan.worlds < 100 else 4
                found.needed[name] = needed(grid, prediction, plan.seed, few)
                verdict = _with_power(verdict, report)
        if name == "zeroeval":
            verdict = _with_redux(verdict, plan)
        found.verdicts.append(verdict)
        found.pairs[name] = pairs(grid)
        found.frontiers[name] = frontier(grid, plan.seed)
    if COUPLING in asked:
        found.verdicts.append(coupling_verdict(registration, population, plan.seed, plan.resamples))
        found.levels[name] = levels_of(population.grid, plan.seed)


def _on_pairs(found: Findings, name: str, plan: Plan) -> None:
    registration = found.registration
    try:
        outcomes = table(name, plan.data)
    except Absent as error:
        found.verdicts.append(_absent(registration, ROUTING, name, error))
        return
    found.checksums[name] = checksum_of(name, outcomes)
    verdict, found.routed[name] = routing_verdict(
        registration, name, outcomes, plan.seed, plan.resamples, plan.signals
    )
    found.verdicts.append(verdict)


def _absent(registration: Registration, prediction: str, name: str, error: Absent) -> Verdict:
    return undecided(prediction, name, registration.kind(name), str(error))


def _with_power(verdict: Verdict, report: Report) -> Verdict:
    return replace(verdict, power=report.plain())


def _with_redux(verdict: Verdict, plan: Plan) -> Verdict:
    """ZeroEval has no knowledge side of its own; what MMLU-Redux would say is printed beside."""
    if "outcomes_aggregates" in plan.skip:
        return verdict
    try:
        grid = with_redux(plan.data)
    except Absent:
        return verdict
    ratio = quick_ratio(design(grid), plan.resamples or 2000, plan.seed)
    name = (
        f"ratio with MMLU-Redux as knowledge ({grid.distinct} models, {len(grid.two_sizes())} "
        "families with two sizes; a mixed label, enters no verdict)"
    )
    return replace(verdict, beside={**verdict.beside, name: ratio})


def _no_live_routing(registration: Registration) -> Verdict:
    return undecided(
        ROUTING,
        "live_fresh_seed",
        registration.kind("live_fresh_seed"),
        "no live run of a small and a large model on fresh queries: no large model is reachable",
    )


def _verifier(found: Findings, data: Path | None) -> None:
    """GPT-3 6B and 175B on GSM8K, without and with a trained verifier: points a decade."""
    name = "gsm8k_gpt3"
    try:
        outcomes = table(name, data)
    except Absent:
        return
    found.checksums[name] = checksum_of(name, outcomes)
    rows = outcomes.outcomes.filter(pl.col("status") != Status.MISSING)
    means = dict(rows.group_by("arm").agg(counted_score().mean()).iter_rows())
    decades = float(np.log10(175 / 6))
    said = []
    for way in ("finetuning", "verification"):
        low, high = means.get(f"gpt3_6b_{way}"), means.get(f"gpt3_175b_{way}")
        if low is not None and high is not None:
            said.append(
                f"{way}: {100 * low:.1f} % at 6B, {100 * high:.1f} % at 175B, "
                f"{100 * (high - low) / decades:.1f} points a decade"
            )
    found.verifier = said
