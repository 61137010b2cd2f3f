"""P4 on one table: its pairs of arms, and what the signals head's estimate would say beside."""

import numpy as np

from eval.features import features_of
from eval.hypothesis.registration import Registration
from eval.hypothesis.routing_value import (
    NAME,
    PairData,
    Routed,
    judge_routing,
    pair_data,
    route,
)
from eval.hypothesis.rules import Estimate, Verdict
from eval.sources.source import source
from policies.outcome import OutcomeSet

__all__ = ["routing_verdict"]


def routing_verdict(
    registration: Registration,
    name: str,
    outcomes: OutcomeSet,
    seed: int,
    resamples: int | None = None,
    signals: int = 0,
) -> tuple[Verdict, list[Routed]]:
    """The verdict on the table `outcomes` that is called `name`, and its pairs.

    signals: of so many queries the signals head's estimate is read, for the number beside.
    """
    draws = resamples or registration.resamples
    routed: list[Routed] = []
    notes: list[str] = []
    causes: list[str] = []
    for small, large in source(name).pairs:
        why = _same_size(outcomes, small, large)
        pair = why or pair_data(outcomes, small, large)
        found = pair if isinstance(pair, str) else route(pair, draws, seed)
        if isinstance(found, str):
            causes.append(found)
            notes.append(f"{small} and {large} left out: {found}")
        else:
            routed.append(found)
            notes += [f"{small} and {large}: without {n}" for n in found.pair.notes]
    word, reason, gain, sign = judge_routing(
        registration.prediction(NAME), routed, seed, "; ".join(dict.fromkeys(causes))
    )
    beside: dict[str, object] = {"coefficient of verifiability": sign}
    for one in routed:
        label = f"{one.pair.small} and {one.pair.large}"
        beside[f"gain, {label} (AUROC without: {one.base:.3f})"] = one.gain
    if routed and signals:
        beside |= _signals(routed[0].pair, draws, seed, signals)
    elif routed:
        notes.append("the signals head's estimate was not asked for (--signals 1000)")
    families = {r.pair.family for r in routed}
    if len(families) == 1:
        notes.append("pairs of one family: the interval is over queries and speaks of it alone")
        reason += "; pairs of one family, of which alone it speaks" if word != "undecided" else ""
    verdict = Verdict(
        NAME,
        name,
        registration.kind(name),
        word,
        reason,
        gain,
        models=len({m for r in routed for m in (r.pair.small, r.pair.large)}),
        families=len(families),
        questions=len({q for r in routed for q in r.pair.query_ids}),
        beside=beside,
        notes=tuple(notes),
    )
    return verdict, routed


def _same_size(data: OutcomeSet, small: str, large: str) -> str | None:
    sizes = {
        arm: size
        for arm, size in data.outcomes.select("arm", "params_b").unique().iter_rows()
        if arm in (small, large)
    }
    if sizes.get(small) is not None and sizes.get(small) == sizes.get(large):
        return "two ways of asking one size"
    return None


def _signals(pair: PairData, draws: int, seed: int, sample: int) -> dict[str, Estimate]:
    """The gain where the signals head's P(verifiable) stands in for the label; on a sample."""
    rng = np.random.default_rng([seed, 12])
    rows = np.sort(rng.permutation(len(pair.texts))[:sample])
    features = features_of([pair.texts[i] for i in rows])
    axes = features.blocks["axes"]
    part = PairData(
        pair.small,
        pair.large,
        np.unique(pair.clusters[rows], return_inverse=True)[1].astype(np.int64),
        tuple(pair.query_ids[i] for i in rows),
        tuple(pair.texts[i] for i in rows),
        pair.matches[rows],
        pair.others[rows],
        pair.both[rows],
        pair.length[rows],
        pair.verifiable[rows],
    )
    found = route(part, draws, seed, verifiable=axes[:, 0].astype(np.float64))
    if isinstance(found, str):
        return {}
    name = (
        f"gain with the signals head's estimate, {pair.small} and {pair.large}, sample of "
        f"{len(rows):,} (the head was fitted on some of these texts)"
    )
    return {name: found.gain}
