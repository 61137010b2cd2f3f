"""The configuration: one YAML file plus environment variables, read by pydantic-settings.

Precedence, highest first: arguments, `OCKHAM_*` variables (nested with `__`), the file
(`--config`, else `OCKHAM_CONFIG`, else ./ockham.yaml), the packaged `default.yaml`. They
are merged key by key. Unknown keys, impossible values and missing files raise
`ConfigError`, which names the key.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError

from policies import Policy, PolicyError, create
from router.errors import ConfigError
from router.presets import read_preset

__all__ = ["ArmSettings", "ModelSettings", "Settings", "load_settings"]

DEFAULTS = Path(__file__).with_name("default.yaml")
EMBEDDED_LIMITS: Mapping[str, Any] = {
    "context_tokens": 2048,
    "max_tokens": 384,
    "languages": ("en",),
}
_NOT_SETTINGS = {"OCKHAM_CONFIG", "OCKHAM_DATA_DIR", "OCKHAM_SHARED_DATA", "OCKHAM_VLLM_PYTHON"}


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(Section):
    """One model and where it is served. Prices in USD; times in seconds."""

    tier: Literal["small", "large"]
    model: str | None = None
    """LiteLLM's model name. With `api_base` and no name, the server is asked which it has."""
    api_base: str | None = None
    """Base URL of an OpenAI-compatible server, with its /v1."""
    api_key: SecretStr | None = None
    serve: Literal["embedded", "auto"] | None = None
    """`embedded`: start llama.cpp here. `auto`: what `ockham models serve` would start.
    Ignored where `api_base` is set."""
    gguf: FilePath | None = None
    """Weights for llama.cpp; null is the packaged SmolLM2, or what `auto` finds."""
    gguf_repo: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    """Hub repository whose GGUF `auto` and `ockham models serve` may fetch; you trust it."""
    threads: int | None = Field(default=None, ge=1)
    """llama.cpp's threads; null is half the cores (its threads spin)."""
    usd_per_hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Price of the machine, for models that are yours."""
    input_usd_per_million: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output_usd_per_million: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Both set: they replace LiteLLM's price map."""
    context_tokens: int | None = Field(default=None, ge=128)
    """Prompt and completion together; null asks the server (vLLM says `max_model_len`)."""
    max_tokens: int = Field(default=8192, ge=1)
    """Token cap of a completion. A reasoner that is cut short gives no answer at all."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    stop: tuple[str, ...] | None = None
    thinking: bool = False
    """The chat template opens `<think>` itself, so that only `</think>` is ever written."""
    stall_s: float = Field(default=60, gt=0, allow_inf_nan=False)
    """Longest wait for the next token."""
    languages: tuple[str, ...] | None = None
    """ISO 639-1 codes the model is made for; null is any."""
    found_by_key: Mapping[str, str] = Field(default_factory=dict)
    """Environment variable of a provider's key -> model to use where it is set."""

    @model_validator(mode="before")
    @classmethod
    def _embedded_defaults(cls, data: Any) -> Any:
        """What suits the embedded model suits no other: it applies only where that one runs."""
        if isinstance(data, dict):
            given = {key: value for key, value in data.items() if value is not None}
            own = given.get("serve") == "embedded" and "api_base" not in given
            return {**(EMBEDDED_LIMITS if own else {}), **given}
        return data

    @model_validator(mode="after")
    def _whole_price(self) -> "ModelSettings":
        if (self.input_usd_per_million is None) != (self.output_usd_per_million is None):
            raise ValueError("set input_usd_per_million and output_usd_per_million together")
        return self

    @field_validator("api_base")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            url = AnyHttpUrl(value)
        except ValidationError:
            raise ValueError("must be a URL such as http://127.0.0.1:8000/v1") from None
        if url.username or url.password:
            raise ValueError("must hold no user or password; set api_key instead")
        return value.rstrip("/")


class ArmSettings(Section):
    """What a policy can choose: model x context x method."""

    model: str
    context: Literal["none", "index"] = "none"
    method: Literal["single"] = "single"
    max_tokens: int | None = Field(default=None, ge=1)
    """Token cap of this arm; null is the model's."""


class PolicySettings(Section):
    """A registered policy and its parameters."""

    name: str = "verifiability"
    params: Mapping[str, Any] = Field(default_factory=dict)


class LimitSettings(Section):
    """Limits of one request; they hold whatever a policy says."""

    max_steps: int = Field(ge=1, le=64)
    max_cost_usd: float = Field(ge=0, allow_inf_nan=False)
    timeout_s: float = Field(gt=0, allow_inf_nan=False)
    max_query_chars: int = Field(ge=1)


class PriceSettings(Section):
    """How a counterfactual is priced."""

    reference_model: str


class SignalSettings(Section):
    """The encoder and the head on it."""

    encoder: str
    head: FilePath | None = None


class KnowledgeSettings(Section):
    """The index."""

    path: Path | None = None
    passages: int = Field(ge=1, le=20)


class SandboxSettings(Section):
    """What runs programs that a check has to run."""

    runner: str | None = None
    """Your own as `module:Class` (see `router/verify/runner.py`); null is bubblewrap."""


class GatewaySettings(Section):
    """The HTTP face. Off loopback it refuses to start without keys."""

    host: str
    port: int = Field(ge=0, le=65535)
    api_keys: tuple[Annotated[SecretStr, Field(min_length=1)], ...] = ()


class _Defaults(YamlConfigSettingsSource):
    """The packaged defaults, merged below everything else."""

    def __init__(self, cls: type[BaseSettings]) -> None:
        super().__init__(cls, yaml_file=DEFAULTS)


class Settings(BaseSettings):
    """The whole configuration, validated. Build it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix="OCKHAM_", env_nested_delimiter="__", extra="forbid", frozen=True
    )
    _file: ClassVar[Path | None] = None

    models: Mapping[str, ModelSettings]
    arms: Mapping[str, ArmSettings]
    policy: PolicySettings
    limits: LimitSettings
    prices: PriceSettings
    signals: SignalSettings
    knowledge: KnowledgeSettings
    gateway: GatewaySettings
    sandbox: SandboxSettings
    tracing: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, environment, the user's file, the packaged defaults."""
        file = (YamlConfigSettingsSource(settings_cls, cls._file),) if cls._file else ()
        return (init_settings, env_settings, *file, _Defaults(settings_cls))

    @model_validator(mode="after")
    def _arms_name_models(self) -> "Settings":
        for name, arm in self.arms.items():
            if arm.model not in self.models:
                known = ", ".join(self.models)
                raise ValueError(f"arms.{name}.model: no model {arm.model!r} (models: {known})")
        if not self.arms:
            raise ValueError("arms: at least one arm is needed")
        return self

    def make_policy(self) -> Policy:
        """The configured policy. Raises `ConfigError` naming the parameter."""
        return make_policy(self.policy.name, self.policy.params)


def make_policy(name: str, params: Mapping[str, Any] | None = None) -> Policy:
    """A registered policy, your own as `module:Class`, or a preset's file (`.json`).

    Raises:
        ConfigError: naming the setting.
    """
    if name.endswith(".json"):
        if params:
            raise ConfigError("policy.params: a preset brings its own; leave them empty")
        return read_preset(Path(name))
    module, colon, own = name.partition(":")
    try:
        if colon:
            name = getattr(import_module(module), own).name
        return create(name, params)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"policy.name: cannot import {module}:{own}: {error}") from None
    except PolicyError as error:
        raise ConfigError(f"policy: {error}") from None


def load_settings(config: str | Path | None = None, **overrides: Any) -> Settings:
    """Read file, environment and defaults. Raises `ConfigError` that names every bad key.

    Args:
        config: a YAML file; else `OCKHAM_CONFIG`, else ./ockham.yaml where it exists.
        overrides: top-level keys that win over everything, as nested plain data.
    """
    file = _find(config)
    _check_environment()
    bound = type("Settings", (Settings,), {"_file": file, "__module__": __name__})
    try:
        settings: Settings = bound(**overrides)
        settings.make_policy()
    except ValidationError as error:
        raise ConfigError(_explain(error, file)) from None
    except SettingsError as error:
        raise ConfigError(f"environment: {error}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file or 'configuration'}: cannot be read: {error}") from None
    return settings


def _find(config: str | Path | None) -> Path | None:
    named = config or os.environ.get("OCKHAM_CONFIG")
    path = Path(named) if named else Path("ockham.yaml")
    try:
        if path.is_file():
            _check_mapping(path)
            return path
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if named:
        where = "--config" if config else "OCKHAM_CONFIG"
        raise ConfigError(f"{where}: no such file: {path}")
    return None


def _check_mapping(path: Path) -> None:
    """A file of another shape would otherwise be reported as a Python type error."""
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from None
    if data is not None and not isinstance(data, dict):
        raise ConfigError(f"{path}: must be a mapping of settings, found {type(data).__name__}")


def _check_environment() -> None:
    """pydantic-settings ignores unknown variables; a mistyped one must not be ignored."""
    for name in os.environ:
        upper = name.upper()  # pydantic-settings reads them in any case
        if not upper.startswith("OCKHAM_") or upper in _NOT_SETTINGS:
            continue
        field = upper.removeprefix("OCKHAM_").split("__")[0].lower()
        if field not in Settings.model_fields:
            known = ", ".join(f"OCKHAM_{key.upper()}__..." for key in Settings.model_fields)
            raise ConfigError(f"{name}: no such setting (known: {known})")


def _explain(error: ValidationError, file: Path | None) -> str:
    """One line a problem: the dotted key, what is wrong, and never the value (secrets)."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"]) or "configuration"
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key; see router/default.yaml for every setting"
        lines.append(message if key == "configuration" else f"{key}: {message}")
    where = f"{file} (with environment and defaults)" if file else "environment and defaults"
    return f"bad configuration in {where}:\n  " + "\n  ".join(lines)
