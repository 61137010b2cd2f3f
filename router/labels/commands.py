"""`ockham labels`: what is known of answers afterwards, and whether the promise holds.

SQLAlchemy is imported when a command runs.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.commands import ConfigOption, JsonOption
from router.config import load_settings
from router.ledger.opening import open_ledger

if TYPE_CHECKING:
    from router.ledger.labels import Label

__all__ = ["app"]

app = typer.Typer(help="Labels of answers: audits, shadow runs, feedback; and the monitored bound.")


@app.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The promise of the configured policy against its audits; exit 1 where it is broken."""
    from router.labels.bound import bound_of
    from router.labels.labels import feedback_of, gate_of, policy_id
    from router.ledger.labels import list_labels

    settings = load_settings(config)
    policy = settings.make_policy()
    with open_ledger(config) as ledger:
        audits = ledger.read(lambda c: list_labels(c, source="audit"))
        shadows = ledger.read(lambda c: list_labels(c, source="shadow"))
        feedback = asyncio.run(feedback_of(ledger))
    bound = bound_of(audits, settings.audits, gate_of(policy), policy_id(policy))
    if as_json:
        told = {"bound": bound.told(), "audits": _sums(audits), "shadow": _sums(shadows)}
        typer.echo(json.dumps({**told, "feedback": feedback}))
    else:
        typer.echo(bound.said)
        for name, found in (("audits", audits), ("shadow runs", shadows)):
            sums = _sums(found)
            states = ", ".join(f"{n} {state}" for state, n in sums["states"].items()) or "none"
            typer.echo(f"{name}: {states}; USD {sums['usd']:.6f}")
        typer.echo(f"feedback: {feedback['labels']} ({feedback['note']})")
        if settings.audits.share <= 0:
            typer.echo("audits are off: set audits.share")
    if bound.state == "broken":
        raise typer.Exit(1)


@app.command("list")
def list_(
    source: Annotated[str | None, typer.Option(help="audit, shadow or feedback.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant's requests.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The latest so many.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The latest labels: request, arm, source, score, sampling probability, cost."""
    from router.ledger.labels import list_labels
    from router.ledger.tenants import read_tenant

    with open_ledger(config) as ledger:
        if tenant is not None:
            ledger.read(lambda c: read_tenant(c, tenant))
        found = ledger.read(lambda c: list_labels(c, source=source, tenant=tenant, limit=limit))
    for one in found:
        if as_json:
            typer.echo(json.dumps(one.told()))
            continue
        score = "  -" if one.score is None else f"{one.score:.2f}"
        state = one.meta.get("why") or one.meta.get("state") or ""
        typer.echo(
            f"{one.created[:19]}  {one.source:<8} {one.arm:<12} {score:<5} "
            f"p {one.probability:.4f}  USD {one.cost_usd:.6f}  {one.request}  {state}"
        )
    if not found and not as_json:
        typer.echo("no labels")


def _sums(labels: "Sequence[Label]") -> dict[str, Any]:
    """How many of each state, and what they cost."""
    states = Counter(str(one.meta.get("state", "given")) for one in labels)
    return {"states": dict(states), "usd": sum(one.cost_usd for one in labels)}
