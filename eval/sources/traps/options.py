"""How many options a query offers, read from its text: the guess floor is one over that.

Known forms: `A. ..` or `A) ..` or `(A) ..` at the start of a line, from A upward without a
gap; `Choices: [...]` and `Choices: {'text': [...], ...}` as Python literals. Not an option:
a choice that is an `assert` line (LLMRouter prints MBPP's tests there).
"""

import ast
import re

import polars as pl

from policies.outcome import OutcomeSet

__all__ = ["count_options", "guess_floors"]

_LINE = re.compile(r"^[ \t]*(?:([A-Z])[.)]|\(([A-Z])\))(?=\s)", re.MULTILINE)
_CHOICES = re.compile(r"\nChoices: ([\[{].*[\]}])\s*$", re.DOTALL)
MOST = 26
SHARE = 0.9  # of a benchmark's queries that must show options before it has a floor


def count_options(text: str) -> int | None:
    """Options shown, at least two; None where the text shows none."""
    given = _CHOICES.search(text)
    if given:
        return _literal(given.group(1))
    best, run = 0, 0
    for a, b in _LINE.findall(text):
        letter = a or b
        # A new list starts at A; the longest one that runs on without a gap counts.
        run = 1 if letter == "A" else run + 1 if ord(letter) == ord("A") + run and run else 0
        best = max(best, run)
    return best if best >= 2 else None


def _literal(written: str) -> int | None:
    try:
        value = ast.literal_eval(written)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    options = value.get("text") if isinstance(value, dict) else value
    if not isinstance(options, list) or not 2 <= len(options) <= MOST:
        return None
    return None if any(str(o).lstrip().startswith("assert") for o in options) else len(options)


def guess_floors(data: OutcomeSet) -> pl.DataFrame:
    """benchmark, floor, options, n: the mean of 1 / options over queries that show them.

    Only benchmarks where nine queries of ten with a text do; `options` is the largest count.
    """
    rows = data.queries.drop_nulls("query").select(
        "benchmark",
        pl.col("query").map_elements(count_options, return_dtype=pl.Int64).alias("options"),
    )
    return (
        rows.group_by("benchmark", maintain_order=True)
        .agg(
            (1 / pl.col("options")).mean().alias("floor"),
            pl.col("options").max(),
            pl.col("options").count().alias("n"),
            pl.len().alias("all"),
        )
        .filter((pl.col("n") >= SHARE * pl.col("all")) & (pl.col("n") > 0))
        .drop("all")
    )
