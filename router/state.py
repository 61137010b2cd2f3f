"""The records of one run, one frozen type a stage, and the graph's state.

    Query -> Signals -> Decision -> Attempt -> Verdict -> ... -> Answer (with its Trace)

All of them are plain serialisable data (pydantic, JSON). Clients, models and indexes
never stand in here: they travel in the graph's runtime context.
"""

import operator
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field, SkipValidation, computed_field

from policies import NEEDS, Need
from router.record import Record
from router.samples import AttemptStatus, Sample, Selection, TokenStats

__all__ = [
    "DOMAINS",
    "FORMS",
    "NEEDS",
    "Answer",
    "ArmEstimate",
    "Attempt",
    "Bounds",
    "Check",
    "Citation",
    "CitedClaim",
    "Cue",
    "Decision",
    "Domain",
    "Event",
    "Exemplar",
    "Form",
    "JsonSchemaCheck",
    "Lookup",
    "Message",
    "Need",
    "Passage",
    "Price",
    "Query",
    "ReasoningGymCheck",
    "RegexCheck",
    "RunState",
    "Sampling",
    "ShadowChoice",
    "Signals",
    "Step",
    "Trace",
    "Verdict",
]

Domain = Literal["math", "code", "logic", "knowledge", "open"]
DOMAINS: tuple[Domain, ...] = ("math", "code", "logic", "knowledge", "open")
Form = Literal["number", "choice", "expression", "function", "prose"]
FORMS: tuple[Form, ...] = ("number", "choice", "expression", "function", "prose")


class Message(Record):
    """One turn of a conversation, OpenAI's roles."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    """Its text: of a turn with several parts that of the text parts, joined."""
    raw: Mapping[str, Any] | None = None
    """The turn as OpenAI's API has it, where it holds more than a text: images, tool calls."""

    def __hash__(self) -> int:
        """Without `raw`, which is a mapping."""
        return hash((self.role, self.content))


class Sampling(Record):
    """What a caller may ask of whichever model answers; None leaves it to the configuration."""

    max_tokens: int | None = Field(default=None, ge=1)
    """Lowers an arm's token cap, never raises it."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)


class Bounds(Record):
    """What a caller bounds of one run; the limits of the configuration hold as well."""

    max_cost_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    min_confidence: float | None = Field(default=None, ge=0, le=1)
    """P(right) that an answer must have to be kept while another arm can be tried."""


class JsonSchemaCheck(Record):
    """The answer must be JSON that the schema takes."""

    type: Literal["json_schema"] = "json_schema"
    definition: dict[str, Any]


class RegexCheck(Record):
    """The whole answer must match."""

    type: Literal["regex"] = "regex"
    pattern: str


class ReasoningGymCheck(Record):
    """The answer must get full marks from that task's own checker."""

    type: Literal["reasoning_gym"] = "reasoning_gym"
    task: str
    entry: dict[str, Any]


Check = Annotated[JsonSchemaCheck | RegexCheck | ReasoningGymCheck, Field(discriminator="type")]


class Query(Record):
    """What is asked: a whole conversation; `text` is its last user turn."""

    id: str
    messages: tuple[Message, ...] = Field(min_length=1)
    sampling: Sampling = Sampling()
    checks: tuple[Check, ...] = ()
    """What the asker says that a right answer meets; all of them have to hold."""
    passages: "tuple[Passage, ...] | None" = None
    """Those that the asker brings: arms with context `index` read them in place of a search."""
    call: Mapping[str, Any] = {}
    """Further parameters of OpenAI's chat completions, for the model as they are: tools, n,
    logprobs, seed, ... Only arms whose model can do them are run."""
    bounds: Bounds = Bounds()
    conversation: str | None = None
    """Key of the conversation that this is a turn of; None: it stands alone."""
    as_it_is: bool = False
    """Passed through: one call with what the asker sent, shown as it comes. So where the policy
    is a model's name (`router.concrete`)."""

    @property
    def response_format(self) -> dict[str, Any] | None:
        """The stated JSON schema as OpenAI's `response_format`: the arms ask their model for it."""
        for check in self.checks:
            if isinstance(check, JsonSchemaCheck):
                named = {"name": "answer", "schema": check.definition}
                return {"type": "json_schema", "json_schema": named}
        return None

    @property
    def text(self) -> str:
        """The last user turn, or the last turn where no user spoke."""
        users = [m.content for m in self.messages if m.role == "user"]
        return users[-1] if users else self.messages[-1].content


class Cue(Record):
    """A surface cue that was found, and what it adds to each axis's log odds."""

    name: str
    verifiability: float
    knowledge_demand: float


class Exemplar(Record):
    """A written prompt near the query; `similarity` is a cosine, a label of None is undecided."""

    text: str
    similarity: float
    verifiability: int | None
    knowledge_demand: int | None


class Signals(Record):
    """Where a query stands on the plane of the design: two axes, and what they rest on.

    `verifiability`: P(a checker that does not know the answer can reject a wrong one at
    run time from the question alone). `knowledge_demand`: P(a capable solver without
    references needs facts beyond the prompt). `domains` and `forms` sum to 1.
    """

    verifiability: float = Field(ge=0, le=1)
    knowledge_demand: float = Field(ge=0, le=1)
    confidence: float = Field(default=1.0, ge=0, le=1)
    """P(both axes stand on the right side of 1/2)."""
    domains: Mapping[Domain, float]
    forms: Mapping[Form, float] = {}
    """What the answer will look like."""
    needs: Mapping[Need, float] = {}
    """What it takes beside a model; `repository`: multi-file, build-system or tool work."""
    language: str = "en"
    """ISO 639-1 code; "und" where the text is too short to tell."""
    chars: int = Field(ge=0)
    words: int = Field(default=0, ge=0)
    turns: int = Field(default=1, ge=0)
    follow_up: bool = False
    """The turn means nothing alone: the signals are also those of what it continues."""
    wrapped: bool = False
    """The question stood inside a template, tags, JSON, a transcript."""
    steered: bool = False
    """Text aimed at the router was found and dropped."""
    odd: str | None = None
    """Why the text is hardly a question (empty, encoded data, ...)."""
    cues: tuple[Cue, ...] = ()
    nearest: tuple[Exemplar, ...] = ()
    featuriser: str
    """Fingerprint of the featuriser that made these signals."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def domain(self) -> Domain:
        """The most probable domain."""
        return max(DOMAINS, key=lambda d: self.domains.get(d, 0.0))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def form(self) -> Form:
        """The most probable form of the answer."""
        return max(reversed(FORMS), key=lambda f: self.forms.get(f, 0.0))

    def has_need(self, need: Need) -> bool:
        """Whether a need is more likely than not."""
        return self.needs.get(need, 0.0) >= 0.5


class PriceTier(Record):
    """What a whole call costs whose prompt is longer than `above` tokens. USD per token."""

    above: int
    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)
    cached_usd: float | None = None


class Price(Record):
    """A price snapshot. USD per token, so that a local and a hosted model compare."""

    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)
    basis: str
    """Where it comes from, in words: LiteLLM's map, or USD per hour over measured tokens/s."""
    cached_usd: float | None = None
    """A prompt token that the provider reads from its cache; None: as any other."""
    cached_least: int = 0
    """Tokens from which on it caches a prompt."""
    metered: bool = True
    """Who serves it bills by its own count of tokens; False: a machine paid by the hour."""
    tiers: tuple[PriceTier, ...] = ()
    """Of long prompts, the shortest first."""

    def at(self, prompt_tokens: int) -> "Price | PriceTier":
        """The rates of a call with that long a prompt."""
        rates: Price | PriceTier = self
        for tier in self.tiers:
            if prompt_tokens > tier.above:
                rates = tier
        return rates

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> float:
        """USD of that many tokens in one call; `cached_tokens` are some of the prompt's.

        The tokens of several calls at once may come out a tier too dear, never too cheap.
        """
        rates = self.at(prompt_tokens)
        usd = prompt_tokens * rates.input_usd + completion_tokens * rates.output_usd
        return usd - _saved(rates, cached_tokens) if cached_tokens else usd

    def saved(self, prompt_tokens: int) -> float:
        """USD that reading a whole prompt from the cache saves."""
        return _saved(self.at(prompt_tokens), prompt_tokens)


def _saved(rates: Price | PriceTier, cached_tokens: int) -> float:
    if rates.cached_usd is None:
        return 0.0
    return cached_tokens * max(0.0, rates.input_usd - rates.cached_usd)


class Passage(Record):
    """One retrieved passage; `score` is what the search ranked by."""

    source: str
    title: str
    text: str
    score: float
    meta: Mapping[str, str] = {}
    dense: float | None = None
    """The cosine of its embedding with the query's, where the search looked at meaning."""
    lexical: float | None = None
    """Its BM25 score, where the search looked at words."""

    def __hash__(self) -> int:
        """Without `meta`, which is a mapping: equal passages still hash equally."""
        return hash((self.source, self.title, self.text, self.score))


class Lookup(Record):
    """What was found for a query before an arm was chosen, and what was judged of it."""

    passages: tuple[Passage, ...] = ()
    answerable: float | None = Field(default=None, ge=0, le=1)
    """P(the passages hold the answer); None where nothing judged it."""
    brought: bool = False
    """The asker brought the passages; nothing was searched."""
    follow_up: str | None = None
    """The one more search, for what the first passages named."""
    index: str | None = None
    """Fingerprint of the index that was searched."""
    error: str | None = None
    """Why the index could not be searched."""
    seconds: float = 0.0
    cost_usd: float = 0.0
    """Of the machine that searched, where `knowledge.usd_per_hour` says its price."""


class Citation(Record):
    """Which passage carries the answer: `number` counts from 1, as in the prompt."""

    number: int
    source: str
    title: str
    quote: str
    claim: str = ""
    """The statement that it is cited for; empty: the whole answer."""


class CitedClaim(Record):
    """One statement of an answer, and what its passage says of it."""

    claim: str
    passages: tuple[int, ...]
    """Numbers of the passages that are cited for it."""
    passed: bool | None
    """None: it could not be told."""
    status: str
    support: float | None = Field(default=None, ge=0, le=1)
    """P(the passage supports it), where the words and the encoder were both asked."""
    evidence: str = ""


Fault = Literal["rejected", "too_long"]
"""The server says that it cannot serve this request, or that it does not fit the context."""


class Attempt(Record):
    """One arm, run once, and what it really cost: every token of every sample and check."""

    arm: str
    model: str
    text: str
    status: AttemptStatus
    deployment: str | None = None
    """Which of the model's deployments answered, or failed last."""
    error: str | None = None
    fault: Fault | None = None
    """Of a failed call, where the request is to blame and not the server."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_basis: Literal["reported", "counted"] = "reported"
    """`counted`: the stream ended without a usage record (a failure, a cancellation)."""
    cost_usd: float = 0.0
    most_usd: float | None = None
    """What it can have cost at most, where that is more: a call that ended without its server's
    count may have been billed up to its worst case. Budgets and caps are charged with this."""
    price: Price
    seconds: float = 0.0
    first_token_seconds: float | None = None
    passages: tuple[Passage, ...] = ()
    answerable: float | None = Field(default=None, ge=0, le=1)
    """P(these passages hold the answer), judged before they were read."""
    citations: tuple[Citation, ...] = ()
    logprobs: TokenStats | None = None
    """Of the completion whose text this is, where the arm asks for them."""
    samples: tuple[Sample, ...] = ()
    """Empty for the method `single`."""
    clipped: int | None = None
    """The arm's own cap, where the caller asked for more tokens than that."""
    shown_tokens: tuple[int, int] | None = None
    """Prompt and completion tokens of the shown sample alone, without its claims and checks:
    what one call for this answer would have been. None where that is the whole attempt."""
    selection: Selection | None = None
    choices: tuple[Mapping[str, Any], ...] = ()
    """The model's choices as OpenAI's API has them, where `Query.call` asks for more than a
    text: tool calls, several choices, log-probabilities."""

    @property
    def charged_usd(self) -> float:
        """What a budget is charged with: never less than what the upstream may have counted."""
        return max(self.cost_usd, self.most_usd or 0.0)

    @property
    def one_call(self) -> tuple[int, int]:
        """Prompt and completion tokens of the answer, as if it had been asked for once."""
        return self.shown_tokens or (self.prompt_tokens, self.completion_tokens)


class Verdict(Record):
    """What a check found. `passed` is True or False only if the check could have gone
    the other way; otherwise it is None, and `status` says why."""

    kind: Literal["math", "code", "grounding", "format", "logic", "none"]
    passed: bool | None
    status: str
    """A short code: passed, failed, unchecked, no_answer, abstained, not_applicable, ..."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """P(the answer is right) after this check; None where the check says nothing of it."""
    evidence: tuple[str, ...] = ()
    """One sentence a check, for people."""
    claims: tuple[CitedClaim, ...] = ()
    """Of an answer from passages: each statement against what it cites."""
    measured: Mapping[str, float] = Field(default_factory=dict)
    """What the check measured of the answer, for policies; empty where it measured nothing."""
    seconds: float = 0.0


class ArmEstimate(Record):
    """What the policy was told about one arm, and what it made of it."""

    available: bool
    why_not: str | None = None
    over_budget: bool = False
    """Only the budget that pays for the run (`router.purse`) keeps it from being run."""
    over_cap: bool = False
    """Only the most that the request may cost keeps it from being run."""
    unable: bool = False
    """Its model cannot do what the request needs (tools, images, ...), now or later."""
    too_long: bool = False
    """The prompt does not fit its model's context."""
    away: bool = False
    """Its model is down, and may be up again."""
    predicted_cost_usd: float | None = None
    worst_cost_usd: float | None = None
    predicted_seconds: float | None = None
    """From what this process has measured of the arm; None before its first answer."""
    probability: float = 0.0
    quality: float | None = None
    """P(right) as the policy estimates it; None where it does not."""


class ShadowChoice(Record):
    """What a policy that does not serve would have chosen; it was neither run nor paid."""

    policy: str
    arm: str | None = None
    """None means STOP, or that it broke."""
    reasons: tuple[str, ...] = ()
    error: str | None = None
    """Why it could not say."""


class Decision(Record):
    """One choice of the policy, explained."""

    policy: str
    arm: str | None
    """None means STOP."""
    attempt: int | None
    """On STOP: which attempt is returned."""
    reasons: tuple[str, ...]
    arms: Mapping[str, ArmEstimate]
    shadow: tuple[ShadowChoice, ...] = ()
    """Of the policies in the shadow of this one."""
    lookup: Lookup | None = None
    """Of a dry run; a run's own stands in its trace."""


class Step(Record):
    """One node's turn in the trace."""

    node: Literal["classify", "retrieve", "decide", "act", "verify"]
    seconds: float
    lookup: Lookup | None = None
    decision: Decision | None = None
    attempt: Attempt | None = None
    refused: str | None = None
    """The arm that was not run because the budget did not hold its worst case, and why."""
    broken: str | None = None
    """The arm that was running when the run broke, or its client left."""
    verdict: Verdict | None = None


class Trace(Record):
    """All that happened in one run: enough to explain it a month later."""

    id: str
    created: str
    """UTC, ISO 8601."""
    policy: str
    query: Query
    signals: Signals
    steps: tuple[Step, ...]
    seconds: float
    model_seconds: float
    """Time inside model calls; `seconds - model_seconds` is the router's own."""
    features: Annotated[Mapping[str, list[float]], SkipValidation] = Field(
        default_factory=dict, exclude=True, repr=False
    )
    """The feature blocks that the policy read; in no JSON, the ledger keeps them packed."""


class Answer(Record):
    """What the caller gets. `verdict` is the returned attempt's; `note` tells what to know
    about it (unverified, an arm that was not configured, a limit that was hit)."""

    answer: str
    route: tuple[str, ...]
    """Arms in the order they were tried; the answer is not always the last one's."""
    arm: str
    model: str
    verdict: Verdict
    verified: bool
    finish: Literal["stop", "length", "tool_calls"] = "stop"
    """`length`: the returned answer was cut at the token cap."""
    choices: tuple[Mapping[str, Any], ...] = ()
    """Of a plain call: the returned attempt's (`Attempt.choices`)."""
    cost_usd: float
    """All attempts of this run together."""
    prompt_tokens: int
    completion_tokens: int
    all_large_usd_estimate: float | None
    """Estimated cost of one call of the reference model with the returned answer's tokens."""
    citations: tuple[Citation, ...] = ()
    note: str | None = None
    signals: Signals
    trace: Trace


class Event(Record):
    """What `astream` yields. `delta` events carry text of an attempt as it is written;
    `checked` tells whether that text may still be thrown away by a check. `reasoning` events
    carry what a model writes before its answer, and is no part of it. Of a plain call
    (`router.needs.is_plain`) `choice` events carry in `data` each raw delta: `index`, `delta` as
    OpenAI's API has it, and `logprobs` where asked for; its text comes as `delta` events too."""

    kind: Literal[
        "signals", "passages", "decision", "attempt", "delta", "reasoning", "choice",
        "attempt_done", "verdict", "answer",
    ]  # fmt: skip
    text: str = ""
    arm: str | None = None
    checked: bool = False
    data: Any = None


class RunState(TypedDict, total=False):
    """The graph's state: plain data. Lists grow by appending."""

    query: Query
    features: Mapping[str, list[float]]
    """Feature blocks of the query, each of shape (d,)."""
    signals: Signals
    lookup: Lookup
    decision: Decision
    check: str
    """Which verifier the running attempt will meet; known before it starts."""
    attempts: Annotated[list[Attempt], operator.add]
    verdicts: Annotated[list[Verdict], operator.add]
    steps: Annotated[list[Step], operator.add]
    refused: Annotated[dict[str, str], operator.or_]
    """Arms whose worst case the budget did not hold in this run, and why."""
