"""The sections of the configuration: what each setting is, its unit, and what it may be.

What this does not do: read files or variables, or hold one section against another
(`router/config.py`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, FilePath, SecretStr, field_validator, model_validator

from router.arms.methods import Method, Single
from router.needs import Ability
from router.paths import data_dir
from router.section import Section, http_url

__all__ = [
    "ArmSettings",
    "ConversationSettings",
    "DeploymentSettings",
    "EmbeddingModelSettings",
    "EmbeddingSettings",
    "GatewaySettings",
    "KnowledgeSettings",
    "LedgerSettings",
    "LimitSettings",
    "MilvusSettings",
    "ModelSettings",
    "PolicySettings",
    "PriceSettings",
    "SandboxSettings",
    "SignalSettings",
]

EMBEDDED_LIMITS: Mapping[str, Any] = {
    "context_tokens": 2048,
    "max_tokens": 384,
    "languages": ("en",),
}


BaseUrl = Annotated[str, http_url("http://127.0.0.1:8000/v1", "api_key")]
"""Where a model is served."""


class DeploymentSettings(Section):
    """One of several places that serve a model. Unset: as LiteLLM finds it."""

    model: str
    """LiteLLM's name, provider prefix included."""
    api_base: BaseUrl | None = None
    api_key: SecretStr | None = None
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    weight: float | None = Field(default=None, gt=0)
    """Its share of the requests: by weight, else by rpm, else by tpm, else all alike."""
    order: int | None = Field(default=None, ge=1)
    """The lowest is asked first, the others while it cools down."""
    timeout: float | None = Field(default=None, gt=0)
    """Longest wait for its next token, seconds; null is the model's stall_s."""

    def litellm_params(self) -> dict[str, Any]:
        """As LiteLLM's Router takes them."""
        own = self.model_dump(exclude_none=True, exclude={"timeout", "api_key"})
        key = {} if self.api_key is None else {"api_key": self.api_key.get_secret_value()}
        return {**own, **key}


class ModelSettings(Section):
    """One model and where it is served. Prices in USD; times in seconds."""

    tier: Literal["small", "large"]
    model: str | None = None
    """LiteLLM's model name. With `api_base` and no name, the server is asked which it has."""
    api_base: BaseUrl | None = None
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
    parallel: int | None = Field(default=None, ge=1, le=256)
    """Requests that a llama.cpp server of our own serves at once; null is 4."""
    deployments: tuple[DeploymentSettings, ...] = ()
    """Several places that serve it, in place of `model`, `api_base` and `serve`."""
    retries: int = Field(default=1, ge=0, le=10)
    """Further tries of a call that ended before its first token; each is reserved and paid."""
    breaks_after: int = Field(default=3, ge=1)
    """Failed calls in a row that leave the model out for a moment; not of `deployments`."""
    cooldown_s: float = Field(default=30, ge=0)
    """How long a deployment that failed is left out."""
    usd_per_hour: float | None = Field(default=None, ge=0)
    """Price of the machine, for models that are yours."""
    input_usd_per_million: float | None = Field(default=None, ge=0)
    output_usd_per_million: float | None = Field(default=None, ge=0)
    """Both set: they replace LiteLLM's price map."""
    cached_usd_per_million: float | None = Field(default=None, ge=0)
    """Of prompt tokens that the server reads from its cache, beside those two."""
    context_tokens: int | None = Field(default=None, ge=128)
    """Prompt and completion together; null asks the server (vLLM says `max_model_len`)."""
    max_tokens: int = Field(default=8192, ge=1)
    """Token cap of a completion. A reasoner that is cut short gives no answer at all."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    stop: tuple[str, ...] | None = None
    thinking: bool = False
    """The chat template opens `<think>` itself, so that only `</think>` is ever written."""
    stall_s: float = Field(default=60, gt=0)
    """Longest wait for the next token."""
    languages: tuple[str, ...] | None = None
    """ISO 639-1 codes the model is made for; null is any."""
    can: tuple[Ability, ...] | None = None
    """What it can do beside text; null: as LiteLLM's map says, nothing for a server of yours."""
    image_tokens: int = Field(default=16384, ge=1)
    """Most tokens of one image, for the worst case."""
    found_by_key: Mapping[str, str] = Field(default_factory=dict)
    """Environment variable of a provider's key -> model to use where it is set."""

    @model_validator(mode="before")
    @classmethod
    def _embedded_defaults(cls, data: Any) -> Any:
        """What suits the embedded model suits no other: it applies only where that one runs."""
        if isinstance(data, dict):
            given = {key: value for key, value in data.items() if value is not None}
            elsewhere = "api_base" in given or given.get("deployments")
            own = given.get("serve") == "embedded" and not elsewhere
            return {**(EMBEDDED_LIMITS if own else {}), **given}
        return data

    @model_validator(mode="after")
    def _whole_price(self) -> "ModelSettings":
        if (self.input_usd_per_million is None) != (self.output_usd_per_million is None):
            raise ValueError("set input_usd_per_million and output_usd_per_million together")
        if self.deployments and self.api_base:
            raise ValueError("set deployments, each with its api_base, or api_base, and not both")
        return self


class ArmSettings(Section):
    """What a policy can choose: model x context x method."""

    model: str
    context: Literal["none", "index"] = "none"
    method: Method = Single()
    """How tokens are spent on one question: `router/arms/methods.py` lists them."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Token cap of this arm; null is the model's."""
    logprobs: int | None = Field(default=None, ge=1, le=20)
    """Record log-probabilities, and those of so many candidates a token; null asks for none."""
    passages: int | None = Field(default=None, ge=1)
    """Of those found the best that this arm's model is shown; null is all of
    `knowledge.passages`. A very small model is confused by more than one."""


class PolicySettings(Section):
    """A registered policy and its parameters."""

    name: str = "verifiability"
    params: Mapping[str, Any] = Field(default_factory=dict)


class ConversationSettings(Section):
    """What is remembered of conversations, for `policy: sticky`."""

    lifetime_s: float = Field(ge=0)
    """How long a provider keeps a prompt in its cache."""
    most: int = Field(ge=1)
    """Conversations in memory."""


class LimitSettings(Section):
    """Limits of one request; they hold whatever a policy says."""

    max_steps: int = Field(ge=1, le=64)
    max_cost_usd: float = Field(ge=0)
    timeout_s: float = Field(gt=0)
    max_query_chars: int = Field(ge=1)


class PriceSettings(Section):
    """How a counterfactual is priced."""

    reference_model: str


class SignalSettings(Section):
    """The encoder and the head on it."""

    encoder: str
    head: FilePath | None = None
    processes: int | None = Field(default=None, ge=0, le=64)
    """That place queries, beside this one; 0: threads of this one. None: 0, and 1 for a gateway
    of one worker on two cores or more."""


class EmbeddingModelSettings(Section):
    """A hosted embedding model."""

    model: str
    """LiteLLM's name."""
    api_base: BaseUrl | None = None
    api_key: SecretStr | None = None
    input_usd_per_million: float | None = Field(default=None, ge=0)
    """Replaces LiteLLM's price map."""


class EmbeddingSettings(Section):
    """What `/v1/embeddings` and `Router.aembed` can be asked for."""

    usd_per_hour: float = Field(ge=0)
    """Of the machine that runs the packaged encoder."""
    models: Mapping[str, EmbeddingModelSettings] = Field(default_factory=dict)


class MilvusSettings(Section):
    """Where a Milvus is that holds the index in place of a folder."""

    uri: str
    """A server's address, or a file `NAME.db` for the embedded engine, milvus-lite."""
    token: SecretStr | None = None
    collection: str = Field(default="ockham", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")

    @field_validator("uri")
    @classmethod
    def _known_kind(cls, uri: str) -> str:
        if not uri.startswith(("http://", "https://", "tcp://", "unix:")) and not (
            uri.endswith(".db") and "://" not in uri
        ):
            raise ValueError("an address (http://HOST:19530), or a local file that ends in .db")
        if "@" in uri.partition("://")[2].partition("/")[0]:
            # An address stands in errors and records; a token does not.
            raise ValueError("no user or password in the address: give `token` as user:password")
        return uri


class KnowledgeSettings(Section):
    """The index."""

    path: Path | None = None
    passages: int = Field(ge=1, le=20)
    usd_per_hour: float | None = Field(default=None, ge=0)
    """Price of the machine that searches; null: searching is not priced."""
    reranker: str | None = None
    """A cross-encoder, as a folder or a hub name; it orders the first passages anew."""
    milvus: MilvusSettings | None = None

    @property
    def folder(self) -> Path:
        """Where the index lies, unless it is on Milvus."""
        return self.path or data_dir() / "knowledge"


class SandboxSettings(Section):
    """What runs programs that a check has to run."""

    runner: str | None = None
    """Your own as `module:Class` (see `router/verify/runner.py`); null is bubblewrap."""


class GatewaySettings(Section):
    """The HTTP face. Off loopback it refuses to start without keys. Times in seconds.

    A reload takes over keys, the body's limits, `send_timeout_s` and `allow_image_urls`; the rest
    a restart.
    """

    host: str
    port: int = Field(ge=0, le=65535)
    api_keys: tuple[Annotated[SecretStr, Field(min_length=1)], ...] = ()
    """Of the tenant `default`; more tenants and keys are in the ledger."""
    admin_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    """For `POST /ockham/reload`; null closes it."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes; each has its own router, and starts its own embedded models."""
    max_concurrent: int = Field(default=64, ge=1)
    """Requests that a process runs at once."""
    max_queue: int = Field(default=256, ge=0)
    """Requests that wait for a place; one more gets a 429."""
    max_connections: int = Field(default=2000, ge=1)
    """Connections of a process, idle ones too; one more is turned away."""
    max_body_bytes: int = Field(default=16 * 2**20, ge=1024)
    max_header_bytes: int = Field(default=32 * 2**10, ge=1024)
    header_timeout_s: float = Field(default=10, gt=0)
    """From a request's first byte to the end of its headers."""
    body_timeout_s: float = Field(default=60, gt=0)
    send_timeout_s: float = Field(default=30, gt=0)
    """Longest that a client may leave a piece of its response unread."""
    keep_alive_s: int = Field(default=15, ge=1)
    """An idle connection is kept for so long."""
    drain_s: int = Field(default=30, ge=0)
    """On SIGTERM running requests may end within this; then they are cut and settled."""
    drain_delay_s: float = Field(default=0, ge=0)
    """Before that: /ready says 503 and requests are still taken, so that a load balancer sees."""
    rate_limit_url: SecretStr | None = None
    """redis://HOST:PORT/DB that all processes count in; null counts in each process."""
    allow_image_urls: bool = False
    """Pass https image URLs of public hosts on to the provider; data: URLs are always taken."""

    @field_validator("rate_limit_url")
    @classmethod
    def _is_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("must start with redis:// or rediss://")
        return url


class LedgerSettings(Section):
    """Where requests, money and labels are kept. Times in seconds."""

    url: SecretStr | None = None
    """`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`; null is a SQLite file in
    the data directory. Several gateways share one budget through one Postgres."""
    auto_migrate: bool = True
    """Bring the tables up to date when the ledger is opened; false: `ockham ledger migrate`."""
    synchronous: Literal["full", "normal"] = "full"
    """SQLite only. `full`: what was committed outlives a power cut; `normal`: the process."""
    timeout_s: float = Field(default=10, gt=0)
    """Longest wait for the database before a request fails, unpaid."""
    key_cache_s: float = Field(default=5, ge=0)
    """How long a key is believed; a revoked key works for so long."""
    lease_grace_s: float = Field(default=60, ge=0)
    """After limits.timeout_s and this, a reserve that nobody settled is taken as spent."""
    sweep_every_s: float = Field(default=60, gt=0)
    """How often such reserves are looked for."""

    @field_validator("url")
    @classmethod
    def _known_database(cls, url: SecretStr | None) -> SecretStr | None:
        kinds = ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")
        if url is not None and not url.get_secret_value().startswith(kinds):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url
