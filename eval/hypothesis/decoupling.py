"""P5: given size, how much do reasoning and knowledge of models share?

Spearman partial correlation: ranks of the two levels and of log10(size), the first two less
their regression on the third, correlated. Noise lowers a correlation and would pass for
decoupling, so it is divided by the root of the product of two split-half reliabilities of those
same residuals (Spearman-Brown; halves are drawn of the items of an axis). Ranks are taken within
a source, where all models answered the same items; the residuals of several sources are pooled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from eval.hypothesis.grid import KNOWLEDGE, VERIFIABLE, Grid
from eval.hypothesis.populations import Population
from eval.hypothesis.registration import Registration
from eval.hypothesis.rules import Estimate, Verdict, decide
from eval.hypothesis.slope_ratio import interval
from eval.hypothesis.slopes import draw_families
from eval.hypothesis.slopes_beside import levels

__all__ = ["NAME", "Levels", "coupling_verdict", "levels_of"]

NAME = "P5_decoupling"
MODELS, FAMILIES, RELIABLE = 12, 5, 0.5
"""The pre-registered guards."""
SPLITS = 10
USUAL = 0.8
"""Share of a source's models that must have an item before it is asked of all."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """One source: (m,) log10 sizes and levels, (2, SPLITS, 2, m) levels of halves."""

    place: str
    models: tuple[str, ...]
    families: tuple[str, ...]
    size: Floats
    level: Floats  # (2, m): verifiable, knowledge
    halves: Floats  # nan where an axis has one item
    questions: int


def levels_of(grid: Grid, seed: int) -> list[Levels]:
    """The sources whose models share items on both axes."""
    found = []
    for place in sorted(set(grid.places)):
        own = _complete(grid.rows(np.array([p == place for p in grid.places])).on_both_axes())
        common = np.asarray(own.held.all(axis=0)) & bool(own.models)
        if not all((common & (own.axis == a)).any() for a in (VERIFIABLE, KNOWLEDGE)):
            continue
        level = np.stack([levels(own, a) for a in (VERIFIABLE, KNOWLEDGE)])
        halves = np.stack([_halves(own, common, a, seed) for a in (VERIFIABLE, KNOWLEDGE)])
        asked = int(own.n[:, common].max(axis=0).sum())
        found.append(Levels(place, own.models, tuple(own.families), np.log10(own.total), level,
                            halves, asked))  # fmt: skip
    return found


def _complete(grid: Grid) -> Grid:
    """Without the models that lack an item which most have: levels need the same items."""
    if not grid.models:
        return grid
    usual = grid.held.mean(axis=0) >= USUAL
    return grid.rows(np.asarray(grid.held[:, usual].all(axis=1))) if usual.any() else grid


def _halves(grid: Grid, common: NDArray[np.bool_], axis: int, seed: int) -> Floats:
    items = np.flatnonzero(common & (grid.axis == axis))
    out = np.full((SPLITS, 2, len(grid.models)), np.nan)
    if len(items) < 2:
        return out
    rng = np.random.default_rng([seed, 5, axis])
    for k in range(SPLITS):
        order = rng.permutation(items)
        for half, part in enumerate((order[::2], order[1::2])):
            chosen = np.zeros(len(grid.items), dtype=bool)
            chosen[part] = True
            out[k, half] = levels(grid, axis, chosen)
    return out


def coupling_verdict(registration: Registration, population: Population, seed: int,
                     resamples: int | None = None) -> Verdict:  # fmt: skip
    """The verdict on one population."""
    sources = levels_of(population.grid, seed)
    models = {m for s in sources for m in s.models}
    families = sorted({f for s in sources for f in s.families})
    draws = resamples or registration.resamples
    prediction = registration.prediction(NAME)
    corrected, raw, reliable = _estimates(sources, families, draws, seed)
    failed = _guards(len(models), len(families), [r.value for r in reliable], sources)
    word, reason = decide(prediction, corrected, failed)
    beside: dict[str, object] = {
        "correlation, not corrected for noise": raw,
        "reliability, verifiable": reliable[0],
        "reliability, knowledge": reliable[1],
    }
    if len(sources) > 1:
        for one in sources:
            own = _estimates([one], sorted(set(one.families)), draws, seed)[0]
            beside[f"correlation, {one.place} alone ({len(one.models)} models)"] = own
    return Verdict(
        prediction=NAME,
        population=population.name,
        kind=registration.kind(population.name),
        word=word,
        reason=reason,
        estimate=corrected,
        models=len(models),
        families=len(families),
        questions=sum(s.questions for s in sources),
        beside=beside,
        notes=population.notes,
    )


def _guards(models: int, families: int, reliable: list[float], sources: list[Levels]) -> list[str]:
    if not sources:
        return ["no source has models with items in common on both axes"]
    failed = []
    if models < MODELS:
        failed.append(f"{models} models, {MODELS} are needed")
    if families < FAMILIES:
        failed.append(f"{families} families, {FAMILIES} are needed")
    for name, value in zip(("verifiable", "knowledge"), reliable, strict=True):
        if np.isnan(value):
            failed.append(
                f"no split-half reliability of the {name} level (one item, or all scores equal)"
            )
        elif value < RELIABLE:
            failed.append(f"reliability of the {name} level is {value:.2f}, {RELIABLE} is needed")
    return failed


def _estimates(
    sources: list[Levels], families: list[str], resamples: int, seed: int
) -> tuple[Estimate, Estimate, list[Estimate]]:
    """Corrected and raw correlation, and both reliabilities."""
    nothing = Estimate(np.nan, np.nan, np.nan)
    if not sources:
        return nothing, nothing, [nothing, nothing]
    of = [np.array([families.index(f) for f in s.families]) for s in sources]
    at = _statistics(sources, [np.arange(len(s.models)) for s in sources])
    times = draw_families(len(families), resamples, np.random.default_rng([seed, 6]))
    drawn = np.array([
        _statistics(sources, [np.repeat(np.arange(len(f)), row[f].astype(int)) for f in of])
        for row in times
    ]).reshape(len(times), 4)  # fmt: skip
    made = [interval(drawn[:, k], float(at[k])) for k in range(4)]
    return made[0], made[1], made[2:]


def _statistics(sources: list[Levels], index: list[NDArray[np.int64]]) -> Floats:
    """(4,) corrected, raw, two reliabilities; nan where undefined."""
    parts = [(s, i) for s, i in zip(sources, index, strict=True) if len(np.unique(i)) > 3]
    if not parts:
        return np.full(4, np.nan)
    main = np.concatenate([_residuals(s.level[:, i], s.size[i]) for s, i in parts], axis=1)
    raw = _correlate(main[0], main[1])
    reliable = []
    for axis in (0, 1):
        halves = [
            _residuals(s.halves[axis][:, :, i].reshape(2 * SPLITS, -1), s.size[i])
            for s, i in parts
        ]  # fmt: skip
        both = np.concatenate(halves, axis=1).reshape(SPLITS, 2, -1)
        r = float(np.mean([_correlate(*pair) for pair in both]))
        reliable.append(2 * r / (1 + r) if r > -1 else np.nan)
    product = reliable[0] * reliable[1]
    fine = not np.isnan(raw) and min(reliable) > 0
    corrected = float(np.clip(raw / np.sqrt(product), -1, 1)) if fine else np.nan
    return np.array([corrected, raw, *reliable])


def _residuals(values: Floats, size: Floats) -> Floats:
    """(k, m) ranks less their regression on the ranks of size, scaled to 0..1."""
    ranks: Floats = rankdata(values, axis=1) / values.shape[1]
    ranks[np.isnan(values).any(axis=1)] = np.nan
    ranks -= ranks.mean(axis=1, keepdims=True)
    x = rankdata(size) / len(size)
    x = x - x.mean()
    spread = float(x @ x)
    if spread < 1e-12:
        return ranks
    return np.asarray(ranks - (ranks @ x / spread)[:, None] * x, dtype=np.float64)


def _correlate(a: Floats, b: Floats) -> float:
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 1e-9 else float("nan")
