"""Several places that serve one model: LiteLLM's Router says which one is asked next.

It weighs (`weight`, `rpm`, `tpm`), orders (`order`), and leaves out what is cooling down. The
call itself, its deadline, its retries and its bill stay ours (`router.models.client`,
`router.arms.spending`): the Router's own retries would spend what nobody reserved.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from router.errors import ModelUnavailable
from router.settings import ModelSettings

if TYPE_CHECKING:
    from router.models.completion import Endpoint

__all__ = ["Deployments"]


class Deployments:
    """The deployments of `models.NAME`. `litellm`: the loaded package."""

    def __init__(self, name: str, settings: ModelSettings, litellm: Any) -> None:
        self._name = name
        self._stall_s = {
            _id(name, i): one.timeout or settings.stall_s
            for i, one in enumerate(settings.deployments)
        }
        self._router = litellm.Router(
            model_list=[
                {
                    "model_name": name,
                    "litellm_params": one.litellm_params(),
                    "model_info": {"id": _id(name, i)},
                }
                for i, one in enumerate(settings.deployments)
            ],
            num_retries=0,
            allowed_fails=0,
            cooldown_time=settings.cooldown_s,
        )

    async def pick(self, endpoint: "Endpoint") -> "Endpoint":
        """The endpoint of the deployment that is next.

        Raises:
            ModelUnavailable: all of them are cooling down.
        """
        try:
            chosen = await self._router.async_get_available_deployment(
                model=self._name, request_kwargs={}
            )
        except (ValueError, LookupError) as error:
            raise ModelUnavailable(
                f"models.{self._name}: all of its deployments failed lately and are cooling down "
                f"(models.{self._name}.cooldown_s)"
            ) from error
        params, at = chosen["litellm_params"], chosen["model_info"]["id"]
        return replace(
            endpoint,
            model=params["model"],
            api_base=params.get("api_base"),
            api_key=params.get("api_key"),
            stall_s=self._stall_s[at],
            deployment=at,
        )

    def failed(self, deployment: str, error: Exception) -> None:
        """It answered no token: leave it out for a while."""
        told = {"exception": error, "litellm_params": {"model_info": {"id": deployment}}}
        self._router.deployment_callback_on_failure(told, None, None, None)

    def close(self) -> None:
        """Take its callbacks out of LiteLLM."""
        self._router.discard()


def _id(name: str, place: int) -> str:
    """As it stands in an attempt: the model's name and its place in the list."""
    return f"{name}[{place}]"
