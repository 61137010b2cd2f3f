"""What a model can do beside text (`router.needs`), and where that is known from.

models.NAME.can         as the settings say, and nothing else
the embedded model      nothing
a LiteLLM model         its price map (`supports_vision`, ...), without importing LiteLLM;
                        n, logprobs, logit_bias: what its provider takes, once it is loaded
a server of your own    nothing, unless its settings say so: a server that ignores a
                        parameter looks like one that knows it (vLLM and llama.cpp keep to a
                        json_schema: `can: [json_schema]` says so of yours)
"""

from typing import Any

from router.models.prices import price_entry
from router.needs import ABILITIES, Ability
from router.settings import ModelSettings

__all__ = ["abilities", "provider_takes"]

_SUPPORTS: dict[Ability, str] = {
    "tools": "supports_function_calling",
    "images": "supports_vision",
    "audio": "supports_audio_input",
    "files": "supports_pdf_input",
    "json_schema": "supports_response_schema",
}
_PARAMETERS: dict[Ability, str] = {"n": "n", "logprobs": "top_logprobs", "logit_bias": "logit_bias"}


def abilities(settings: ModelSettings, model: str | None) -> frozenset[Ability]:
    """As far as it is known without a call. `model`: LiteLLM's name, where there is one."""
    if settings.can is not None:
        return frozenset(settings.can)
    if settings.deployments:  # whichever is asked has to do it
        return frozenset.intersection(*(_mapped(one.model) for one in settings.deployments))
    if settings.serve is not None and settings.api_base is None:
        return frozenset()
    return _mapped(model)


def _mapped(model: str | None) -> frozenset[Ability]:
    entry = price_entry(model) if model else None
    if entry is None:
        return frozenset()
    stated = {a for a, key in _SUPPORTS.items() if entry.get(key)}
    return frozenset(a for a in ABILITIES if a in stated or a in _PARAMETERS)


def provider_takes(
    litellm: Any, settings: ModelSettings, model: str, can: frozenset[Ability]
) -> frozenset[Ability]:
    """Of what a model can do, what LiteLLM can ask of its provider."""
    if settings.can is not None or not can:
        return can
    try:
        takes = set(litellm.get_supported_openai_params(model=model) or ())
    except Exception:  # a provider that LiteLLM has no list for
        takes = set()
    return frozenset(a for a in can if a not in _PARAMETERS or _PARAMETERS[a] in takes)
