"""Reading a final answer from the end of a text that was told how to end.

What: the last box, else what follows the last "answer:"; and one line without its dress. What
not: drafts and thinking (`text.strip_thinking`), and answers that nothing marks
(`concluding`).
"""

import re
from collections import deque

from router.verify.text import boxes

__all__ = ["last_match", "marked", "tidy"]

_MARK = re.compile(
    r"\b(?:final |correct )?answer(?:[*_`]{0,3}[ \t]{0,3}:|[ \t]{1,3}is\b[ \t]{0,3}:?)"
    r"[*_`]{0,3}[ \t]{0,3}(\S[^\n]{0,2000})",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")


def marked(text: str) -> str | None:
    """The last box of a visible text, else what follows the last "answer:" or "answer is"."""
    if filled := [box for box in boxes(text) if box]:
        return filled[-1]
    last = last_match(_MARK, text)
    return last.group(1).strip() if last else None


def tidy(answer: str) -> str:
    """One line without markdown, math signs and a closing full stop."""
    answer = _WRAPPED.sub(r"\1", answer).replace("\\$", "$").replace("\\%", "%")
    answer = re.sub(r"\\[ ,;!]", "", answer).replace("{,}", ",")
    return " ".join(answer.split()).strip("*_`$ ").removesuffix(".").strip("*_`$ ")


def last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last place where a pattern stands; one pass, nothing kept."""
    newest = deque(pattern.finditer(text), maxlen=1)
    return newest[0] if newest else None
