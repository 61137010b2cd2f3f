"""`ockham signals eval`: how good the two axes are where nothing was fitted.

    families     leave families of benchmarks out: ranking over pairs, calibration one by one
    written      the training prompts, each from a fit that saw not its topic
    held out     `heldout/`: prompts that no fit has seen, through the live featuriser
    flips        the same question in another dress
    injections   text aimed at the router

The live featuriser is the packaged head where it was fitted on this data with these encoders
and this seed, else a head fitted here on the whole table. Baselines are fitted on the same
rows and asked the same questions. The report keeps every figure, its interval, and what is
needed to make it again. What this does not do: write a head, draw (see `pictures`).
"""

import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from eval.compare import Interval
from eval.fit.contenders import Contender
from eval.fit.evaluation_report import Report
from eval.fit.examples import data_files, example_of, gather
from eval.fit.families import (
    Pair,
    family_figures,
    leave_one_out,
    leave_pairs_out,
    pair_figure,
    stamp_of,
)
from eval.fit.heldout_scores import Judged, contender_figures, judged, live_figures
from eval.fit.injected import (
    Move,
    injection_figures,
    injections,
    innocent_figure,
    judge,
)
from eval.fit.journal import Journal, checksum
from eval.fit.linear import Reals
from eval.fit.measures import Figure
from eval.fit.perturbed import (
    SAMPLE,
    Dressed,
    dress_rows,
    fold_figures,
    fold_scores,
    perturbed_figures,
    reader_of,
    sample_rows,
)
from eval.fit.prompts import (
    HELDOUT,
    INJECTIONS,
    INNOCENT,
    PROMPTS,
    Prompt,
    prompt_files,
    read_lines,
    read_prompts,
)
from eval.fit.signals import choose_exemplars, fit_head
from eval.fit.table import Table, featurise
from eval.sources.shared import checksums
from router.signals import Featuriser
from router.signals.encoder import Encoder
from router.signals.head import AXES, load_head

__all__ = ["JOURNAL", "Evaluation", "Plan", "evaluate"]

JOURNAL = "journal.jsonl"
QUICK_PAIRS, QUICK_FAMILIES, QUICK_SAMPLE, QUICK_INJECTIONS = 12, 4, 60, 80
WORST_MOVES = 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to run. `folder` holds the journal; None keeps none."""

    contenders: tuple[Contender, ...]
    """The first is ours."""
    seed: int = 0
    folder: Path | None = None
    quick: bool = False
    command: str = ""


@dataclass(frozen=True)
class Pictured:
    """What `eval.fit.pictures.draw` reads."""

    seed: int
    held_out: Mapping[str, Reals]
    contenders: Mapping[str, Mapping[str, Interval]]


class Evaluation(NamedTuple):
    """The report, what the pictures need, and the table."""

    report: Report
    pictured: Pictured
    table: Table


@dataclass
class _Bench:
    """What all parts of a run share."""

    plan: Plan
    table: Table
    dressed: Dressed
    prompts: Sequence[Prompt]
    held: Table
    say: Say
    figures: list[Figure] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    held_out: dict[str, Reals] = field(default_factory=dict)


def evaluate(data: Path, plan: Plan, encoder: Encoder, say: Say = lambda _: None) -> Evaluation:
    """Run everything. KeyboardInterrupt passes; the journal then holds what was finished.

    Raises:
        SetupError: no weights, or a folder that cannot be written.
    """
    from threadpoolctl import threadpool_limits

    started = time.perf_counter()
    featuriser = Featuriser(encoder)
    say("gathering and sampling the sources")
    table = featurise(gather(data, plan.seed), featuriser.inputs, say)
    facts = checksums([*data_files(data), *prompt_files(PROMPTS)])
    bench = _bench(plan, table, featuriser, say)
    # One thread: a fit alone is not quicker on two where others work beside it.
    with threadpool_limits(1, "blas"):
        featuriser, which = _live(featuriser, table, plan.seed, facts, say)
        for contender in plan.contenders:
            _run_contender(bench, contender)
        moves, signals = _run_live(bench, featuriser)
    held = checksums([*prompt_files(HELDOUT), INJECTIONS, INNOCENT])
    moves.sort(key=lambda m: -max(m.moves))
    report = Report(
        command=plan.command,
        quick=plan.quick,
        seed=plan.seed,
        seconds=round(time.perf_counter() - started, 1),
        versions=_versions(),
        data=facts | {f"heldout/{name}": digits for name, digits in held.items()},
        rows=len(table.examples),
        written=int(table.written.sum()),
        checksum=checksum(table),
        featuriser=featuriser.fingerprint,
        head=which,
        contenders=tuple(c.name for c in plan.contenders),
        figures=tuple(bench.figures),
        pairs=tuple(bench.pairs),
        prompts=tuple(signals),
        moves=tuple(moves[:WORST_MOVES]),
    )
    return Evaluation(report, _pictured(report, bench.held_out), table)


def _bench(plan: Plan, table: Table, featuriser: Featuriser, say: Say) -> _Bench:
    say("dressing a sample of the rows")
    prompts = read_prompts(HELDOUT)
    read = reader_of(featuriser.inputs, say)
    rows = sample_rows(table, QUICK_SAMPLE if plan.quick else SAMPLE, plan.seed)
    dressed = dress_rows(table, rows, read, plan.seed)
    held = read([example_of(p, "heldout") for p in prompts])
    return _Bench(plan, table, dressed, prompts, held, say)


def _run_contender(bench: _Bench, contender: Contender) -> None:
    """Families, folds and dresses; the held-out prompts too, where it is not ours."""
    plan, table = bench.plan, bench.table
    name, ours = contender.name, contender is plan.contenders[0]
    path = plan.folder / JOURNAL if plan.folder else None
    journal = Journal(path, stamp_of(table, contender, plan.seed))
    few_pairs, few = (QUICK_PAIRS, QUICK_FAMILIES) if plan.quick else (None, None)
    for axis in AXES:
        given = (table, contender, axis, journal, plan.seed)
        pairs = leave_pairs_out(*given, few_pairs, bench.say)
        bench.pairs += pairs
        bench.figures += [pair_figure(pairs, plan.seed)] if pairs else []
        if contender.log_odds:
            bench.figures += family_figures(leave_one_out(*given, few, bench.say), plan.seed)
        bench.say(f"{name}, {axis}: folds of topics, and {len(bench.dressed.origin)} dressed texts")
        scores = fold_scores(contender, table, bench.dressed, axis, plan.seed)
        bench.figures += fold_figures(contender, table, scores, axis, plan.seed)
        bench.figures += perturbed_figures(contender, table, bench.dressed, scores, axis, plan.seed)
        if ours:
            bench.held_out[axis] = scores.held
    if not ours:
        bench.say(f"{name}: held-out prompts")
        bench.figures += contender_figures(contender, table, bench.held, bench.prompts, plan.seed)


def _run_live(bench: _Bench, featuriser: Featuriser) -> tuple[list[Move], list[Judged]]:
    plan, name = bench.plan, bench.plan.contenders[0].name
    signals = judge([p.query for p in bench.prompts], featuriser, bench.say)
    bench.figures += live_figures(name, bench.prompts, signals, plan.seed)
    twins = [p for p in bench.prompts if p.file == "twins"]
    count = {"count": QUICK_INJECTIONS} if plan.quick else {}
    lines = read_lines(INJECTIONS)
    moves = injections(twins, lines, featuriser, plan.seed, say=bench.say, **count)
    bench.figures += injection_figures(name, moves, plan.seed)
    bench.figures += innocent_figure(name, read_lines(INNOCENT), twins[0], featuriser, plan.seed)
    return moves, judged(bench.prompts, signals)


def _live(
    featuriser: Featuriser, table: Table, seed: int, data: Mapping[str, str], say: Say
) -> tuple[Featuriser, str]:
    """The featuriser to judge with, and which head it has."""
    shipped = load_head()
    inputs = featuriser.inputs.fingerprint
    differs = list(_differences(shipped.inputs == inputs, shipped.stamp, seed, data))
    if not differs:
        return featuriser, "the packaged head: fitted on this data with this seed"
    say(f"the packaged head differs ({', '.join(differs)}): fitting one on the table")
    exemplars = choose_exemplars(table, featuriser.encoder.fingerprint)
    head = fit_head(table, seed, inputs, exemplars, {})
    return (
        Featuriser(featuriser.encoder, head, exemplars),
        f"fitted for this run; the packaged one differs in: {', '.join(differs)}",
    )


def _differences(
    same: bool, stamp: Mapping[str, object], seed: int, data: Mapping[str, str]
) -> Iterator[str]:
    if not same:
        yield "encoders"
    if stamp.get("seed") != seed:
        yield "seed"
    if stamp.get("data") != data:
        yield "data"


def _pictured(report: Report, held_out: Mapping[str, Reals]) -> Pictured:
    return Pictured(
        report.seed,
        held_out,
        {
            name: {
                f.axis: Interval(*_ends(f), f.n)
                for f in report.figures
                if (f.contender, f.part, f.metric) == (name, "families", "macro-auroc")
            }
            for name in report.contenders
        },
    )


def _ends(figure: Figure) -> tuple[float, float, float]:
    value, low, high = (
        math.nan if v is None else v for v in (figure.value, figure.low, figure.high)
    )
    return value, low, high


def _versions() -> dict[str, str]:
    names = ("ockham-router", "numpy", "scikit-learn", "onnxruntime", "litellm")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
