"""Run one arm once: prompt, model calls, reading of what came back, price.

An arm is model x context x method. Context `none` is the model's own parameters, `index`
passages of the knowledge index, read and cited. A method of several samples draws and chooses
in `router.arms.sampler`. Whatever happens, the result is an `Attempt` with its status, its
tokens and its cost, those of all samples, claims and checks together. A request for more than a
text, or for a model by its name, is one plain call, whatever the arm's context and method
(`router.arms.plain`).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from router.arms.drawing import Asking, Drawn, draw
from router.arms.methods import Sampled
from router.arms.plain import ask_plainly, plain_bound, plain_size
from router.arms.sampler import Sampler, Samples
from router.arms.spending import Spender, Tab
from router.errors import ModelUnavailable
from router.knowledge.retrieving import Retriever
from router.models.completion import Endpoint
from router.models.failures import fault_of
from router.models.pool import Models
from router.needs import is_plain
from router.samples import AttemptStatus
from router.settings import ArmSettings, ModelSettings
from router.state import Attempt, Lookup, Price, Query, Signals, Verdict
from router.verify.clusters import AnswerClusters

__all__ = ["ArmRunner", "Judge", "asks_many", "token_cap"]


_ROUNDING = 1e-12
"""USD: sums of the same numbers in another order differ by less."""
_SHOWN = (AttemptStatus.OK, AttemptStatus.TRUNCATED)
"""Of an answer that was chosen: no text of another status is for a caller to see yet."""


class Judge(Protocol):
    """What a method of several samples needs of the verifiers."""

    async def verify(self, query: Query, signals: Signals, attempt: Attempt, kind: Any) -> Verdict:
        """The verdict on one sample; never raises for bad content."""
        ...

    def clusters(self, query: Query, kind: Any) -> AnswerClusters:
        """Which of several answers are the same."""
        ...


class ArmRunner:
    """Runs arms against the models and the index. `judge` is asked by methods that vote or
    verify."""

    def __init__(self, models: Models, retriever: Retriever, judge: Judge) -> None:
        self._models = models
        self._retriever = retriever
        self._judge = judge

    async def run(
        self,
        name: str,
        arm: ArmSettings,
        query: Query,
        signals: Signals,
        *,
        timeout_s: float,
        left_usd: float,
        check: str = "none",
        lookup: Lookup | None = None,
        on_text: Callable[[str], None] | None = None,
        on_reasoning: Callable[[str], None] | None = None,
        on_delta: Callable[[Mapping[str, Any]], None] | None = None,
        tab: Tab | None = None,
    ) -> Attempt:
        """One attempt.

        Args:
            lookup: what was found before; without it an arm that reads passages searches itself.
            left_usd: what the request has left; no call is started that could exceed it.
            check: the verifier's kind for this query and context (`Verifiers.kind_for`).
            on_text: gets the visible text, as it is written where the arm draws one sample
                (context `none`), and else when it is chosen.
            on_reasoning: gets what a model that answers with one sample writes in a field of
                its own before it answers.
            on_delta: gets every delta of a plain call (`router.needs.is_plain`), as it came.
            tab: is told of every USD spent, also where this is cancelled.
        """
        tab = Tab() if tab is None else tab
        plain = is_plain(query)
        price = self._models.price(arm.model) or Price(input_usd=0, output_usd=0, basis="unknown")
        try:
            endpoint = self._models.endpoint(arm.model)
        except ModelUnavailable as error:
            return Attempt(
                arm=name, model=arm.model, text="", status=AttemptStatus.FAILED,
                error=str(error), price=price,
            )  # fmt: skip
        started = time.perf_counter()
        own = lookup is None and arm.context == "index" and not plain
        if own:
            lookup = await self._retriever.look_up(query, timeout_s)
        read = _shown(lookup, arm) if arm.context == "index" and not plain else None
        if read is not None and read.error is not None:
            return Attempt(
                arm=name, model=arm.model, text="", status=AttemptStatus.FAILED,
                error=read.error, price=price, seconds=time.perf_counter() - started,
                cost_usd=read.cost_usd if own else 0.0,
            )  # fmt: skip
        paid = read.cost_usd if read is not None and own else 0.0
        tab.usd += paid
        left_s = timeout_s - (time.perf_counter() - started)
        asking = self._asking(arm, query, signals, endpoint, price, left_s, left_usd, read, tab)
        base = {"arm": name, "price": price, "passages": asking.passages or ()}
        more = (query.sampling.max_tokens or 0) > asking.model_cap
        base["clipped"] = asking.model_cap if more else None
        base["answerable"] = read.answerable if read is not None else None
        if plain:
            attempt = await self._plain(asking, arm, base, on_text, on_reasoning, on_delta)
        else:
            attempt = await self._drawn(asking, arm, check, base, on_text, on_reasoning)
        cost = attempt.cost_usd + paid
        most = tab.usd if tab.usd > cost + _ROUNDING else None
        return attempt.model_copy(update={"cost_usd": cost, "most_usd": most})

    async def _drawn(
        self,
        asking: Asking,
        arm: ArmSettings,
        check: str,
        base: Mapping[str, Any],
        on_text: Callable[[str], None] | None,
        on_reasoning: Callable[[str], None] | None,
    ) -> Attempt:
        if isinstance(arm.method, Sampled):
            return await self._several(asking, arm, arm.method, check, base, on_text)
        # A reader's reply is JSON: nobody wants to watch it.
        watched = on_text if arm.context == "none" else None
        drawn = await draw(asking, Drawn(), watched, on_reasoning)
        self._report(arm.model, (drawn,))
        return _of_one(drawn, base, arm.model)

    async def _plain(
        self,
        asking: Asking,
        arm: ArmSettings,
        base: Mapping[str, Any],
        on_text: Callable[[str], None] | None,
        on_reasoning: Callable[[str], None] | None,
        on_delta: Callable[[Mapping[str, Any]], None] | None,
    ) -> Attempt:
        model = self._models.settings(arm.model)
        most = self._models.most_input(arm.model)
        bound = plain_bound(plain_size(asking.query), model.image_tokens, most)
        drawn = await ask_plainly(asking, bound, on_text, on_reasoning, on_delta)
        self._report(arm.model, (drawn,))
        attempt = _of_one(drawn, base, arm.model)
        done = drawn.completion
        choices = done.choices if done is not None and done.error is None else ()
        return attempt.model_copy(update={"choices": choices})

    async def _several(
        self,
        asking: Asking,
        arm: ArmSettings,
        method: Sampled,
        check: str,
        base: Mapping[str, Any],
        on_text: Callable[[str], None] | None,
    ) -> Attempt:
        started = time.perf_counter()
        work = Sampler(
            asking, method, self._judge.clusters(asking.query, check), check,
            lambda drawn: self._verdict(asking, check, drawn, base),
        )  # fmt: skip
        samples = await work.run()
        self._report(arm.model, samples.drawn)
        attempt = _of_samples(samples, base, arm.model, time.perf_counter() - started)
        if on_text is not None and attempt.text and attempt.status in _SHOWN:
            on_text(attempt.text)
        return attempt

    def _asking(
        self,
        arm: ArmSettings,
        query: Query,
        signals: Signals,
        endpoint: Endpoint,
        price: Price,
        timeout_s: float,
        left_usd: float,
        read: Lookup | None,
        tab: Tab,
    ) -> Asking:
        deadline = time.perf_counter() + timeout_s
        model = self._models.settings(arm.model)
        context = self._models.context_tokens(arm.model)
        sampled = arm.method if isinstance(arm.method, Sampled) else None
        cap = token_cap(arm, model)
        return Asking(
            query=query,
            signals=signals,
            endpoint=endpoint,
            spender=Spender(
                price, left_usd, deadline, context, sampled.parallel if sampled else 1, tab
            ),
            method=arm.method,
            passages=None if read is None else read.passages,
            cap=min(cap, query.sampling.max_tokens or cap),
            model_cap=cap,
            context=context,
            logprobs=max(
                filter(None, (arm.logprobs, sampled.logprobs if sampled else None)), default=None
            ),
            many=asks_many(arm, model),
            opened=model.thinking,
        )

    async def _verdict(
        self, asking: Asking, check: str, drawn: Drawn, base: Mapping[str, Any]
    ) -> Verdict:
        attempt = _of_one(drawn, base, drawn.model)
        try:
            return await self._judge.verify(asking.query, asking.signals, attempt, check)
        except Exception as error:  # one sample's check must not cost the others their bills
            told = (f"The check broke: {type(error).__name__}: {error}",)
            return Verdict(kind="none", passed=None, status="failed", evidence=told)

    def _report(self, model: str, drawn: tuple[Drawn, ...]) -> None:
        """Tell how the run's calls went: one sample that came back is an answer."""
        done = [(one, one.completion.error) for one in drawn if one.completion is not None]
        if done:
            one, error = next((d for d in done if d[1] is None), done[-1])
            self._models.report(model, one.started, error)


def _shown(lookup: Lookup | None, arm: ArmSettings) -> Lookup | None:
    """What was found, of its passages the best that the arm reads."""
    if lookup is None or arm.passages is None:
        return lookup
    return lookup.model_copy(update={"passages": lookup.passages[: arm.passages]})


def asks_many(arm: ArmSettings, model: ModelSettings) -> bool:
    """Whether a reader is asked for several statements, in place of one that its form lets it
    quote: a large model's one sample."""
    return model.tier == "large" and not isinstance(arm.method, Sampled)


def token_cap(arm: ArmSettings, model: ModelSettings) -> int:
    """Most tokens a completion of this arm may have."""
    return min(arm.max_tokens or model.max_tokens, model.max_tokens)


def _of_one(drawn: Drawn, base: Mapping[str, Any], model: str) -> Attempt:
    """The attempt that one sample makes."""
    done, bill = drawn.completion, drawn.bill
    refused = drawn.reading.status is AttemptStatus.NOT_RUN
    return Attempt(
        **base,
        model=drawn.model or model,
        text=drawn.reading.text,
        status=AttemptStatus.FAILED if refused else drawn.reading.status,
        error=drawn.error,
        fault=fault_of(done.error) if done else None,
        prompt_tokens=bill.prompt_tokens,
        completion_tokens=bill.completion_tokens,
        tokens_basis=bill.basis,
        cost_usd=bill.cost_usd,
        seconds=drawn.seconds,
        first_token_seconds=done.first_token_seconds if done else None,
        deployment=done.deployment if done else None,
        citations=drawn.reading.citations,
        logprobs=drawn.logprobs,
    )


def _of_samples(samples: Samples, base: Mapping[str, Any], model: str, seconds: float) -> Attempt:
    """The chosen sample's answer at the price of all of them."""
    chosen = samples.selection.chosen
    # Without a text: what the first sample says of why.
    shown = _of_one(samples.drawn[chosen or 0], base, model)
    counted = any(s.tokens_basis == "counted" for s in samples.told)
    return shown.model_copy(
        update={
            "prompt_tokens": sum(s.prompt_tokens for s in samples.told),
            "completion_tokens": sum(s.completion_tokens for s in samples.told),
            "tokens_basis": "counted" if counted else "reported",
            "cost_usd": sum(s.cost_usd for s in samples.told),
            "seconds": seconds,
            "first_token_seconds": None,
            "samples": samples.told,
            "shown_tokens": samples.drawn[chosen or 0].own_tokens,
            "selection": samples.selection,
        }
    )
