"""What one completion says: its text without the thinking, its status, its citations."""

from collections.abc import Sequence
from dataclasses import dataclass

from router.arms.reader import parse_reader
from router.arms.thinking import unclosed, visible_text
from router.models.completion import Completion
from router.samples import AttemptStatus
from router.state import Citation, Passage
from router.verify.text import boxes

__all__ = ["Reading", "read_completion"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Text and status; what the reader cited, where the arm showed passages."""

    text: str
    status: AttemptStatus
    citations: tuple[Citation, ...] = ()


_NOTHING = Reading("", AttemptStatus.NO_ANSWER)


def read_completion(
    done: Completion, passages: Sequence[Passage] | None, *, opened: bool
) -> Reading:
    """An unclosed think block shows nothing, and so is no answer.

    Args:
        passages: those that were shown; None for an arm that reads no index.
        opened: the chat template opens the thinking itself.
    """
    text = visible_text(done.text, opened=opened)
    if done.error is not None:
        return Reading(text, AttemptStatus.FAILED)
    if not text:
        # Some servers part the thinking from the text: without text it never closed either.
        drafts = unclosed(done.text, opened=opened) or (done.reasoning if not done.text else "")
        return _from_drafts(drafts) if passages is None else _NOTHING
    whole = AttemptStatus.TRUNCATED if done.finish == "length" else AttemptStatus.OK
    if passages is None:
        return Reading(text, whole)
    # A reply that was cut is read too: its caller wants words, not half a JSON object.
    result = parse_reader(text, passages)
    status = AttemptStatus.ABSTAINED if result.abstained else whole
    return Reading(result.answer_text, status, result.citations)


def _from_drafts(thinking: str) -> Reading:
    """The last box of thinking that never closed, as a provisional answer."""
    found = [box for box in boxes(thinking) if box]
    if not found:
        return _NOTHING
    return Reading(f"\\boxed{{{found[-1]}}}", AttemptStatus.PROVISIONAL)
