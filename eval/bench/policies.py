"""How fast policies decide: batches of live-shaped cases, one case, and a bare reference.

Every registered policy and every fitted one (`eval.fit.fitted`) is measured: four arms, all
feature blocks at their live widths; half of the batch is new, on half the small arm has answered.

    a second   decisions in one batch of `rows`: `choose` and the choice's check. The case stands
               ready, float32 blocks as the feature store holds them
    one, ms    one case from the featuriser's lists to a checked choice: arrays made, shapes
               checked, `choose`, check, the reasons in words; the slower of a new request
               and one that the small arm has answered. The encoder is not in it
    reference  numpy's comparison of one column, and a plain `if`

Outcomes and features are made up, which is why fits here say nothing of quality. A policy that
takes parameters no example is known for, or cannot be fitted on the made-up table, is listed with
the reason and not measured.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from eval.bench.clock import median_seconds
from eval.bench.live_shaped import built, live_cases, one_case, training
from eval.fit import fitted
from eval.table import Table
from policies.case import CaseBatch
from policies.policy import Policy, available_policies, create, ready_policies
from router.errors import InputError, OckhamError

__all__ = ["Timed", "bench_policies", "fits", "to_measure"]

NAN = float("nan")
BAR_PER_SECOND, BAR_MS = 1e5, 0.3
_SCORER: Mapping[str, Any] = {"name": "prompt-length", "version": "1", "params": {}}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "conformal-gate": {
        "alpha": 0.1, "delta": 0.1, "tau": -5.0, "calibrated": 500, "by": "need",
        "scorer": _SCORER,
    },
    "paced-bandit": {"budget": 1e-3},
    "cost-cap": {"cap": 1e-2, "inner": "prompt-length"},
    "explore": {"inner": "prompt-length"},
    "sticky": {"inner": "prompt-length"},
    "shadow": {"inner": "prompt-length", "shadow": "verifiability-threshold"},
}  # fmt: skip
"""Parameters of those that cannot be asked for by a bare name."""


class Timed(NamedTuple):
    """One policy: medians over runs; `why_not` where it was not measured."""

    policy: str
    per_second: float
    one_ms: float
    one_cpu_ms: float
    """The same in time of this process: what a busy machine does not stretch."""
    why_not: str = ""

    @property
    def met(self) -> bool:
        """Both bars; one case by this process's time, which no neighbour stretches."""
        return self.per_second >= BAR_PER_SECOND and self.one_cpu_ms < BAR_MS


def bench_policies(
    rows: int, runs: int, labels: int, only: tuple[str, ...] = ()
) -> Iterator[Timed]:
    """A line a policy as it is measured, the bare reference first."""
    made = to_measure(labels)
    unknown = sorted(set(only) - set(made))
    if unknown:
        raise InputError(f"--only: no policy {unknown[0]!r}; there are: {', '.join(made)}")
    cases = live_cases(rows)
    axes = cases.features["axes"][:, 0]
    value = float(axes[0])
    bare = median_seconds(lambda: np.where(axes < 0.5, 1, 0), runs, warm_up=True)
    yield Timed("reference: a comparison", rows / bare, *_each(lambda: value < 0.5, runs))
    for name in only or tuple(made):
        try:
            policy = made[name]()
        except (ValueError, ArithmeticError, OckhamError) as error:
            yield Timed(name, NAN, NAN, NAN, str(error))
            continue
        yield _timed(name, policy, cases, runs)


def fits() -> dict[str, Callable[[Table], Policy]]:
    """Every fit of every registry in `eval.fit.fitted`, whatever it is called there: a policy
    must not go unmeasured because it stands in a registry of its own."""
    found: dict[str, Callable[[Table], Policy]] = {}
    for name, registry in vars(fitted).items():
        if name.isupper() and not name.startswith("_") and isinstance(registry, Mapping):
            found |= {key: fit for key, fit in registry.items() if callable(fit)}
    return found


def to_measure(labels: int) -> dict[str, Callable[[], Policy]]:
    """All names of both registries -> the policy. Nothing is left out: what cannot be made
    raises `PolicyError` when it is asked for."""
    table, fitting = training(labels), fits()
    out: dict[str, Callable[[], Policy]] = {}
    for name in sorted({*available_policies(), *fitting}):
        if name in fitting:
            out[name] = lambda name=name: fitting[name](table)  # type: ignore[misc]
        else:
            params = {} if name in ready_policies() else EXAMPLES.get(name, {})
            out[name] = lambda name=name, params=params: create(name, params)  # type: ignore[misc]
    return out


def _timed(name: str, policy: Policy, cases: CaseBatch, runs: int) -> Timed:
    def batch() -> None:
        policy.choose(cases).check(cases)

    def one(facts: Mapping[str, Any]) -> None:
        case = built(facts)
        choice = policy.choose(case)
        choice.check(case)
        choice.explain(0)

    first, second = (partial(one, one_case(tried)) for tried in (False, True))
    slower = max((_each(work, runs) for work in (first, second)), key=lambda ms: ms[1])
    return Timed(name, len(cases) / median_seconds(batch, runs, warm_up=True), *slower)


def _each(work: Callable[[], object], runs: int, times: int = 200) -> tuple[float, float]:
    """Milliseconds of one go, by the clock and of this process: medians over runs of the mean of
    `times`, without the collector's pauses."""
    wall, own = [], []
    work()
    gc.disable()
    try:
        for _ in range(runs):
            start, used = time.perf_counter(), time.process_time()
            for _ in range(times):
                work()
            wall.append(time.perf_counter() - start)
            own.append(time.process_time() - used)
    finally:
        gc.enable()
    return 1e3 * statistics.median(wall) / times, 1e3 * statistics.median(own) / times
