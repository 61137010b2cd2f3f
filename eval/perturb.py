"""The same question, written otherwise: does the policy still choose the same arm?

    typos        letters of about one word in fifteen are swapped
    case         all lower case
    space        doubled spaces and blank lines
    manners      a polite opening and closing

Each keeps what is asked. What they are not: paraphrases (those need a model), and changed
numbers (another question with another answer). After RouterArena's robustness, which also
asks for the same choice on perturbed prompts.
"""

import random
import re
from collections.abc import Callable, Mapping

__all__ = ["KINDS", "perturb"]

_WORD = re.compile(r"[A-Za-z]{5,}")
_TYPO_SHARE = 1 / 15


def _typos(text: str, rng: random.Random) -> str:
    def swap(found: re.Match[str]) -> str:
        word = found.group()
        if rng.random() >= _TYPO_SHARE:
            return word
        at = rng.randrange(1, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return _WORD.sub(swap, text)


def _case(text: str, rng: random.Random) -> str:
    return text.lower()


def _space(text: str, rng: random.Random) -> str:
    return text.replace(" ", "  ").replace("\n", "\n\n") + "\n"


def _manners(text: str, rng: random.Random) -> str:
    opening = rng.choice(("Hello! Could you please help me with this?", "Hi, a question:"))
    return f"{opening}\n\n{text}\n\nThank you very much in advance!"


KINDS: Mapping[str, Callable[[str, random.Random], str]] = {
    "typos": _typos,
    "case": _case,
    "space": _space,
    "manners": _manners,
}


def perturb(text: str, kind: str, seed: int) -> str:
    """The text in another dress; the same text, kind and seed give the same."""
    return KINDS[kind](text, random.Random(f"{seed}:{kind}:{text}"))  # noqa: S311
