"""Faster embedding where the processor multiplies bfloat16 natively.

A build embeds tens of thousands of passages, and nearly all of its time is matrix products.
Processors with AVX512-BF16 or AMX do these two to three times as fast in bfloat16; others
only emulate it, slower. So both are timed once (a few milliseconds), and the faster is used.
Rows stay within a cosine of 0.999 of the float32 ones; queries are always embedded in float32.

What this does not do: change the model, its weights, or anything outside the `with` block.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["bfloat16_is_faster", "fast_products"]

_ROWS, _IN, _OUT, _ROUNDS = 1024, 384, 1536, 5
_GAIN = 1.3
"""Less than this is not worth the rounding."""


@contextmanager
def fast_products() -> Iterator[bool]:
    """In this thread, run the encoder's products in bfloat16 if that is faster; yields if so."""
    import torch

    chosen = bfloat16_is_faster()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=chosen):
        yield chosen


def bfloat16_is_faster() -> bool:
    """Timed on a product of the encoder's own shape."""
    import torch

    def seconds(dtype: Any) -> float:
        left = torch.ones(_ROWS, _IN, dtype=dtype)
        right = torch.ones(_IN, _OUT, dtype=dtype)
        return _best(lambda: torch.mm(left, right))

    with torch.inference_mode():
        return seconds(torch.float32) > _GAIN * seconds(torch.bfloat16)


def _best(product: Callable[[], Any]) -> float:
    product()  # the first call plans and allocates
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        product()
        times.append(time.perf_counter() - start)
    return min(times)
