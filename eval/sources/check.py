"""`check`: every trap that the bytes of an outcome table can show.

Each trap is one function in `eval/sources/traps/`; this module only runs them all, in the
order of severity. A trap that the bytes cannot show (an answer filled at random, a model
taken from another run than the published one) is a note of the table's loader instead.

No message holds a score, so checking a table keeps it unseen.
"""

from collections.abc import Iterator, Mapping, Sequence

from eval.sources.traps import alignment, floors, gaps, rows, scores, texts
from eval.sources.traps.finding import SEVERITIES, Finding, Severity
from policies.outcome import OutcomeSet

__all__ = ["Finding", "Severity", "check"]


def check(
    data: OutcomeSet,
    others: Mapping[str, OutcomeSet] | None = None,
    contaminated: Sequence[str] = (),
) -> list[Finding]:
    """All findings, errors first, then warnings, then notes.

    Args:
        data: The table to check.
        others: Sets that may share queries with it, by name: compared by id and by text.
        contaminated: Texts of prompts known to be in training data.
    """
    found = list(_all(data, others or {}, contaminated))
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _all(
    data: OutcomeSet, others: Mapping[str, OutcomeSet], contaminated: Sequence[str]
) -> Iterator[Finding]:
    yield from texts.private_texts(data)
    yield from rows.conflicting_rows(data)
    yield from rows.reused_ids(data)
    yield from rows.differing_texts(data, others)
    yield from rows.differing_golds(data, others)
    yield from alignment.misaligned_arms(data)
    yield from rows.shared_ids(data, others)
    yield from texts.contaminated_queries(data, contaminated)
    yield from texts.duplicate_texts(data)
    yield from texts.twins(data)
    yield from texts.overlaps(data, others)
    yield from scores.unparsed_cells(data)
    yield from floors.floor_cells(data)
    yield from scores.format_zeros(data)
    yield from scores.low_everywhere(data)
    yield from scores.empty_answers(data)
    yield from scores.dearer_is_worse(data)
    yield from gaps.incomplete_arms(data)
    yield from gaps.impossible_tokens(data)
    yield from gaps.unknown_sizes(data)
    yield from gaps.absent_fields(data)
