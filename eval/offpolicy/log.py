"""Logged traffic as arrays: what was asked, with what chances, what was done, what is known of it.

Read from an outcome set of routed traffic (`ockham ledger export`): one row an attempt, a request
is one query and sample of one policy. What a request's label is:

    an answer of the reference arm   right by definition, where labels are audits against that arm
    no answer at all                 wrong, as everywhere (`policies.outcome.TREATMENT`)
    audit, gold                      the score, with the probability that it was looked at
    an audit that could not decide   undecided: no score, and counted both ways
    feedback                         self-selected: who complains is not drawn by lot; only with
                                     labels `feedback`, as if all requests were alike

Nothing is imputed: what the set lacks is NaN here, and `eval.offpolicy.value` says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from eval.features import Features, features_of, row_keys
from eval.offpolicy.attempts import attempts_of
from eval.offpolicy.decisions import Decided
from policies import OnlyArm
from policies.case import Arm, AttemptBlock
from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["Labels", "Log", "log_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Labels = Literal["randomised", "feedback"]
RANDOMISED = frozenset({"audit", "gold", "verifier", "judge"})
"""A shadow run labels another arm than the one that answered."""
NO_ARM = "none"
"""Of a request that no arm was run for."""
_REQUEST = ["benchmark", "query_id", "sample", "policy"]


@dataclass(frozen=True)
class Log:
    """n requests, A arms, at most K attempts each."""

    name: str
    policies: tuple[str, ...]
    """That served."""
    arms: tuple[Arm, ...]
    cluster: Ints
    """(n,) equal for equal queries."""
    row_key: NDArray[np.uint64]
    features: Features | None
    tried: Ints
    """(n, K) columns, -1 for padding."""
    decided: Decided
    """Every decision: the logged probabilities, what could be run, predicted costs."""
    returned: Ints
    """(n,) place of the attempt that the caller got, -1 where there was none."""
    attempts: AttemptBlock
    cost: Floats
    """(n,) USD of all attempts."""
    score: Floats
    """(n,) NaN where there is none."""
    label_probability: Floats
    """(n,) with which the request was labelled; 0 where it has no label."""
    undecided: Bools
    """(n,) labelled, and the comparison could not tell."""
    feedback: int
    """Requests that have nothing but feedback."""
    unusable: int
    """Labels without a probability, which are left out."""
    unserved: int = 0
    """Requests that no arm was run for (refused, out of budget): left out."""

    def __len__(self) -> int:
        return len(self.cost)

    @property
    def labelled(self) -> Bools:
        """(n,) a label stands here."""
        return np.asarray(self.label_probability > 0)

    @property
    def certain(self) -> float:
        """Share of first choices that were made with probability 1: nothing is learnt from those
        of what another arm would have done."""
        first = self.tried[:, 0]
        own = self.decided.chance[np.arange(len(self)), 0, np.clip(first, 0, None)]
        return float(np.mean(own[first >= 0] >= 1)) if (first >= 0).any() else 1.0


def log_of(
    data: OutcomeSet,
    labels: Labels = "randomised",
    reference: str | None = None,
    served: str | None = None,
    decisions: pl.DataFrame | None = None,
) -> Log:
    """The log of a set's routed traffic.

    Args:
        labels: which count; feedback only where it is asked for.
        reference: arm that audits compare with; None: no answer is right by definition.
        served: only the traffic of this policy.
        decisions: what stands beside an exported set (`eval.offpolicy.decisions`).

    Raises:
        InputError: no routed traffic, or rows without logged probabilities.
    """
    rows = data.outcomes.filter(pl.col("policy").is_not_null() & (pl.col("policy") != OnlyArm.name))
    unserved = int((rows["arm"] == NO_ARM).sum())
    rows = rows.filter(pl.col("arm") != NO_ARM)
    if served is not None:
        rows = rows.filter(pl.col("policy") == served)
    if not len(rows):
        what = f"no traffic of {served!r}" if served else "only bare arms: no row names a policy"
        raise InputError(f"--off-policy: {what}; export traffic with `ockham ledger export`")
    if decisions is None and rows["arm_probability"].is_null().any():
        raise InputError(
            f"--off-policy: {rows['arm_probability'].null_count():,} rows have no logged "
            "probabilities of their arms, and without them no other policy can be judged"
        )
    arms = _arms(data, rows)
    place = {arm.name: i for i, arm in enumerate(arms)}
    requests = (
        rows.sort("attempt")
        .group_by(_REQUEST, maintain_order=True)
        .agg(pl.all().exclude(_REQUEST))
        .sort(_REQUEST)
    )
    if rows["cost_usd"].is_null().any():
        raise InputError(
            f"--off-policy: {rows['cost_usd'].null_count():,} attempts have no cost, and what a "
            "policy costs is not known without them"
        )
    ran = requests["arm"].to_list()
    tried = _padded([[place[a] for a in one] for one in ran], -1)
    if decisions is None:
        decided = Decided.plain(requests["arm_probability"].to_list(), place, tried.shape[1])
    else:
        decided = Decided.read(decisions, requests["query_id"].to_list(), ran, place)
    texts, hashes = _texts(data, requests)
    made: dict[str, Any] = _labels(requests, arms, labels, reference)
    return Log(
        name=str(data.about.get("name", rows["source"][0])),
        policies=tuple(rows["policy"].unique(maintain_order=True)),
        arms=arms,
        cluster=_clusters(requests),
        row_key=_keys(texts, hashes, requests),
        features=_features(data, requests, texts),
        tried=tried.astype(np.int64),
        decided=decided,
        returned=np.array([_where(one) for one in requests["returned"].to_list()], dtype=np.int64),
        attempts=attempts_of(requests, tried.astype(np.int64)),
        cost=np.array([_total(one) for one in requests["cost_usd"].to_list()], dtype=np.float64),
        unserved=unserved,
        **made,
    )


def _arms(data: OutcomeSet, rows: pl.DataFrame) -> tuple[Arm, ...]:
    """Those that the set describes, else those that its rows name."""
    told: Mapping[str, Any] = data.about.get("arms") or {}
    if told:
        return tuple(
            Arm(name, a["tier"], a.get("context", "none"), a.get("method", "single"))
            for name, a in told.items()
        )
    listed = rows["arm_probability"].explode().struct.field("arm")
    names = list(dict.fromkeys([*listed.to_list(), *rows["arm"].to_list()]))
    large = {str(pair[1]) for pair in data.about.get("pairs", ())}
    return tuple(
        Arm(
            name,
            "large" if name in large or name.partition("+")[0] == "large" else "small",
            "index" if name.endswith("+index") else "none",
        )
        for name in names
    )


def _labels(
    requests: pl.DataFrame, arms: Sequence[Arm], labels: Labels, reference: str | None
) -> dict[str, Any]:
    n = len(requests)
    score, probability = np.full(n, np.nan), np.zeros(n)
    undecided = np.zeros(n, dtype=bool)
    feedback = unusable = 0
    columns = ("returned", "arm", "score", "label_source", "label_probability")
    audited = requests["label_source"].explode().eq("audit").any()
    for i, one in enumerate(requests.select(columns).iter_rows(named=True)):
        k = _where(one["returned"])
        if k < 0:
            score[i], probability[i] = 0.0, 1.0
            continue
        source, chance = one["label_source"][k], one["label_probability"][k]
        if audited and reference is not None and one["arm"][k] == reference:
            score[i], probability[i] = 1.0, 1.0
        elif source == "feedback":
            feedback += 1
            if labels == "feedback" and one["score"][k] is not None:
                score[i], probability[i] = one["score"][k], 1.0
        elif labels == "feedback" or source not in RANDOMISED:
            continue
        elif chance is None and source != "gold":
            unusable += 1
        else:
            score[i] = np.nan if one["score"][k] is None else one["score"][k]
            probability[i] = 1.0 if chance is None else chance
            undecided[i] = one["score"][k] is None
    if labels == "feedback" and feedback:
        # As if every request had been as likely to be told of: the caller is warned of that.
        told = ~np.isnan(score)
        probability[told] = told.mean()
    return {
        "score": score,
        "label_probability": probability,
        "undecided": undecided,
        "feedback": feedback,
        "unusable": unusable,
    }


def _texts(data: OutcomeSet, requests: pl.DataFrame) -> tuple[list[str | None], list[str | None]]:
    known = {
        (b, q): (text, mark)
        for b, q, text, mark in data.queries.select(
            "benchmark", "query_id", "query", "query_hash"
        ).iter_rows()
    }
    got = [known[key] for key in requests.select("benchmark", "query_id").iter_rows()]
    return [text for text, _ in got], [mark for _, mark in got]


def _keys(
    texts: Sequence[str | None], hashes: Sequence[str | None], requests: pl.DataFrame
) -> NDArray[np.uint64]:
    """(n,) the live router's: its key is the head of the text's hash, which the set keeps."""
    ids = [f"{b}/{q}" for b, q in requests.select("benchmark", "query_id").iter_rows()]
    keys = row_keys(texts, ids)
    for i, (text, mark) in enumerate(zip(texts, hashes, strict=True)):
        if text is None and mark is not None:
            keys[i] = np.frombuffer(bytes.fromhex(mark[:16]), dtype=np.uint64)[0]
    return keys


def _clusters(requests: pl.DataFrame) -> Ints:
    first = requests["cluster_id"].list.first()
    return np.unique(first.to_numpy(), return_inverse=True)[1].astype(np.int64)


def _features(
    data: OutcomeSet, requests: pl.DataFrame, texts: Sequence[str | None]
) -> Features | None:
    """The logged blocks; without them, those of the texts; None where neither is there."""
    layouts: Mapping[str, Mapping[str, Sequence[int]]] = data.about.get("features") or {}
    flat = requests["features"].list.first()
    marks = requests["fingerprint"].list.first()
    common = marks.drop_nulls().mode().sort().to_list()
    if common and common[0] in layouts and flat.null_count() < len(flat):
        return _unpacked(flat.to_list(), marks.to_list(), common[0], layouts[common[0]])
    if any(text is not None for text in texts):
        return features_of(texts)
    return None


def _unpacked(
    flat: Sequence[Sequence[float] | None],
    marks: Sequence[str | None],
    mark: str,
    layout: Mapping[str, Sequence[int]],
) -> Features:
    """The blocks of the rows that one featuriser made; the others are not known."""
    known = np.array([f is not None and m == mark for f, m in zip(flat, marks, strict=True)])
    width = max(stop for _, stop in layout.values())
    wide = np.full((len(flat), width), np.nan, dtype=np.float32)
    for i in np.flatnonzero(known).tolist():
        row = flat[i] or ()
        wide[i, : len(row)] = row[:width]
    blocks: dict[str, Any] = {name: wide[:, a:b] for name, (a, b) in layout.items()}
    if "terms" in blocks:
        blocks["terms"] = np.nan_to_num(blocks["terms"], nan=-1).astype(np.int32)
    return Features(blocks, known, mark)


def _padded(rows: Sequence[Sequence[int]], fill: int) -> NDArray[Any]:
    most = max(map(len, rows))
    return np.array([[*row, *[fill] * (most - len(row))] for row in rows])


def _where(returned: Sequence[bool]) -> int:
    return next((k for k, yes in enumerate(returned) if yes), -1)


def _total(costs: Sequence[float | None]) -> float:
    return float("nan") if None in costs else float(sum(c for c in costs if c is not None))
