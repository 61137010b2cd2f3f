"""Stored answers scored again, against the marks that their source published.

    row of the result      id, model, gold, answer (as we read it), theirs, ours, they_read, kind,
                           right ("ours", "theirs"; null where both agree), checked

Who is right, by a rule that knows neither mark's maker: the answer is what a person reads as the
text's last word (marked, else what the last sentence concludes with: `benchmarks.gsm8k`),
compared with gold as an exact number. RouteLLM's marks are all explained by another reader:
the last run of digits, commas dropped. Where that reader gives the published mark and reads
something else than the text says, ours is right; a mark it does not give was made by something
that we do not know, and theirs is right.

What: GSM8K of RouteLLM, and what the run-time checker (`router.verify.math`), which knows no
gold, says of the same answers. What not: no text is kept, of question or answer.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from eval.benchmarks.benchmark import Question
from eval.benchmarks.gsm8k import INSTRUCTION, Gsm8k, read_number
from eval.compare import Interval, wilson
from eval.sources.shared import shared_data
from eval.sources.source import source
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.verify.math import examine
from router.verify.solution import read_solution

__all__ = ["Report", "Rescored", "answer_files", "lines", "report", "rescore", "stored_answers"]

SOURCES = ("routellm",)
BENCHMARKS = ("gsm8k",)


class Rescored(NamedTuple):
    """One stored answer: their mark, ours, and the run-time check."""

    id: str
    model: str
    gold: str
    answer: str | None
    theirs: bool
    ours: bool
    they_read: str | None
    kind: str | None
    right: str | None
    checked: bool | None

    @property
    def correct(self) -> bool:
        """The mark that is right."""
        return self.theirs if self.right == "theirs" else self.ours


class Rates(NamedTuple):
    """The run-time checker against one set of labels."""

    false_pass: Interval
    """Passed, of the answers that are wrong."""
    false_fail: Interval
    """Failed, of the answers that are right."""
    wrong_of_passed: Interval
    right_of_failed: Interval


class Report(NamedTuple):
    """What `ockham outcomes rescore` prints."""

    table: dict[str, Interval]
    kinds: dict[str, int]
    right: dict[str, int]
    checked: dict[str, int]
    published: Rates
    corrected: Rates
    per_second: float


def stored_answers(name: str, benchmark: str, mirror: Path | None) -> OutcomeSet:
    """The source's published rows; `InputError` for what has no answer texts with marks."""
    if name not in SOURCES:
        raise InputError(f"--source: {name!r} has no stored answers; known: {', '.join(SOURCES)}")
    if benchmark not in BENCHMARKS:
        raise InputError(f"--benchmark: {benchmark!r} unknown; known: {', '.join(BENCHMARKS)}")
    return source(name).parse(mirror or shared_data() / "raw" / name)


def answer_files(data: Path) -> list[Path]:
    """What is read under the data folder, for a checksum."""
    return [
        data / "raw" / "routellm" / "gsm8k" / "gsm8k_responses.csv",
        data / "questions" / "gsm8k_test.jsonl",
    ]


async def rescore(
    data: OutcomeSet, golds: Path | None, progress: Callable[[int, int], None]
) -> tuple[list[Rescored], float]:
    """Every stored answer, and how many were scored a second."""
    gsm8k = Gsm8k()
    asked = {question.id: question for question in gsm8k.questions(golds, 0)}
    rows = [row for row in data.outcomes.iter_rows(named=True) if row["benchmark"] == "gsm8k"]
    found: list[Rescored] = []
    spent = 0.0
    for row in rows:
        question = asked.get(row["query_id"])
        if question is None or not isinstance(row["answer"], str):
            raise InputError(f"{row['query_id']}, {row['arm']}: no gold or no stored answer")
        started = time.perf_counter()
        graded = await gsm8k.score(question, row["answer"])
        spent += time.perf_counter() - started
        found.append(_compared(row, question, graded.answer, graded.score == 1.0))
        progress(len(found), len(rows))
    gsm8k.close()
    return found, len(rows) / spent if spent else 0.0


def _compared(row: dict[str, Any], question: Question, answer: str | None, ours: bool) -> Rescored:
    theirs = row["score"] == 1.0
    run = _last_run(row["answer"])
    explained = (run == question.gold.lstrip("-")) == theirs
    prompt = question.prompt.removesuffix(INSTRUCTION)
    return Rescored(
        id=row["query_id"],
        model=row["arm"],
        gold=question.gold,
        answer=answer,
        theirs=theirs,
        ours=ours,
        they_read=run,
        kind=None if theirs == ours else _kind(answer, run),
        right=None if theirs == ours else "ours" if explained else "theirs",
        checked=examine(prompt, read_solution(row["answer"])).passed,
    )


def _last_run(text: str) -> str | None:
    """The reader behind RouteLLM's marks."""
    runs = re.findall(r"\d+", text.replace(",", ""))
    return runs[-1] if runs else None


def _kind(answer: str | None, run: str | None) -> str:
    """Why the two readers differ."""
    number = read_number(answer) if answer else None
    if answer is None or number is None or run is None:
        return "unread"
    if re.search(rf"\.{run}$", answer):
        return "whole_with_cents" if number.denominator == 1 else "after_the_point_only"
    return "sign" if str(number) == f"-{run}" else "another_number"


def report(rows: Sequence[Rescored], per_second: float) -> Report:
    """Counts and shares, each with Wilson's interval."""
    cells = Counter(f"theirs {_word(r.theirs)}, ours {_word(r.ours)}" for r in rows)
    return Report(
        table={cell: wilson(n, len(rows)) for cell, n in sorted(cells.items())},
        kinds=dict(Counter(r.kind for r in rows if r.kind).most_common()),
        right=dict(Counter(r.right for r in rows if r.right)),
        checked=dict(Counter(_verdict(r.checked) for r in rows).most_common()),
        published=_rates([(r.theirs, r.checked) for r in rows]),
        corrected=_rates([(r.correct, r.checked) for r in rows]),
        per_second=per_second,
    )


def _word(mark: bool) -> str:
    return "right" if mark else "wrong"


def _verdict(checked: bool | None) -> str:
    return {True: "passed", False: "failed", None: "undecided"}[checked]


def _rates(marks: Sequence[tuple[bool, bool | None]]) -> Rates:
    count = Counter(marks)
    right = sum(n for (is_right, _), n in count.items() if is_right)
    wrong = len(marks) - right
    passed, failed = (
        sum(count[mark, verdict] for mark in (True, False)) for verdict in (True, False)
    )
    return Rates(
        false_pass=wilson(count[False, True], wrong),
        false_fail=wilson(count[True, False], right),
        wrong_of_passed=wilson(count[False, True], passed),
        right_of_failed=wilson(count[True, False], failed),
    )


def lines(told: Report) -> Iterator[str]:
    """The report for people."""
    yield "Agreement with the published marks (95 % Wilson):"
    yield from (f"  {cell}: {_shown(share)}" for cell, share in told.table.items())
    yield f"Disagreements: {_counted(told.kinds)}; right: {_counted(told.right)}"
    yield f"Run-time check, without gold: {_counted(told.checked)}"
    for name, rates in (("published", told.published), ("corrected", told.corrected)):
        yield f"  against the {name} marks:"
        yield f"    false pass, of the wrong: {_shown(rates.false_pass)}"
        yield f"    false fail, of the right: {_shown(rates.false_fail)}"
        yield f"    wrong among the passed: {_shown(rates.wrong_of_passed)}"
        yield f"    right among the failed: {_shown(rates.right_of_failed)}"
    yield f"Scored {told.per_second:,.0f} answers a second."


def _shown(share: Interval) -> str:
    count = round(share.value * share.n) if share.n else 0
    value = f"{share.value:.4f}" if share.n else "-"
    return f"{count:,} of {share.n:,} = {value} [{share.low:.4f}, {share.high:.4f}]"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in counts.items()) or "none"
