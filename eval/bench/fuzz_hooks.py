"""What schemathesis loads beside the OpenAPI document: cases that get past the door.

A made-up body names a model that nobody has, so that nearly all of them end as a 404. Two of three
get a model that there is, a question as their last turn and a few of their optional parameters,
and two of three lose the headers that bound the run, so that many reach the graph. The rest stays
as it was made. Chosen by the case itself: the same seed, the same cases.

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
_MODELS = {"/v1/embeddings": ("ockham/embed",)}
_CHAT = ("ockham/auto", "ockham/always-small", "ockham/always-large", "large")
_TURN = {"role": "user", "content": "What is 12 * 7?"}
_seen: Counter[str] = Counter()


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """The body, or one nearer to what clients send."""
    lot = _lot(body)
    if not isinstance(body, dict) or "model" not in body or lot[0] % 3 == 0:
        return body
    optional = sorted(set(body) - _NEEDED, key=lambda name: (lot[1 + len(name) % 6], name))
    kept = {name: body[name] for name in body if name in _NEEDED or name in optional[:_KEPT]}
    for turns in ("messages", "input"):
        if isinstance(kept.get(turns), list) and context.operation.path != "/v1/embeddings":
            kept[turns] = [*kept[turns], _TURN][-1 - lot[6] % 3 :]
    models = _MODELS.get(context.operation.path, _CHAT)
    return {**kept, "model": models[lot[7] % len(models)]}


@schemathesis.hook
def map_headers(_: Any, headers: Any) -> Any:
    """The headers, or none that bound the run."""
    if not headers or _lot(headers)[0] % 3 == 0:
        return headers
    return {k: v for k, v in headers.items() if not k.lower().startswith("x-ockham")}


def _lot(drawn: Any) -> bytes:
    return blake2b(repr(drawn).encode("utf-8", "replace"), digest_size=8).digest()


@schemathesis.hook
def after_call(_: Any, case: Any, response: Any) -> None:
    """Count, and leave the counts where the bench finds them."""
    _seen[f"{case.operation.path} {response.status_code}"] += 1
    Path(os.environ["FUZZ_STATUSES"]).write_text(json.dumps(_seen), encoding="utf-8")
