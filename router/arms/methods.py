"""Methods: how an arm turns one question into one answer, with all parameters.

One interface: `done` says after each sample whether another one is needed, `choose` says which
sample is the answer. Both are pure, so a running arm and a replay of recorded samples use the
same object. What a method needs beside samples (log-probabilities, the verifier, checked
claims) it says, and `router.arms.sampler` gets it.

    method           k samples, then                                    source
    single           the only sample
    majority         the most frequent answer                           arXiv 2203.11171
    weighted         votes weighed by log-probability or certainty      arXiv 2502.18581, 2508.15260
    clr              votes weighed by the reliability of claims         arXiv 2606.16140, 3.1
    best_of_n        the sample that the verifier trusts most
    long2short       the cheapest of those that the verifier passed     after arXiv 2606.16140
    adaptive         as majority, until the lead is probably right      arXiv 2305.11860
    budget_forcing   close the thinking at a cap, ask for the answer    after arXiv 2501.19393

In a configuration a method is its name (`method: majority`) or its name with parameters
(`method: {name: majority, k: 16, early_stop: false}`). Any method of several samples takes
`spectrum`: prompts and temperatures that its samples are drawn with in turn.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from router.arms.spectrum import Spectrum
from router.arms.voting import (
    Candidate,
    Chosen,
    borda,
    by_votes,
    decided,
    probably_decided,
    tally,
)
from router.record import Record

__all__ = [
    "Adaptive",
    "BestOfN",
    "BudgetForcing",
    "Clr",
    "Long2Short",
    "Majority",
    "Method",
    "Sampled",
    "Single",
    "Weighted",
]

CERTAINTY_CANDIDATES = 5


class Single(Record):
    """One sample, shown as it is written."""

    name: Literal["single"] = "single"

    @property
    def k(self) -> int:
        """One."""
        return 1

    @model_serializer
    def _as_name(self) -> str:
        return self.name


class Sampled(Record):
    """Parameters of every method that may draw several samples."""

    name: str
    k: int = Field(default=8, ge=1, le=256)
    """Most samples."""
    parallel: int = Field(default=4, ge=1, le=256)
    """Samples in flight at once. Fewer waste less where the method can stop early."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Of the samples; null is the model's own. It stands above what a caller asks for."""
    spectrum: Spectrum = ()
    """Samples take these in turn; `default` is the packaged one."""

    @property
    def logprobs(self) -> int | None:
        """Candidates a token whose log-probabilities the method needs; None: it needs none."""
        return None

    @property
    def verifies(self) -> bool:
        """Whether every sample is given to the verifier."""
        return False

    def done(self, seen: Sequence[Candidate]) -> str | None:
        """Why no further sample is needed, in words; None where one is."""
        return None

    def choose(self, seen: Sequence[Candidate]) -> Chosen:
        """The answer among the samples seen, by plain majority unless the method says else."""
        return by_votes(seen)

    def _overtaken_by_none(self, seen: Sequence[Candidate]) -> str | None:
        left = self.k - len(seen)
        if left > 0 and decided(tally(seen), left):
            return f"stopped after {len(seen)} of {self.k}: no other answer can overtake"
        return None


class Majority(Sampled):
    """Self-consistency (Wang et al. 2022). `early_stop` never changes the answer."""

    name: Literal["majority"] = "majority"
    early_stop: bool = True

    def done(self, seen: Sequence[Candidate]) -> str | None:
        """With `early_stop`: the lead is larger than all that is left."""
        return self._overtaken_by_none(seen) if self.early_stop else None


class Adaptive(Sampled):
    """Adaptive-Consistency: majority, but it stops where the lead is *probably* decided."""

    name: Literal["adaptive"] = "adaptive"
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    least: int = Field(default=2, ge=1)
    """Samples before it may stop."""

    @model_validator(mode="after")
    def _fits(self) -> "Adaptive":
        if self.least > self.k:
            raise ValueError(f"least = {self.least} is above k = {self.k}")
        return self

    def done(self, seen: Sequence[Candidate]) -> str | None:
        """The Beta criterion, or what stops a plain majority."""
        votes = tally(seen)
        if self.least <= len(seen) < self.k and probably_decided(votes, self.confidence):
            return f"stopped after {len(seen)} of {self.k}: the lead holds with {self.confidence:g}"
        return self._overtaken_by_none(seen)


class Weighted(Sampled):
    """Votes weighed by how sure the model was of its own words."""

    name: Literal["weighted"] = "weighted"
    by: Literal["logprob", "answer_logprob", "certainty"] = "logprob"
    """exp of the mean log-probability of the whole sample, or of its answer; or the certainty."""
    borda: float | None = Field(default=None, gt=0)
    """Weigh by rank instead: (n - rank + 1) ** borda."""

    @property
    def logprobs(self) -> int | None:
        """Only certainty looks at more than the token that was taken."""
        return CERTAINTY_CANDIDATES if self.by == "certainty" else 1

    def choose(self, seen: Sequence[Candidate]) -> Chosen:
        """The heaviest answer. A voter that the server gave no log-probabilities of weighs as
        the lightest one; where it gave none at all, each vote counts one."""
        weights = [self._weight(one) for one in seen]
        known = [w for w, one in zip(weights, seen, strict=True) if w is not None and _votes(one)]
        if not known:
            return by_votes(seen, None, ("the server gave no log-probabilities: plain majority",))
        filled = [min(known) if w is None else w for w in weights]
        if self.borda is not None:
            voters = [i for i, one in enumerate(seen) if _votes(one)]
            ranked = borda([filled[i] for i in voters], self.borda)
            filled = [0.0] * len(seen)
            for place, vote in zip(voters, ranked, strict=True):
                filled[place] = vote
        return by_votes(seen, filled)

    def _weight(self, one: Candidate) -> float | None:
        if self.by == "certainty":
            return one.certainty
        value = one.logprob if self.by == "logprob" else one.answer_logprob
        return None if value is None else math.exp(value)


class Clr(Sampled):
    """Claim-level reliability: r = (validated / M) ** M, summed over equivalent answers."""

    name: Literal["clr"] = "clr"
    claims: int = Field(default=5, ge=1, le=20)
    """M."""
    claim_tokens: int = Field(default=2048, ge=16)
    """Token cap of the call that extracts a sample's claims; a thinking model needs room."""
    check_tokens: int = Field(default=4096, ge=8)
    """Token cap of the call that checks one claim."""

    def choose(self, seen: Sequence[Candidate]) -> Chosen:
        """A sample whose claims were not checked weighs nothing."""
        if not any(one.reliability for one in seen if _votes(one)):
            return by_votes(seen, None, ("no sample's claims were validated: plain majority",))
        return by_votes(seen, [one.reliability or 0.0 for one in seen])


class BestOfN(Sampled):
    """The sample that the verifier trusts most; among equals, the majority's."""

    name: Literal["best_of_n"] = "best_of_n"
    stop_at_pass: bool = True
    """Draw no more once one has passed."""

    @property
    def verifies(self) -> bool:
        """Always."""
        return True

    def done(self, seen: Sequence[Candidate]) -> str | None:
        """With `stop_at_pass`: a sample has passed."""
        if not self.stop_at_pass or len(seen) >= self.k:
            return None
        passed = next((i for i, one in enumerate(seen) if one.passed), None)
        if passed is None:
            return None
        return f"stopped after {len(seen)} of {self.k}: sample {passed} passed its check"

    def choose(self, seen: Sequence[Candidate]) -> Chosen:
        """Passed before unchecked before failed, then P(right), then votes, then the first."""
        eligible = [i for i, one in enumerate(seen) if _votes(one) or one.passed]
        if not eligible:
            return by_votes(seen)
        votes = tally(seen)

        def rank(i: int) -> tuple[float, ...]:
            cluster = seen[i].cluster
            return (*_trust(seen[i]), 0.0 if cluster is None else votes[cluster], -i)

        best = max(eligible, key=rank)
        return by_votes(seen)._replace(sample=best, share=_share(seen, best))


class Long2Short(Sampled):
    """Among the answers that verify, the cheapest; never one that does not, for being short."""

    name: Literal["long2short"] = "long2short"

    @property
    def verifies(self) -> bool:
        """Always."""
        return True

    def choose(self, seen: Sequence[Candidate]) -> Chosen:
        """The verified majority's shortest sample; without a verified one, the majority."""
        verified = [i for i, one in enumerate(seen) if one.passed is True]
        if not verified:
            return by_votes(seen, None, ("no sample was verified: plain majority",))
        # A verified sample that agrees with none (it has no cluster) stands for itself.
        alone = (cluster for cluster in range(-2, -2 - len(seen), -1))
        passed = [
            one if _votes(one) else one._replace(cluster=next(alone))
            for one in (seen[i] for i in verified)
        ]
        first = by_votes(passed).sample or 0
        same = [
            i
            for i, one in zip(verified, passed, strict=True)
            if one.cluster == passed[first].cluster
        ]
        best = min(same, key=lambda i: (seen[i].completion_tokens, i))
        return by_votes(seen)._replace(sample=best, share=_share(seen, best))


class BudgetForcing(Sampled):
    """At a cap, close the thinking, continue the message, and ask for the answer."""

    name: Literal["budget_forcing"] = "budget_forcing"
    k: int = Field(default=1, ge=1, le=256)
    budget_tokens: int = Field(default=8192, ge=16)
    """Tokens before the answer is forced; a sample that ends before is left alone."""
    answer_tokens: int = Field(default=256, ge=8)
    """Tokens of the forced answer."""
    how: Literal["continue", "turn"] = "continue"
    """`continue` goes on with the model's own message (vLLM, SGLang, llama.cpp); `turn` asks
    in a new user turn, for providers that cannot."""


def _named(value: Any) -> Any:
    """A bare name as a mapping; what names no method is told which there are."""
    if isinstance(value, str):
        value = {"name": value}
    if isinstance(value, Mapping) and value.get("name") not in METHODS:
        said = f"no method {value['name']!r}" if "name" in value else "name the method"
        raise ValueError(f"{said}; there are: {', '.join(METHODS)}")
    if not isinstance(value, Mapping | Record):
        raise ValueError(f"must be a method's name, or a mapping with it: {', '.join(METHODS)}")
    return value


_KINDS = (Single, Majority, Weighted, Clr, BestOfN, Long2Short, Adaptive, BudgetForcing)
METHODS: tuple[str, ...] = tuple(kind.model_fields["name"].default for kind in _KINDS)
Method = Annotated[
    Single | Majority | Weighted | Clr | BestOfN | Long2Short | Adaptive | BudgetForcing,
    Field(discriminator="name"),
    BeforeValidator(_named),
]
"""What stands under `arms.<name>.method`."""


def _votes(one: Candidate) -> bool:
    return one.cluster is not None


def _share(seen: Sequence[Candidate], chosen: int) -> float | None:
    """Of the votes, the chosen sample's cluster's; None where it has none."""
    votes, cluster = tally(seen), seen[chosen].cluster
    return None if cluster is None else votes[cluster] / sum(votes.values())


def _trust(one: Candidate) -> tuple[int, float]:
    """Order of trust: passed, unchecked, failed; then P(right)."""
    rank = {True: 2, None: 1, False: 0}[one.passed]
    return rank, -1.0 if one.confidence is None else one.confidence
