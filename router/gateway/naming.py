"""What a model's name asks for: the router, a policy of it, one arm, or a model as it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from policies import Policy
from policies.policy import ready_policies
from router.concrete import OnlyModel, concrete_names
from router.embedding import embedding_names
from router.errors import InputError
from router.facade import Router
from router.gateway.errors import Refused
from router.gateway.fields import Overrides

__all__ = ["AUTO", "Target", "model_names", "no_model", "target_of"]

AUTO = "ockham/auto"
_OURS = "ockham/"
_HABITS = ("router", "auto")
"""`router`: how Inspect's provider may name us."""


@dataclass(frozen=True, slots=True)
class Target:
    """What runs: `choice` goes to the router, `policy` is its name; None is the configured one."""

    policy: str | None = None
    choice: Policy | str | None = None

    @property
    def as_it_is(self) -> bool:
        """Whether a model is named: the request is passed through to it."""
        return isinstance(self.choice, OnlyModel)


def target_of(router: Router, model: str, asked: Overrides) -> Target:
    """What `model` and the overrides ask for. Raises `Refused` (404, 400)."""
    name = model.removeprefix(_OURS)
    if model == AUTO or name in _HABITS:
        return _policy(asked.policy, "ockham.policy") if asked.policy else Target()
    if asked.policy is not None and asked.policy.removeprefix(_OURS) != name:
        raise Refused(
            400, f"a policy goes with the model {AUTO} only", "invalid_value", "ockham.policy"
        )
    if name in ready_policies():
        return Target(name, name)
    try:
        only = router.concrete(model)
    except InputError:
        raise no_model(model) from None
    return Target(f"{only.name}:{only.arm}", only)


def no_model(model: str) -> Refused:
    """OpenAI's answer to a name that nobody knows."""
    said = f"no model {model[:200]!r} here; see GET /v1/models"
    return Refused(404, said, "model_not_found", "model")


def _policy(name: str, param: str) -> Target:
    """Only names: a file or a module is for the configuration to name, not for a client."""
    bare = name.removeprefix(_OURS)
    if bare == "auto":
        return Target()
    if bare not in ready_policies():
        known = ", ".join(ready_policies())
        raise Refused(400, f"no policy {name!r}; there are {known}", "invalid_value", param)
    return Target(bare, bare)


def model_names(router: Router) -> Iterator[tuple[str, str]]:
    """(name, owner) of everything that `model` may be."""
    yield AUTO, "ockham"
    for name in ready_policies():
        yield _OURS + name, "ockham"
    for name in concrete_names(router.settings):
        yield name, "arm" if name in router.settings.arms else "model"
    for name in embedding_names(router.settings):
        yield name, "embeddings"
