"""`ockham policy watch`: do the alarms ring over recorded traffic?

Only typer is imported before the command runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.policy_options import AsJson, print_json

if TYPE_CHECKING:
    from eval.traffic import Traffic
    from eval.watching import Alarm
    from policies.policy import Policy

__all__ = ["watch"]


def watch(
    source: Annotated[str, typer.Option(help="Routed traffic: a stored outcome set, or a folder.")],
    policy: Annotated[
        str | None, typer.Option(help="Whose traffic: its name, or the preset (.json) that served.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Set with its traffic as calibrated; default: the first rows."),
    ] = None,
    calibrate: Annotated[
        int, typer.Option(min=2, help="So many first requests, where there is no reference.")
    ] = 500,
    share: Annotated[
        float | None, typer.Option(help="Calibrated strong share, in (0, 1); default: measured.")
    ] = None,
    shift: Annotated[float, typer.Option(help="Drift of the share that matters.")] = 0.1,
    every: Annotated[float, typer.Option(help="Mean requests to a false alarm, at least.")] = 1e4,
    score: Annotated[
        str | None, typer.Option(help="Column that is the score; default: the first that is whole.")
    ] = None,
    window: Annotated[int, typer.Option(min=2, help="Requests whose scores are compared.")] = 500,
    best: Annotated[
        str | None, typer.Option(help="Best single arm, audited bare in the source: for regret.")
    ] = None,
    allowed: Annotated[float, typer.Option(min=0, max=1, help="Regret that is put up with.")] = 0.0,
    large: Annotated[
        list[str] | None, typer.Option(help="A large arm; repeat. Default: as the set says.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Collapse, drift, regret and a gate's promise over routed traffic; exit 1 if one rang."""
    from pydantic import ValidationError

    from eval.watching import Plan, watch_traffic
    from router.errors import InputError
    from router.presets import read_preset

    made = read_preset(Path(policy)) if policy is not None and policy.endswith(".json") else None
    name = made.name if made is not None else policy
    own = large or []
    traffic, arms = _read(source, name, made, own, best, score)
    before = None
    if reference is not None:
        column = score if made is not None else traffic.score_name
        before, _ = _read(reference, traffic.policy, made, own, None, column)
    plan = Plan(
        share=share, shift=shift, every=every, window=window, allowed=allowed,
        calibrate=calibrate, promise=_promised(made),
    )  # fmt: skip
    try:
        alarms = watch_traffic(traffic, before, plan)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"--{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    rang = [alarm.name for alarm in alarms if alarm.request is not None]
    if as_json:
        print_json(
            {
                "source": source, "policy": traffic.policy, "requests": len(traffic),
                "reference": reference or f"the first {calibrate}", "large": list(arms),
                "explored": traffic.explored, "rang": rang,
                "alarms": [alarm._asdict() for alarm in alarms],
            }
        )  # fmt: skip
    else:
        _print(traffic, alarms, arms)
    if rang:
        raise typer.Exit(1)


def _promised(made: "Policy | None") -> float | None:
    """The gate's alpha, under whatever wraps it."""
    from policies.conformal import ConformalGate
    from policies.wrapper import layers

    rule = layers(made)[-1] if made is not None else None
    return rule.alpha if isinstance(rule, ConformalGate) else None


def _read(
    where: str,
    policy: str | None,
    made: "Policy | None",
    large: list[str],
    best: str | None,
    score: str | None,
) -> "tuple[Traffic, tuple[str, ...]]":
    """The traffic of a set, and its large arms."""
    from eval.traffic import large_arms, scored_by, traffic_of
    from router.errors import InputError
    from router.outcomes import read_outcomes

    data = read_outcomes(where)
    if best is not None and best not in data.arms:
        raise InputError(f"--best: no arm {best!r}; there are: {', '.join(data.arms)}")
    arms = large_arms(data, large)
    traffic = traffic_of(data, policy, arms, best, score)
    return (scored_by(traffic, data, made) if made and score is None else traffic), arms


def _print(traffic: "Traffic", alarms: "tuple[Alarm, ...]", large: tuple[str, ...]) -> None:
    typer.echo(
        f"{len(traffic):,} requests of {traffic.policy}; large: {', '.join(large)}; "
        f"{traffic.explored:.1%} of first calls had a recorded chance below 1"
    )
    for a in alarms:
        if a.off:
            said = f"off: {a.facts}"
        elif a.request is None:
            said = f"silent over {a.seen:,}: {a.facts}"
        else:
            when = f", {a.created}" if a.created else ""
            said = f"RANG at request {a.request:,} ({a.query}{when}): {a.facts}"
        typer.echo(f"  {a.name:<8} {said}")
