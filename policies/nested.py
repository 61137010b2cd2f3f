"""Fields that hold another policy: a name, a name with params, or a state become the policy; in a
state it is that policy's state, so wrappers and scorers nest as plain data."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from policies.case import PolicyError
from policies.policy import Policy, create
from policies.threshold import ThresholdPolicy

__all__ = ["AS_STATE", "BUILT", "Nested", "Scorer"]

_KEYS = {"name", "params", "version"}


def _built(value: Any) -> Any:
    """A policy from a name, a name with params, or a state (which also says its version)."""
    if isinstance(value, str):
        return create(value)
    if not isinstance(value, Mapping):
        return value
    unknown = sorted(set(map(str, value)) - _KEYS)
    if "name" not in value or unknown:
        what = f"unknown key {unknown[0]!r}" if unknown else "no name"
        raise PolicyError(f"a policy is given by name and params, this has {what}")
    if "version" in value:
        return Policy.from_state(value)
    return create(str(value["name"]), value.get("params"))


BUILT = BeforeValidator(_built)
AS_STATE = PlainSerializer(lambda policy: policy.to_state())
"""For a field of one kind of policy: `Annotated[Kind, BUILT, AS_STATE]`."""

Nested = Annotated[Policy, BUILT, AS_STATE]
"""Any policy."""
Scorer = Annotated[ThresholdPolicy, BUILT, AS_STATE]
"""One with a score; its own threshold is not used."""
