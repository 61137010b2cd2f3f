"""Summaries as tables for a person; rich is imported here and nowhere else in this folder."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.sources.summary import Cell, Summary

__all__ = ["listing", "render"]

_NUMBERS = ("n", "score", "95 % Wilson", "rows", "status", "source")


def listing(rows: Iterable[tuple[str, ...]], console: Console | None = None) -> None:
    """The table of `ockham outcomes list`."""
    columns = ("source", "from", "licence", "files", "stored rows", "queries", "arms")
    (console or Console()).print(_table(None, columns, rows))


def render(summary: Summary, console: Console | None = None) -> None:
    """Everything of a summary; question texts only where it holds examples."""
    console = console or Console()
    _origin(summary, console)
    for table in _cells(summary):
        console.print(table)
    if summary.withheld:
        _say(
            console,
            "Scores are withheld: the pre-registration calls this population unseen, and whoever "
            "looks makes later verdicts on it exploratory. --scores shows them.",
        )
    statuses = ((s.status, f"{s.rows:,}", s.treatment) for s in summary.statuses)
    console.print(_table("How rows ended", ("status", "rows", "counts as"), statuses))
    _costs(summary, console)
    for note in summary.about.get("notes", ()):
        _say(console, f"Note: {note}")
    for example in summary.examples:
        _say(console, f"{example.query_id}: {example.query}")


def _origin(summary: Summary, console: Console) -> None:
    about = summary.about
    home = f"{about.get('home', about.get('file', 'unknown'))} at {about.get('commit', '-')}"
    _say(console, f"{summary.name}: {home}, licence {about.get('licence', 'unknown')}")
    _say(console, f"{summary.rows:,} rows, {summary.queries:,} queries")
    absent = about.get("absent_files", ())
    if absent:
        _say(console, f"{len(absent)} of the source's files were absent: {absent[0]}, ...")
    for small, large in about.get("pairs", ())[:1]:
        _say(console, f"Default pair: {small} (small), {large} (large)")


def _cells(summary: Summary) -> Iterator[Table]:
    """One table a benchmark: arms need the width."""
    columns = ("arm", "n", "missing", "score", "95 % Wilson")
    for benchmark, cells in groupby(summary.cells, key=lambda c: (c.benchmark, c.queries)):
        title = f"{benchmark[0]}: {benchmark[1]:,} queries"
        yield _table(title, columns, (_cell(c) for c in cells))


def _cell(c: Cell) -> tuple[str, ...]:
    score = "-" if c.score is None else f"{c.score:.4f}"
    interval = "-" if c.low is None or c.high is None else f"[{c.low:.4f}, {c.high:.4f}]"
    return c.arm, f"{c.n:,}", f"{c.missing:,}", score, interval


def _costs(summary: Summary, console: Console) -> None:
    if summary.rows_with_cost:
        _say(console, f"{summary.rows_with_cost:,} rows bring a cost of their own.")
    if summary.prices:
        rows = (
            (p.model, _usd(p.input), _usd(p.output), p.kind or "no price: extend prices.yaml")
            for p in summary.prices
        )
        columns = ("model", "USD/M in", "USD/M out", "kind of price")
        console.print(_table("Prices used where a row has no cost", columns, rows))


def _usd(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _say(console: Console, words: str) -> None:
    console.print(words, markup=False, highlight=False)


def _table(title: str | None, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=None if title is None else Text(title))
    for column in columns:
        # The name folds where the terminal is narrow, the numbers stay in one piece.
        table.add_column(column, overflow="fold", no_wrap=column in _NUMBERS)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: brackets of a name are no markup
    return table
