"""Prompts in sections: the one that asks, under a heading of its own.

    ## Task                  markdown headings
    [OBJECTIVE] ... [END]    names in brackets, alone on a line

What this does not do: guess which section asks where none is named for it.
"""

import re

__all__ = ["asking_section"]

_ASKS = (
    r"(?:(?:your|the|current|my|user|main) )?(?:task|question|objective|goal|problem|query|request|"
    r"instructions?|exercise|assignment|ask|mission)"
)
_HEADING = re.compile(
    rf"^(?:#{{1,6}}[ \t]{{0,4}}|\[(?=[A-Za-z][A-Za-z _-]{{1,38}}\][ \t]*$))(?P<asks>{_ASKS})?"
    r"(?P<other>[^\]\n#:]{0,60})?[\]#:]{0,4}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_FEWEST_WORDS = 6
"""A shorter one ("Please provide a patch.") leans on the sections before it, unless it asks."""


def asking_section(text: str) -> tuple[str, str] | None:
    """(the last section that asks, all that stands around it), None where there is none."""
    marks = list(_HEADING.finditer(text))
    for number in reversed(range(len(marks))):
        mark = marks[number]
        if not mark["asks"] or (mark["other"] or "").strip():
            continue
        end = marks[number + 1].start() if number + 1 < len(marks) else len(text)
        body = text[mark.end() : end].strip()
        if len(body.split()) >= _FEWEST_WORDS or body.endswith(("?", "？")):
            return body, f"{text[: mark.start()]}\n{text[end:]}"
    return None
