"""Which methods are compared, by which name, on which pool, and what a pool must hold for them.

name                 pool      method
majority             plain     plain votes, all k samples: what the others are held against
early-stop           plain     the same, until nothing can overtake
adaptive             plain     the same, until the lead is probably right (0.95)
weighted-logprob     plain     votes weighed by exp(mean log-probability)
weighted-answer      plain     the same, over the answer's tokens
weighted-certainty   plain     votes weighed by the certainty
weighted-borda       plain     votes weighed by the rank of the certainty, power 1
best-of-n            plain     what the verifier trusts most; stops at the first that passed
best-of-n-all        plain     the same, without stopping
long2short           plain     the shortest of what the verifier passed
clr                  clr       votes weighed by the reliability of checked claims
clr-shuffled         clr       the same with the reliabilities of a question's samples shuffled:
                               what CLR wins beside it, the checks have won, and not chance
forced               forced    plain votes of samples whose answer was forced at a cap
spectrum             spectrum  plain votes of samples of several prompts in turn
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from eval.scaling.pool import KINDS, Kind, Pool
from router.arms.methods import Adaptive, BestOfN, Clr, Long2Short, Majority, Sampled, Weighted
from router.errors import InputError

__all__ = ["BASELINE", "LINEUP", "SHUFFLED", "Entry", "chosen", "kinds_of", "why_not"]

BASELINE, SHUFFLED = "majority", "clr-shuffled"


class Entry(NamedTuple):
    """A method in the comparison."""

    kind: Kind
    method: Sampled
    needs: str | None = None
    """Field of `Candidate` without which the method would be a plain majority."""


_ALL = Majority(early_stop=False)
LINEUP: Mapping[str, Entry] = {
    BASELINE: Entry("plain", _ALL),
    "early-stop": Entry("plain", Majority()),
    "adaptive": Entry("plain", Adaptive()),
    "weighted-logprob": Entry("plain", Weighted(by="logprob"), "logprob"),
    "weighted-answer": Entry("plain", Weighted(by="answer_logprob"), "answer_logprob"),
    "weighted-certainty": Entry("plain", Weighted(by="certainty"), "certainty"),
    "weighted-borda": Entry("plain", Weighted(by="certainty", borda=1.0), "certainty"),
    "best-of-n": Entry("plain", BestOfN(), "passed"),
    "best-of-n-all": Entry("plain", BestOfN(stop_at_pass=False), "passed"),
    "long2short": Entry("plain", Long2Short(), "passed"),
    "clr": Entry("clr", Clr(), "reliability"),
    SHUFFLED: Entry("clr", Clr(), "reliability"),
    "forced": Entry("forced", _ALL),
    "spectrum": Entry("spectrum", _ALL),
}
_MISSING = {
    "logprob": "log-probabilities (its arm: `logprobs: 5`)",
    "answer_logprob": "log-probabilities of its answer (its arm: `logprobs: 5`)",
    "certainty": "a certainty (its arm: `logprobs: 5`)",
    "passed": "a check that passed or failed",
    "reliability": "checked claims (its arm: `method: {name: clr, k: 1}`)",
}


def chosen(names: Iterable[str], kinds: Iterable[Kind]) -> tuple[str, ...]:
    """The methods asked for, in the lineup's order; none asked: all of `kinds`. Majority stands
    beside all of them, and the shuffled one beside `clr`.

    Raises:
        InputError: an unknown name, or one whose pool is not among `kinds`.
    """
    asked, have = set(names), set(kinds)
    unknown = sorted(asked - set(LINEUP))
    if unknown:
        raise InputError(f"--methods: no method {unknown[0]!r}; there are: {', '.join(LINEUP)}")
    for name in sorted(asked):
        if (kind := LINEUP[name].kind) not in have:
            raise InputError(f"--methods: {name} needs a pool of its own: --pool {kind}=FOLDER")
    wanted = asked or {name for name, entry in LINEUP.items() if entry.kind in have}
    beside = {BASELINE, SHUFFLED} if "clr" in wanted else {BASELINE}
    return tuple(name for name in LINEUP if name in wanted | beside)


def kinds_of(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[Kind, ...]]:
    """The methods asked for, and the pools to draw for them; none asked: those on plain samples.

    Raises:
        InputError: an unknown name.
    """
    methods = chosen(names, KINDS if names else ["plain"])
    needed = {LINEUP[name].kind for name in methods}
    return methods, tuple(kind for kind in KINDS if kind in needed)


def why_not(name: str, pool: Pool) -> str | None:
    """Why a method cannot be replayed on the pool; None where it can."""
    needs = LINEUP[name].needs
    if needs is None or pool.knows(needs):
        return None
    return f"{name}: not replayable: no voting sample of the {pool.kind} pool has {_MISSING[needs]}"
