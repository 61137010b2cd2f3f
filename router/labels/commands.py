"""`ockham labels`: what is known of answers afterwards, and whether the promise holds.

Only typer is imported before a command runs.
"""

from typing import Annotated, Any

import typer

__all__ = ["app"]

app = typer.Typer(help="Labels of answers: audits, shadow runs, feedback; and the monitored bound.")

Config = Annotated[str | None, typer.Option(help="A YAML file; else OCKHAM_CONFIG, ./ockham.yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """The promise of the configured policy against its audits; exit 1 where it is broken."""
    import asyncio
    import json

    from router.config import load_settings
    from router.labels.bound import bound_of
    from router.labels.labels import feedback_of, gate_of, policy_id
    from router.ledger.ledger import Ledger

    settings = load_settings(config)
    policy = settings.make_policy()
    with Ledger.open(settings) as ledger:

        async def read() -> tuple[Any, Any, Any]:
            return (
                await ledger.labels(source="audit"),
                await ledger.labels(source="shadow"),
                await feedback_of(ledger),
            )

        audits, shadows, feedback = asyncio.run(read())
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
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The latest labels: request, arm, source, score, sampling probability, cost."""
    import asyncio
    import json

    from router.config import load_settings
    from router.ledger.ledger import Ledger

    with Ledger.open(load_settings(config)) as ledger:
        found = asyncio.run(ledger.labels(source=source, tenant=tenant, limit=limit))
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


def _sums(labels: Any) -> dict[str, Any]:
    """How many of each state, and what they cost."""
    from collections import Counter

    states = Counter(str(one.meta.get("state", "given")) for one in labels)
    return {"states": dict(states), "usd": sum(one.cost_usd for one in labels)}
