"""A replay on the terminal: one table of policies a benchmark, published figures beside it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table as Grid

from eval.fitting import fitting
from eval.over_seeds import SUFFIX
from eval.replay import Record

__all__ = ["published", "show", "tidy"]

COLUMNS = (
    ("APGR", "apgr", True),
    ("its", "apgr-routellm", False),
    ("CPT50", "cpt50", False),
    ("CPT80", "cpt80", False),
    ("cost-APGR", "cost-apgr", True),
    ("AIQ", "aiq", False),
    ("accuracy", "accuracy", False),
    ("USD/1k", "usd-per-1000", False),
    ("APGR - length's", "apgr-minus-prompt-length", True),
)
"""Title, metric, and whether the interval is shown: all of them stand in --json."""
TOLD = ("not-replayable", "note")
"""Records that are a sentence and no number."""
WIDE = 190
MONEY = (
    "cost-apgr", "aiq", "usd-per-1000", "accuracy-at-budget", "cost-at-accuracy", "routerarena",
    "optimal-pick", "cost-over-oracle", "utility",
)  # fmt: skip
"""Cost metrics: shown at half, as is, and double the price ratio."""
OTHERS = (
    "large-share", "regret-oracle", "regret-best-single", "auroc-small", "brier-small", "ece-small",
    "robustness",
)  # fmt: skip


@cache
def published() -> dict[str, Any]:
    """Figures of others, with their source."""
    path = Path(__file__).with_name("published.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def show(records: Sequence[Record], made: dict[str, Any]) -> None:
    """Print every benchmark's table, what could not be replayed, and the stamp."""
    console = Console(width=None if Console().is_terminal else WIDE)
    for facts in made["tables"]:
        own = [r for r in records if r.benchmark == facts["benchmark"]]
        _print(console, _grid(facts, own, made))
        aiq = next((r.note for r in own if r.metric == "aiq" and r.note), "")
        if aiq:
            console.print(f"  AIQ: {aiq}", highlight=False)
        if any(r.metric.endswith(SUFFIX) for r in own):
            _print(console, _together(own, made))
        _print(console, _values(own, "Costs at half / as they are / double the price ratio", MONEY))
        _print(console, _values(own, "Other metrics", OTHERS))
        for r in own:
            if r.metric in TOLD:
                console.print(f"  {r.note}", highlight=False)
        _print_published(console, str(made["source"]), facts["benchmark"])
    console.print(
        "APGR: area under the gap recovered over the share of large calls, all thresholds; "
        "its: RouteLLM's ten.\n[..]: 95 % over whole questions. Accuracy and USD at the operating "
        f"point (large for {made['plan']['share']:.0%} of queries).\n"
        "USD of cost-at-accuracy per 1,000. oracle sees the scores. Every interval, difference and "
        "p-value: --json, or ockham report.",
        highlight=False,
    )


def tidy(record: Record | None, digits: int = 3, interval: bool = True) -> str:
    """`value [low, high]`, or a dash."""
    if record is None or record.value is None:
        return "-"
    text = f"{record.value:.{digits}f}"
    if interval and record.low is not None and record.high is not None:
        text += f" [{record.low:.{digits}f}, {record.high:.{digits}f}]"
    return text


def _print(console: Console, grid: Grid) -> None:
    for part in fitting(grid, console.width):
        console.print(part)


def _grid(facts: dict[str, Any], records: Sequence[Record], made: dict[str, Any]) -> Grid:
    small, large = facts["arms"][:2]
    ends = [f"{a:.4f}" for a in facts["accuracy"][:2]]
    grid = Grid(
        title=f"{made['source']} / {facts['benchmark']}: {facts['questions']:,} questions, "
        f"{small} {ends[0]} -> {large} {ends[1]}; data {facts['checksum']}",
        title_justify="left",
    )
    grid.add_column("policy")
    grid.add_column("protocol")
    grid.add_column("labels", justify="right")
    columns = (*COLUMNS, *_rivals(made))
    for title, _, _ in columns:
        grid.add_column(title, justify="right")
    keys = dict.fromkeys((r.policy, r.protocol) for r in records if r.metric not in TOLD)
    for key in keys:
        rows = [r for r in records if (r.policy, r.protocol) == key]
        cells = [_cell(rows, metric, shown) for _, metric, shown in columns]
        grid.add_row(*key, _labels(rows), *cells)
    return grid


def _rivals(made: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Columns of the rivals that were asked for."""
    names = made["plan"].get("against", ())
    return [(f"APGR - {name}'s", f"apgr-minus-{name}", True) for name in names]


def _together(records: Sequence[Record], made: dict[str, Any]) -> Grid:
    """What all seeds say together."""
    columns = [c for c in (COLUMNS[0], COLUMNS[4], COLUMNS[8], *_rivals(made)) if c[2]]
    count = len(made["plan"]["seeds"])
    grid = Grid(
        title=f"Mean of {count} seeds [95 % over questions and seeds]", title_justify="left"
    )
    grid.add_column("policy")
    for title, _, _ in columns:
        grid.add_column(title, justify="right")
    found = {(r.policy, r.metric): r for r in records}
    for policy in dict.fromkeys(r.policy for r in records if r.metric == "apgr" + SUFFIX):
        rows = [found.get((policy, metric + SUFFIX)) for _, metric, _ in columns]
        grid.add_row(policy, *(tidy(row, digits=4) for row in rows))
    return grid


def _labels(rows: Sequence[Record]) -> str:
    """Training labels; a range where seeds hold out different twins."""
    low, high = (end(r.labels for r in rows) for end in (min, max))
    return "" if not high else f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _values(records: Sequence[Record], title: str, metrics: Sequence[str]) -> Grid:
    """Means over seeds, without intervals; a metric that nobody has is left out."""
    found: dict[tuple[str, str], list[float]] = {}
    for r in records:
        if r.value is not None:
            found.setdefault((r.policy, r.metric), []).append(r.value)
    shown = [m for m in metrics if any(key[1] == m for key in found)]
    grid = Grid(title=title, title_justify="left")
    grid.add_column("policy")
    for metric in shown:
        grid.add_column(metric, justify="right")
    for policy in dict.fromkeys(r.policy for r in records if r.metric not in TOLD):
        grid.add_row(policy, *(_at_ratios(found, policy, metric) for metric in shown))
    return grid


def _at_ratios(found: dict[tuple[str, str], list[float]], policy: str, metric: str) -> str:
    names = (f"{metric}@0.5", metric, f"{metric}@2") if metric in MONEY else (metric,)
    means = [sum(v) / len(v) if (v := found.get((policy, n))) else None for n in names]
    if not any(m is not None for m in means):
        return "-"
    return " / ".join("-" if m is None else f"{m:.3g}" for m in means)


def _cell(rows: Sequence[Record], metric: str, interval: bool) -> str:
    """One seed: with its interval. Several: mean and standard deviation over seeds."""
    found = [r for r in rows if r.metric == metric and r.value is not None]
    if len({r.seed for r in found}) <= 1:
        return tidy(found[0] if found else None, interval=interval)
    from eval.compare import seeds

    got = seeds([r.value for r in found if r.value is not None])
    return f"{got.mean:.3f} (SD {got.sd:.3f})" if interval else f"{got.mean:.3f}"


def _print_published(console: Console, source: str, benchmark: str) -> None:
    figures = published().get(source, {})
    if benchmark not in figures:
        return
    rows = [
        f"{name} {f['apgr']:.3f} ({f['cpt50']} / {f['cpt80']})"
        for name, f in figures[benchmark].items()
    ]
    console.print(f"  published, APGR (CPT50 / CPT80 %): {'; '.join(rows)}", highlight=False)
    console.print(f"  {figures['source']}", highlight=False)
