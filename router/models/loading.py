"""LiteLLM itself: imported late, kept quiet, and let go of."""

import asyncio
import os
import sys
from contextlib import suppress
from functools import cache
from typing import Any

__all__ = ["close_clients", "load_litellm"]


@cache
def load_litellm() -> Any:
    """LiteLLM, imported where the first call is made (seconds), quiet and offline."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    # It would cut a looping model off as if its server had died; our token cap ends loops.
    setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", sys.maxsize)  # noqa: B010
    _price_no_beginnings(litellm)
    return litellm


def _price_no_beginnings(litellm: Any) -> None:
    """Spare it the price of a stream that has not begun, which nobody reads.

    It prices the whole answer at the end, for those of its callbacks that want to know.
    """
    from litellm.litellm_core_utils.litellm_logging import Logging

    price = Logging.response_cost_calculator

    def of_answers(self: Any, result: Any, *args: Any, **more: Any) -> float | None:
        if isinstance(result, litellm.CustomStreamWrapper):
            return None
        cost: float | None = price(self, result, *args, **more)
        return cost

    setattr(Logging, "response_cost_calculator", of_answers)  # noqa: B010


async def close_clients() -> None:
    """Hang up all that LiteLLM keeps open in this event loop; call it before the loop ends.

    Left to the garbage collector they would keep their sockets until it finds them.
    """
    if "litellm" not in sys.modules:
        return
    cache = load_litellm().in_memory_llm_clients_cache
    # LiteLLM's key of a client ends with the loop that it belongs to.
    own = f"-{id(asyncio.get_running_loop())}"
    for key in [key for key in cache.cache_dict if key.endswith(own)]:
        client = cache.cache_dict.pop(key)
        cache.ttl_dict.pop(key, None)
        with suppress(Exception):  # a broken connection is closed enough
            await client.close()
