"""`ockham policy gate`: bound the errors among the queries that the small arm keeps.

Only typer is imported before a command runs.
"""

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from eval.policy_options import (
    CONTAMINATED,
    AsJson,
    Benchmark,
    Exclude,
    Out,
    Pair,
    Seed,
    Source,
    check_ending,
    load,
    print_json,
)

if TYPE_CHECKING:
    from eval.compare import Interval
    from eval.fit.conformal import Repeated
    from eval.gate import Gated, Prepared

__all__ = ["gate", "tolerance"]

BAR = 0.7
"""Of the share that the best threshold in hindsight keeps."""


def gate(
    source: Source,
    benchmark: Benchmark,
    alpha: Annotated[float, typer.Option(help="Largest error among kept queries, in (0, 1).")],
    score: Annotated[
        str, typer.Option(help="A policy with a threshold, or confidence: the verdict's.")
    ] = "text-logistic",
    delta: Annotated[
        float, typer.Option(help="Probability with which the bound may be false.")
    ] = 0.1,
    by: Annotated[
        Literal["quality", "need"] | None,
        typer.Option(help="Trust its P(small right), or its need; default: the first it has."),
    ] = None,
    splits: Annotated[int, typer.Option(min=0, help="Also repeat over so many random splits.")] = 0,
    calibrate: Annotated[
        int | None, typer.Option(min=1, help="Questions that calibrate in each; default: a fifth.")
    ] = None,
    pair: Pair = None,
    seed: Seed = 0,
    exclude_subject: Exclude = CONTAMINATED,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Keep the small arm where its error is bounded; exit 1 if nothing could be certified."""
    from eval.gate import calibrate_gate, prepare, repeat_gate

    check_ending("--out", out, ".json")
    table, evidence = load(source, benchmark, pair, exclude_subject, seed)
    ready = prepare(table, score, by, seed)
    made = calibrate_gate(ready, alpha, delta, seed)
    again = repeat_gate(ready, alpha, delta, splits, calibrate, seed) if splits else None
    facts = evidence | _facts(made, ready) | ({"splits": _repeated(again, delta)} if again else {})
    certified = math.isfinite(made.gate.tau) or made.gate.tau < 0
    if out is not None and certified:
        from router.presets import write_preset

        write_preset(out, made.gate, facts)
        typer.echo(f"wrote {out}: name it in policy.name, or give it as --policy", err=True)
    if as_json:
        print_json(facts)
    else:
        _print(made, ready)
        if again is not None:
            _print_repeated(again, alpha, delta)
    if not certified:
        raise typer.Exit(1)


def _facts(made: "Gated", ready: "Prepared") -> dict[str, Any]:
    tau, best, done = made.gate.tau, made.best, made.certified
    return {
        "policy": made.gate.name,
        "score": ready.scorer.name if ready.scorer else "confidence",
        "by": ready.by,
        "alpha": made.gate.alpha,
        "delta": made.gate.delta,
        # JSON has no infinity: keeping nothing and keeping all are strings.
        "tau": _plain(tau),
        # What a replay must not score it on: labels of both parts were used.
        "fitted_on": ready.fitted + done.n,
        "scorer_fitted_on": ready.fitted,
        "calibration": {
            "n": done.n, "kept": done.kept, "wrong": done.wrong, "limit": done.limit,
            "thresholds_tested": done.tested,
        },
        "held_out": {
            "error_among_kept": _interval(made.error), "kept_share": _interval(made.kept),
            "hindsight_tau": _plain(best.tau), "hindsight_kept_share": best.share,
            "error_of_small": made.base_error,
        },
        "constant_score": made.constant,
    }  # fmt: skip


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _shown(made: "Interval") -> str:
    if not math.isfinite(made.value):
        return "- (nothing is kept)"
    return f"{made.value:.4f} [{made.low:.4f}, {made.high:.4f}]"


def _interval(made: "Interval") -> dict[str, float | None]:
    return {k: None if math.isnan(v) else v for k, v in made._asdict().items()}


def _repeated(again: "Repeated", delta: float) -> dict[str, Any]:
    import numpy as np

    ratio = again.ratio[~np.isnan(again.ratio)]
    return {
        "n": again.splits,
        "calibrated": again.calibrated,
        "tested": again.tested,
        "violations_on_test": again.violations,
        "violations_on_population": again.population_violations,
        "binomial_tolerance": tolerance(again.splits, delta),
        "nothing_certified": again.empty,
        "kept_share": float(again.kept.mean()),
        "hindsight_kept_share": float(again.best.mean()),
        "ratio_mean": float(ratio.mean()) if len(ratio) else None,
        "ratio_median": float(np.median(ratio)) if len(ratio) else None,
        "ratio_at_least_70_percent": float((ratio >= BAR).mean()) if len(ratio) else None,
        "hindsight_kept_nothing": int(np.isnan(again.ratio).sum()),
    }


def tolerance(splits: int, delta: float) -> int:
    """The most violations that a true rate of delta exceeds in 5 % of such experiments."""
    from scipy.stats import binom

    return int(binom.ppf(0.95, splits, delta))


def _print(made: "Gated", ready: "Prepared") -> None:
    g, c, e, k, best = made.gate, made.certified, made.error, made.kept, made.best
    table = ready.table
    typer.echo(
        f"{table.source} / {table.benchmark}, {table.arms[0].name} -> {table.arms[1].name}\n"
        f"conformal gate on {ready.scorer.name if ready.scorer else 'confidence'} (by {ready.by}; "
        f"fitted on {ready.fitted:,} rows): alpha {g.alpha:g}, delta {g.delta:g}\n"
        f"  tau {g.tau:.6g}: {c.wrong:,} wrong of {c.kept:,} kept, of {c.n:,} that calibrated; "
        f"limit {c.limit:.4f} ({c.tested} thresholds tested)\n"
        f"  {g.bound}\n"
        f"on {k.clusters:,} questions not seen (error of small on all: {made.base_error:.4f}):\n"
        f"  kept share       {k.value:.4f} [{k.low:.4f}, {k.high:.4f}]\n"
        f"  error among kept {_shown(e)}\n"
        f"  in hindsight     {best.share:.4f} kept at tau {best.tau:.6g} (chosen on their labels)"
    )
    if made.constant:
        typer.echo("The score is the same everywhere: the gate keeps all or nothing.")
    if g.tau == math.inf:
        typer.echo("Nothing was certified: everything goes to the large arm. No preset is written.")


def _print_repeated(again: "Repeated", alpha: float, delta: float) -> None:
    facts = _repeated(again, delta)
    n, most = again.splits, facts["binomial_tolerance"]
    typer.echo(
        f"{n} random splits, {again.calibrated:,} questions calibrate, {again.tested:,} test; a "
        f"violation is an error among kept above {alpha:g}, {delta * n:g} may be, {most} by chance"
    )
    for where, count in (
        ("on the test part, whose own noise counts too", again.violations),
        ("on the population: drawn with replacement, truth known", again.population_violations),
    ):
        typer.echo(f"  violations       {count} {where}{'' if count <= most else ': TOO MANY'}")
    typer.echo(
        f"  kept share       {facts['kept_share']:.4f}, in hindsight "
        f"{facts['hindsight_kept_share']:.4f}; nothing certified in {again.empty}"
    )
    if facts["ratio_mean"] is not None:
        typer.echo(
            f"  of hindsight     mean {facts['ratio_mean']:.3f}, median {facts['ratio_median']:.3f}"
            f" (each at most 1){'' if facts['ratio_mean'] >= BAR else ': BELOW .70'}"
        )
