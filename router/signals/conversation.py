"""Which text of a conversation is judged.

The last user turn, unless it is a short follow-up ("yes", "continue", "and for 7?"): such a
turn means nothing by itself, so the turn that it continues is put before it.

The rule is simple, and knows nothing of meaning: a turn of a few words that opens like a
continuation, or is one of the usual nods. What it does not do: see through wrappers, read
assistant turns, weigh the system prompt.
"""

import re

from router.state import Query

__all__ = ["is_follow_up", "judged_text"]

_MAX_WORDS = 6

_NOD_WORDS = (
    "yes y yeah on ahead yep sure ok okay no continue more next again go please right exactly "
    "proceed why how explain ja oui si sí weiter encore continua sigue"
)
_NODS = frozenset(_NOD_WORDS.split())
_OPENERS = re.compile(
    r"^(and|but|now|then|also|or|so|what about|how about|same|what if|for|with|without|try|"
    r"go on|go ahead|keep going|do it|do that|do the same|make it|show me|one more|"
    r"und|et|y|pero|aber|mais|e)\b",
    re.IGNORECASE,
)
_POINTERS = re.compile(r"\b(it|that|this|them|those|these|instead|above|again)\b", re.IGNORECASE)


def is_follow_up(text: str) -> bool:
    """Whether a turn leans on the one before it."""
    words = re.findall(r"[^\W_]+", text.lower())
    if not words:
        return True  # "?", "...", "!"
    if len(words) > _MAX_WORDS:
        return False
    return (
        all(w in _NODS for w in words)
        or bool(_OPENERS.match(text.strip()))
        or (len(words) <= 4 and bool(_POINTERS.search(text)))
    )


def judged_text(query: Query) -> str:
    """The text that the featuriser reads."""
    users = [m.content for m in query.messages if m.role == "user"]
    if not users:
        return query.text
    taken = [users.pop()]
    while users and is_follow_up(taken[0]):
        taken.insert(0, users.pop())
    # A chain of nods keeps its first and its last turn: the rest says nothing.
    return taken[0] if len(taken) == 1 else f"{taken[0]}\n{taken[-1]}"
