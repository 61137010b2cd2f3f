"""Log-probabilities of a completion, made into a few numbers.

What: mean, minimum, the mean over the final answer's tokens, and DeepConf's token confidence
(Fu et al. 2025, arXiv 2508.15260): minus the mean log-probability of the candidates that the
server listed for a place, averaged over the places. A model that is sure gives nearly all
its probability to one candidate, so the others' logarithms, and with them this number, are
large. What not: self-certainty over the whole vocabulary (arXiv 2502.18581): servers list
20 candidates at most.
"""

from collections.abc import Sequence

from router.models.logprobs import TokenLogprob
from router.samples import TokenStats

__all__ = ["token_stats"]


def token_stats(tokens: Sequence[TokenLogprob], answer: str | None = None) -> TokenStats | None:
    """None where the server gave no log-probabilities. `answer`: as written in the text."""
    if not tokens:
        return None
    listed = [-t.candidates for t in tokens if t.candidates is not None]
    return TokenStats(
        mean=_mean([t.logprob for t in tokens]),
        minimum=min(t.logprob for t in tokens),
        answer=_of_answer(tokens, answer) if answer else None,
        certainty=_mean(listed) if listed else None,
        tokens=len(tokens),
    )


def _of_answer(tokens: Sequence[TokenLogprob], answer: str) -> float | None:
    """Mean over the tokens that the last occurrence of the answer touches."""
    start = "".join(t.text for t in tokens).rfind(answer)
    if start < 0:
        return None
    touched, at = [], 0
    for token in tokens:
        if at < start + len(answer) and at + len(token.text) > start:
            touched.append(token.logprob)
        at += len(token.text)
    return _mean(touched) if touched else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
