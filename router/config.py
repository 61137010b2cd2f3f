"""The configuration: one YAML file plus environment variables, read by pydantic-settings.

Precedence, highest first: arguments, `OCKHAM_*` variables (nested with `__`), the file
(`--config`, else `OCKHAM_CONFIG`, else ./ockham.yaml), the packaged `default.yaml`. They
are merged key by key. Unknown keys, impossible values and missing files raise
`ConfigError`, which names the key.
"""

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError

from policies import Policy, PolicyError, create
from router.arms.methods import Sampled
from router.errors import ConfigError
from router.labels.settings import AuditSettings, ShadowSettings
from router.masking import remember
from router.presets import read_preset
from router.settings import (
    ArmSettings,
    ConversationSettings,
    EmbeddingSettings,
    GatewaySettings,
    KnowledgeSettings,
    LedgerSettings,
    LimitSettings,
    ModelSettings,
    PolicySettings,
    PriceSettings,
    SandboxSettings,
    SignalSettings,
)
from router.telemetry.settings import TelemetrySettings
from router.watch import WatchSettings

__all__ = ["Settings", "load_settings", "make_policy"]

DEFAULTS = Path(__file__).with_name("default.yaml")
INNER = frozenset({"inner", "shadow"})
"""Parameters of a policy that are policies (`policies.wrapper`)."""
_NOT_SETTINGS = {
    "OCKHAM_CONFIG",
    "OCKHAM_DATA_DIR",
    "OCKHAM_LITELLM_PYTHON",
    "OCKHAM_SHARED_DATA",
    "OCKHAM_VLLM_PYTHON",
}


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
    conversations: ConversationSettings
    prices: PriceSettings
    signals: SignalSettings
    embeddings: EmbeddingSettings
    knowledge: KnowledgeSettings
    gateway: GatewaySettings
    ledger: LedgerSettings = LedgerSettings()
    sandbox: SandboxSettings
    telemetry: TelemetrySettings = TelemetrySettings()
    watch: WatchSettings | None = None
    audits: AuditSettings = AuditSettings()
    shadow: ShadowSettings = ShadowSettings()
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
    def _no_secret_is_told(self) -> "Settings":
        remember(_secrets(self))
        return self

    @model_validator(mode="after")
    def _arms_name_models(self) -> "Settings":
        for name, arm in self.arms.items():
            if arm.model not in self.models:
                known = ", ".join(self.models)
                raise ValueError(f"arms.{name}.model: no model {arm.model!r} (models: {known})")
            _check_samples(name, arm, self.models[arm.model])
        if not self.arms:
            raise ValueError("arms: at least one arm is needed")
        if self.audits.share > 0 and self.audits.reference not in self.arms:
            known = ", ".join(self.arms)
            raise ValueError(f"audits.reference: no arm {self.audits.reference!r} (arms: {known})")
        return self

    def make_policy(self) -> Policy:
        """The configured policy. Raises `ConfigError` naming the parameter."""
        return make_policy(self.policy.name, self.policy.params)


def _secrets(value: Any) -> Iterator[str]:
    """Every key and address that is kept secret, wherever it stands."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
        return
    inner: Any = ()
    if isinstance(value, BaseModel):
        inner = (getattr(value, name) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        inner = value.values()
    elif isinstance(value, list | tuple):
        inner = value
    for one in inner:
        yield from _secrets(one)


def _check_samples(name: str, arm: ArmSettings, model: ModelSettings) -> None:
    """Samples have to differ: one prompt at temperature 0 is one sample, paid several times."""
    method, where = arm.method, f"arms.{name}.method"
    if not isinstance(method, Sampled):
        return
    if arm.context == "index" and any(variant.instruction for variant in method.spectrum):
        raise ValueError(
            f"{where}.spectrum: an arm that reads the index has a prompt of its own and takes no "
            "instruction; leave temperatures"
        )
    own = method.temperature if method.temperature is not None else model.temperature
    embedded = model.serve == "embedded" and model.api_base is None
    own = 0.0 if own is None and embedded else own
    ways = [v.temperature if v.temperature is not None else own for v in method.spectrum] or [own]
    if 0 in ways and method.k > len(ways):
        raise ValueError(
            f"{where}: of {method.k} samples those at temperature 0 are all the same; "
            f"set {where}.temperature (0.7, for example)"
        )


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
        return create(name, _with_inner(params or {}))
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"policy.name: cannot import {module}:{own}: {error}") from None
    except PolicyError as error:
        raise ConfigError(f"policy: {error}") from None


def _with_inner(params: Mapping[str, Any]) -> dict[str, Any]:
    """A wrapper's policies may be anything that `make_policy` takes: a preset's file, too."""
    if not isinstance(params, Mapping):
        raise ConfigError("policy: the params of a policy inside a wrapper are names with values")
    out = dict(params)
    for key in INNER & out.keys():
        value = out[key]
        if isinstance(value, str):
            out[key] = make_policy(value)
        elif isinstance(value, Mapping) and set(value) <= {"name", "params"} and "name" in value:
            out[key] = make_policy(str(value["name"]), value.get("params"))
    return out


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


def _written(where: tuple[int | str, ...]) -> list[str]:
    """The key as it stands in a file: pydantic puts a method's name behind `method`."""
    parts = [str(part) for part in where]
    return [part for i, part in enumerate(parts) if i == 0 or parts[i - 1] != "method"]


def _explain(error: ValidationError, file: Path | None) -> str:
    """One line a problem: the dotted key, what is wrong, and never the value (secrets)."""
    lines = []
    for item in error.errors():
        key = ".".join(_written(item["loc"])) or "configuration"
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key; see router/default.yaml for every setting"
        lines.append(message if key == "configuration" else f"{key}: {message}")
    where = f"{file} (with environment and defaults)" if file else "environment and defaults"
    return f"bad configuration in {where}:\n  " + "\n  ".join(lines)
