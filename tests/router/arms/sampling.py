"""What the tests of sampling share: an arm, replies in turn, prices.

The fake counts 11 prompt tokens and one a word; the price is 1 and 4 USD a million.
"""

import itertools
import threading

__all__ = ["PROMPT", "TEMPERATURE", "WORD", "arm", "cost_of", "replies", "statuses"]

PROMPT, WORD = 1e-6, 4e-6
TEMPERATURE = 0.8


def arm(name="majority", **parameters):
    single = {"temperature": TEMPERATURE} if name != "single" else {}
    return {"vote": {"model": "small", "method": {"name": name, **single, **parameters}}}


def replies(*texts):
    """A fake that gives these replies in turn, the last one for ever."""
    turn = itertools.chain(texts, itertools.repeat(texts[-1]))
    lock = threading.Lock()

    def answer(messages):
        with lock:
            return next(turn)

    return answer


def statuses(attempt):
    return [str(s.status) for s in attempt.samples]


def cost_of(attempt):
    return PROMPT * attempt.prompt_tokens + WORD * attempt.completion_tokens
