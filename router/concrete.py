"""A request that names a model in place of a policy: the same graph, over one arm.

    small           a model of `models:`
    gpt-5.4         LiteLLM's name of a model of `models:`, also one that was found by its key
    small+index     an arm of `arms:`

A model is passed through: one call with what the asker sent and nothing of ours, shown as it
comes, and only held against what the asker states. An arm is its own prompt, method and check.
No other arm is tried. What is named nowhere is refused.

A name of both is the model's, unless that arm does more than one call of it.
"""

import os
from collections.abc import Mapping

from policies import OnlyArm, Policy
from router.arms.methods import Single
from router.config import Settings
from router.errors import InputError
from router.settings import ArmSettings, ModelSettings
from router.state import Query

__all__ = ["OnlyModel", "as_asked", "concrete_names", "concrete_policy", "plainest"]


class OnlyModel(OnlyArm):
    """The model of an arm, passed through."""


def as_asked(query: Query, policy: Policy) -> Query:
    """The query, marked where the policy is a model's name."""
    if not isinstance(policy, OnlyModel):
        return query
    return query.model_copy(update={"as_it_is": True})


def concrete_policy(settings: Settings, name: str) -> OnlyArm:
    """The policy that runs what is named, once.

    Raises:
        InputError: there is no such arm or model, or no arm uses the model.
    """
    own = settings.arms.get(name)
    if own is not None and (own.model != name or _extras(own)):
        return OnlyArm(arm=name)
    model = name if name in settings.models else _by_litellm_name(settings.models).get(name)
    if model is None:
        known = ", ".join(concrete_names(settings))
        raise InputError(f"no model {name!r} here; there are {known}")
    arm = plainest(settings.arms).get(model)
    if arm is None:
        raise InputError(f"no arm uses the model {model!r}: add one to the setting arms")
    return OnlyModel(arm=arm)


def concrete_names(settings: Settings) -> tuple[str, ...]:
    """What may be named: arms, models that an arm uses, LiteLLM's names of those."""
    used = {arm.model for arm in settings.arms.values()}
    theirs = [n for n, m in _by_litellm_name(settings.models).items() if m in used]
    return tuple(dict.fromkeys([*settings.arms, *sorted(used), *theirs]))


def plainest(arms: Mapping[str, ArmSettings]) -> dict[str, str]:
    """By model its arm that does least beside one call."""
    found: dict[str, str] = {}
    for name, arm in sorted(arms.items(), key=lambda item: _extras(item[1])):
        found.setdefault(arm.model, name)
    return found


def _extras(arm: ArmSettings) -> int:
    return (arm.context == "index") + (not isinstance(arm.method, Single))


def _by_litellm_name(models: Mapping[str, ModelSettings]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, model in models.items():
        chosen = model.model
        if chosen is None and model.api_base is None and model.serve is None:
            keys = model.found_by_key.items()
            chosen = next((m for key, m in keys if os.environ.get(key)), None)
        if chosen is not None:
            found.setdefault(chosen, name)
    return found
