"""The command behind `ockham replay --off-policy`: options in, table, lines or file out."""

import sys
from pathlib import Path
from typing import get_args

import typer

__all__ = ["off_policy_replay"]


def off_policy_replay(
    source: str,
    policies: tuple[str, ...],
    steps: str,
    clip: float | None,
    labels: str,
    served: str | None,
    resamples: int,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Judge policies on routed traffic.

    Raises:
        InputError: naming the option that is wrong.
    """
    from eval.offpolicy.log import Labels
    from eval.offpolicy.run import Asked, run, show, stamp_of, warnings_of
    from eval.offpolicy.target import Steps
    from eval.offpolicy.value import Plan
    from eval.replay_files import write_result
    from router.errors import InputError

    for option, value, known in (("--steps", steps, Steps), ("--label-source", labels, Labels)):
        if value not in get_args(known):
            raise InputError(f"{option} {value!r}: one of {', '.join(get_args(known))}")
    if clip is not None and not clip > 0:
        raise InputError(f"--clip {clip:g}: give a weight above 0")
    plan = Plan(steps, clip, resamples, seed)  # type: ignore[arg-type]  # checked above
    asked = Asked(source, policies, plan, labels, served)  # type: ignore[arg-type]  # the same
    log, records, about = run(asked)
    told = warnings_of(log, asked.labels)
    if out is not None:
        write_result(out, stamp_of(asked, about, log, sys.argv[1:]), records)
        typer.echo(f"wrote {out}", err=True)
    if as_json:
        for said in told:
            typer.echo(f"note: {said}", err=True)
        for record in records:
            sys.stdout.write(record.model_dump_json() + "\n")
    else:
        show(records, log, told)
