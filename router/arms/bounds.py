"""How many tokens a method takes: expected, and at worst.

For the estimates that a policy sees and a trace shows. The cap itself is held call by call in
`router.arms.spending`, with the messages that are really sent.
"""

from typing import NamedTuple

from router.arms.methods import BudgetForcing, Clr, Sampled, Single

__all__ = ["Tokens", "expected_tokens", "instruction_bytes", "worst_tokens"]

BYTES_PER_TOKEN = 4
"""Of a model's own text when it comes back as a prompt; roughly."""
CLAIM_PROMPT, CLAIM_BYTES = 250, 500
"""Tokens of a claim prompt's own words; longest claim."""
CLAIM_TOKENS, CHECK_TOKENS, FORCED_TOKENS = 40, 60, 40
"""Expected tokens of one claim, one check, one forced answer; predictions only."""


class Tokens(NamedTuple):
    """Prompt and completion tokens, all calls together."""

    prompt: int
    completion: int

    def times(self, n: int) -> "Tokens":
        """So many of them."""
        return Tokens(self.prompt * n, self.completion * n)


def worst_tokens(method: Sampled | Single, prompt: int, cap: int) -> Tokens:
    """Most tokens of all samples with their claims and checks; one sample's are
    (`prompt`, `cap`)."""
    if isinstance(method, BudgetForcing):
        budget = min(cap, method.budget_tokens)
        again = prompt + budget * BYTES_PER_TOKEN
        return Tokens(prompt + again, budget + method.answer_tokens).times(method.k)
    one = Tokens(prompt, cap)
    if isinstance(method, Clr):
        claims = prompt + cap * BYTES_PER_TOKEN + CLAIM_PROMPT
        checks = (prompt + CLAIM_BYTES + CLAIM_PROMPT) * method.claims
        written = method.claim_tokens + method.claims * method.check_tokens
        one = Tokens(prompt + claims + checks, cap + written)
    return one.times(method.k)


def expected_tokens(method: Sampled | Single, prompt: int, written: int) -> Tokens:
    """The same as a prediction. What early stopping saves is not in it."""
    one = Tokens(prompt, written)
    if isinstance(method, BudgetForcing) and written > method.budget_tokens:
        again = prompt + method.budget_tokens
        one = Tokens(prompt + again, method.budget_tokens + FORCED_TOKENS)
    if isinstance(method, Clr):
        claims = prompt + written + CLAIM_PROMPT
        checks = (prompt + CLAIM_TOKENS + CLAIM_PROMPT) * method.claims
        made = (CLAIM_TOKENS + CHECK_TOKENS) * method.claims
        one = Tokens(prompt + claims + checks, written + made)
    return one.times(method.k)


def instruction_bytes(method: Sampled | Single) -> int:
    """Of the longest instruction in its spectrum."""
    variants = method.spectrum if isinstance(method, Sampled) else ()
    return max((len((v.instruction or "").encode()) for v in variants), default=0)
