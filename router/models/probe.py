"""A real completion as the proof that a server works, and its speed with one stream.

Servers say healthy before they can answer (llama.cpp while it loads, vLLM when its engine
will die at the first request), so health is never asked for here.
"""

from datetime import UTC, datetime

from router.models.client import complete
from router.models.completion import Completion, Endpoint
from router.models.prices import Rates

__all__ = ["PROBE", "PROBE_TOKENS", "ask", "completion_rate", "measure_rates"]

PROBE = "Count from one to one hundred in words."
PROBE_TOKENS = 32
PROBE_S = 60.0


async def ask(endpoint: Endpoint, text: str, max_tokens: int) -> Completion:
    """One completion of one user turn. Raises the `ModelError` it ended with."""
    done = await complete(
        endpoint, [{"role": "user", "content": text}], max_tokens=max_tokens, timeout_s=PROBE_S
    )
    if done.error is not None:
        raise done.error
    return done


async def measure_rates(endpoint: Endpoint) -> Rates:
    """Tokens per second of reading and of writing. Raises `ModelError`."""
    short = await ask(endpoint, PROBE, PROBE_TOKENS)
    # A fresh salt: a cached prefix would measure the cache.
    salt = datetime.now(UTC).isoformat()
    long = await ask(endpoint, f"{salt} " + "The quick brown fox jumps. " * 40, 1)
    return Rates(
        prompt_tps=max(1, long.prompt_tokens) / (long.first_token_seconds or long.seconds),
        completion_tps=completion_rate(short),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def completion_rate(done: Completion) -> float:
    """Tokens per second after the first; the whole call's rate where there was only one."""
    if done.first_token_seconds is not None and done.last_token_seconds is not None:
        writing = done.last_token_seconds - done.first_token_seconds
        if done.completion_tokens > 1 and writing > 0:
            return (done.completion_tokens - 1) / writing
    return max(1, done.completion_tokens) / done.seconds
