"""What schemathesis loads beside the OpenAPI document: cases that get past the door.

A made-up body names a model that nobody has, so that nearly all of them end as a 404. Two of three
get a model that there is, and keep only a few of the optional parameters, so that many reach the
graph. The rest stays as it was made. Chosen by the body itself: the same seed, the same cases.

Counts what came back in the file that the variable FUZZ_STATUSES names.
"""

import json
import os
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Any

import schemathesis

__all__: list[str] = []

_NEEDED = frozenset({"model", "messages", "input", "stream", "ockham"})
_KEPT = 2
_MODELS = ("ockham/auto", "ockham/always-small", "ockham/always-large", "large")
_seen: Counter[str] = Counter()


@schemathesis.hook
def map_body(_: Any, body: Any) -> Any:
    """The body, or one nearer to what clients send."""
    if not isinstance(body, dict) or "model" not in body:
        return body
    lot = blake2b(repr(body).encode(), digest_size=8).digest()
    if lot[0] % 3 == 0:
        return body
    optional = sorted(set(body) - _NEEDED, key=lambda name: (lot[1 + len(name) % 6], name))
    kept = {name: body[name] for name in body if name in _NEEDED or name in optional[:_KEPT]}
    return {**kept, "model": _MODELS[lot[7] % len(_MODELS)]}


@schemathesis.hook
def after_call(_: Any, case: Any, response: Any) -> None:
    """Count, and leave the counts where the bench finds them."""
    _seen[f"{case.operation.path} {response.status_code}"] += 1
    Path(os.environ["FUZZ_STATUSES"]).write_text(json.dumps(_seen), encoding="utf-8")
