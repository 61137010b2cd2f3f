"""`ockham replay --off-policy`: read the log, judge the policies, print or write the records.

Beside the policies that are named stand `logged` (what the log itself did, on policy) and, where
they are supported, all-small and all-large.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table as Grid

from eval.offpolicy.decisions import sidecar
from eval.offpolicy.log import Labels, Log, log_of
from eval.offpolicy.value import Plan, judge
from eval.replay import Record
from policies import AlwaysLarge, AlwaysSmall
from policies.policy import Policy
from router.config import make_policy
from router.errors import ConfigError, InputError
from router.outcomes import read_outcomes

__all__ = ["Asked", "run", "show", "stamp_of", "warnings_of"]

ALONE = ("no-support", "ess", "ess-labels", "clipped")
COLUMNS = ("accuracy", "accuracy-low", "accuracy-high", "usd-per-1000", "utility")


@dataclass(frozen=True)
class Asked:
    """What the command line asked for."""

    source: str
    policies: tuple[str, ...]
    plan: Plan
    labels: Labels = "randomised"
    served: str | None = None
    reference: str | None = None


def run(asked: Asked) -> tuple[Log, list[Record], dict[str, Any]]:
    """The log, every record, and what the set says of itself.

    Raises:
        InputError: no such policy, or a log that cannot be judged by.
    """
    data = read_outcomes(asked.source)
    found = sidecar(asked.source, "labels.parquet")
    log = log_of(
        data,
        asked.labels,
        reference=asked.reference or _reference(found),
        served=asked.served,
        decisions=sidecar(asked.source, "decisions.parquet"),
    )
    named = [(name, _made(name)) for name in asked.policies]
    baselines = [("all-small", AlwaysSmall()), ("all-large", AlwaysLarge())]
    made = list(judge(log, [*named, *baselines], asked.plan, _protocol(asked)))
    return log, [*_logged(log, asked), *made], dict(data.about)


def warnings_of(log: Log, labels: Labels) -> list[str]:
    """What a reader must know before any number."""
    out = []
    if log.certain >= 1.0:
        out.append(
            "the log is deterministic: every first choice was made with probability 1, so nothing "
            "but the logged choices can be judged; serve through `explore` to learn of others"
        )
    if labels == "feedback":
        out.append(
            f"--label-source feedback: {log.feedback:,} requests; who gives feedback chose to, so "
            "these are no estimates for all traffic"
        )
    elif log.feedback:
        out.append(
            f"{log.feedback:,} requests have nothing but feedback, which is self-selected: it is "
            "in no estimate (--label-source feedback)"
        )
    if log.unusable:
        out.append(f"{log.unusable:,} labels have no sampling probability, and are left out")
    if not log.labelled.any():
        out.append("no labels: accuracy is not identified, only costs are (see `audits.share`)")
    if log.undecided.any():
        out.append(
            f"{int(log.undecided.sum()):,} audits could not tell whether the answers agree: "
            "accuracy-low counts them as wrong, accuracy-high as right"
        )
    if log.unserved:
        out.append(f"{log.unserved:,} requests that no arm was run for are left out")
    if np.isnan(log.decided.stop).any():
        out.append("the chance to stop was not logged everywhere: taken as certain there")
    return out


def show(records: Sequence[Record], log: Log, warnings: Sequence[str]) -> None:
    """One table, its columns an estimate each, and every note once."""
    console = Console(width=None if Console().is_terminal else 150)
    console.print(
        f"{len(log):,} requests of {', '.join(log.policies)}, {int(log.labelled.sum()):,} labelled;"
        f" {1 - log.certain:.1%} of first choices had a chance below 1",
        highlight=False,
    )
    for said in warnings:
        console.print(f"  note: {said}", highlight=False)
    kinds = [k for k in COLUMNS if any(r.metric.startswith(f"{k}-") for r in records)]
    grid = Grid("policy", "estimate", *kinds, "no support", "ESS", "ESS of labels")
    for policy in dict.fromkeys(r.policy for r in records):
        own = {r.metric: r for r in records if r.policy == policy}
        for i, method in enumerate(("ips", "snips", "dr")):
            cells = [_told(own.get(f"{kind}-{method}")) for kind in kinds]
            facts = [_fact(own.get(name)) for name in ALONE[:3]] if i == 0 else ["", "", ""]
            if any(cell != "-" for cell in cells) or i == 0:
                grid.add_row(policy if i == 0 else "", method, *cells, *facts)
    console.print(grid)
    for r in records:
        if r.metric in ("not-replayable", "clipped"):
            console.print(f"  {r.policy}: {r.note}", highlight=False)
    for policy in dict.fromkeys(r.policy for r in records):
        why = next(
            (r.note for r in records if r.policy == policy and r.note.startswith("not ident")), ""
        )
        if why:
            console.print(f"  {policy}: {why}", highlight=False)
    console.print(
        "[..]: 95 %, bootstrap over whole queries. ips: inverse propensity; snips: self-normalised;"
        "\ndr: doubly robust, cross-fitted. Labels weigh 1 / their sampling probability.",
        markup=False,
    )


def stamp_of(
    asked: Asked, about: dict[str, Any], log: Log, command: Sequence[str]
) -> dict[str, Any]:
    """What a stranger needs to make the same numbers again."""
    from dataclasses import asdict
    from importlib.metadata import version

    return {
        "command": "ockham " + " ".join(command),
        "source": about.get("name"),
        "plan": {**asdict(asked.plan), "labels": asked.labels},
        "tables": [],
        "requests": len(log),
        "labelled": int(log.labelled.sum()),
        "warnings": warnings_of(log, asked.labels),
        "versions": {name: version(name) for name in ("ockham-router", "numpy", "scikit-learn")},
    }


def _logged(log: Log, asked: Asked) -> list[Record]:
    """What the log itself did: weights of one."""
    return list(judge(log, [("logged", None)], asked.plan, "on policy"))


def _reference(labels: pl.DataFrame | None) -> str | None:
    """The arm that the latest audit compared with."""
    if labels is None:
        return None
    audits = labels.filter(pl.col("source") == "audit").sort("created")
    for meta in reversed(audits["meta"].to_list()):
        named = json.loads(meta).get("reference")
        if named is not None:
            return str(named)
    return None


def _made(name: str) -> Policy:
    aliases = {"all-small": "always-small", "all-large": "always-large"}
    try:
        return make_policy(aliases.get(name, name))
    except ConfigError as error:
        raise InputError(f"--policies {name}: {error}") from None


def _protocol(asked: Asked) -> str:
    return f"off-policy, {asked.plan.steps}, {asked.labels} labels"


def _told(record: Record | None) -> str:
    if record is None or record.value is None:
        return "-"
    if record.low is None or record.high is None:
        return f"{record.value:.3f}"
    return f"{record.value:.3f} [{record.low:.3f}, {record.high:.3f}]"


def _fact(record: Record | None) -> str:
    if record is None or record.value is None:
        return "-"
    return f"{record.value:.1%}" if record.metric == "no-support" else f"{record.value:,.0f}"
