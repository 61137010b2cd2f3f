"""Several samples on real vLLM: what is stopped stops there, and what is billed was made there.

The server's own figures are the other side of every account. One router, several arms, one
server of real text and one of random weights that hardly ever ends by itself. Nothing here is
about speed or answers: of the answers only what a protocol can promise is asserted.
"""

import asyncio
import time

import pytest

from policies import OnlyArm
from router import Router
from router.arms import spending
from router.samples import AttemptStatus as Status

from .vllm_servers import metrics, needs_vllm, seconds_until, settings_for, tokens_of

pytestmark = needs_vllm

PROMPT, TOKEN = 1e-6, 4e-6
"""USD of the small model's tokens."""
CAP = 0.05
COUNTERS = ("prompt_tokens_total", "generation_tokens_total")
AGREED, OPEN = "What is 17 + 25?", "What is 2 + 2?"
"""Cold, the model answers the first in a dozen tokens, always alike; the second at length."""


def prices(input_usd, output_usd):
    return {"input_usd_per_million": input_usd, "output_usd_per_million": output_usd}


def method(name, k=4, model="small", max_tokens=48, **parameters):
    cold = {"k": k, "parallel": k, "temperature": 0.05}
    return {"model": model, "max_tokens": max_tokens, "method": {"name": name, **cold} | parameters}


FORCED = {"k": 2, "budget_tokens": 24, "answer_tokens": 16}
SPECTRUM = [{"name": "plain"}] * 3 + [{"name": "raving", "temperature": 2.0}]
"""Three in four agree at once; the fourth is still at work then."""
ARMS = {
    "endless": method("majority", 8, "endless", 30_000, temperature=1.0),
    "endless-weighted": method("weighted", 8, "endless", 30_000, temperature=1.0),
    "early": method("majority", 8, max_tokens=1500, parallel=4, spectrum=SPECTRUM),
    "early-12": method("majority", 12, max_tokens=1500, parallel=4, spectrum=SPECTRUM),
    "majority": method("majority", early_stop=False),
    "logprob": method("weighted", by="logprob", temperature=0.7),
    "certainty": method("weighted", by="certainty", temperature=0.7),
    "continue": method("budget_forcing", **FORCED),
    "thinking": method("budget_forcing", model="thinking", **FORCED),
    "turn": method("budget_forcing", how="turn", **FORCED),
    "clr": method("clr", 2, claims=2, claim_tokens=64, check_tokens=48),
    "dear": method("majority", 32, "dear", 24, parallel=32, early_stop=False, temperature=1.0),
}


@pytest.fixture(scope="module")
def router(smol, tiny):
    """Every arm of this file. The models share two servers, at prices of their own."""
    with pytest.MonkeyPatch.context() as env:
        env.setenv("OCKHAM_MODELS__SMALL__THREADS", "1")
        where = {
            name: {"tier": "small", "api_base": at.api_base, "api_key": at.api_key, **more}
            for name, at, more in (
                ("endless", tiny, {**prices(0, 0), "max_tokens": 30_000}),
                ("thinking", smol, {**prices(1, 4), "thinking": True}),
                ("dear", smol, prices(5, 150)),
            )
        }
        settings = settings_for(
            smol, models=where, arms=ARMS, limits={"max_cost_usd": CAP}, **prices(1, 4)
        )
    with Router(settings) as router:
        router.open()
        yield router


@pytest.fixture
def ask(router):
    """`ask(arm, question)`: the arm's one attempt."""

    def run(arm, question=AGREED):
        answer = router.ask(question, policy=OnlyArm(arm=arm))
        (attempt,) = [s.attempt for s in answer.trace.steps if s.attempt]
        return attempt

    return run


@pytest.fixture
def calls(monkeypatch):
    """What is sent to the server, and what came back: (endpoint, messages, completion)."""
    made, real = [], spending.complete

    async def complete(endpoint, messages, **more):
        done = await real(endpoint, messages, **more)
        made.append((endpoint, messages, done))
        return done

    monkeypatch.setattr(spending, "complete", complete)
    return made


@pytest.fixture
def counted(smol):
    """`counted(work)`: its attempt, and by how much the server's counters grew.

    The figures lag, so they are read until they say what the attempt says, or for a while.
    """

    def run(work):
        before = metrics(smol, *COUNTERS)
        attempt = work()
        end = time.monotonic() + 5
        while True:
            grew = tuple(
                int(now - then) for now, then in zip(metrics(smol, *COUNTERS), before, strict=True)
            )
            same = grew == (attempt.prompt_tokens, attempt.completion_tokens)
            if same or time.monotonic() > end:
                return attempt, grew
            time.sleep(0.05)

    return run


def statuses(attempt):
    return [str(s.status) for s in attempt.samples]


def adds_up(attempt):
    """Whether the attempt's tokens and cost are its samples', at the small model's price."""
    samples = attempt.samples
    assert attempt.prompt_tokens == sum(s.prompt_tokens for s in samples)
    assert attempt.completion_tokens == sum(s.completion_tokens for s in samples)
    cost = PROMPT * attempt.prompt_tokens + TOKEN * attempt.completion_tokens
    return attempt.cost_usd == pytest.approx(cost)


# -- stopping ---------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["endless", "endless-weighted"])
async def test_a_cancelled_request_stops_all_its_samples_on_the_server(router, tiny, arm):
    """Four of the eight run, four wait (--max-num-seqs). With log-probabilities too: the
    stream is then listened to, and must be closed all the same."""
    asking = asyncio.create_task(router.aask(AGREED, policy=OnlyArm(arm=arm)))
    assert await seconds_until(tiny, 8, 60) is not None
    asking.cancel()
    seconds = await seconds_until(tiny, 0)
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert seconds is not None
    print(f"{arm}: no request in the engine {seconds:.2f} s after the cancellation")


@pytest.mark.parametrize(("arm", "needed"), [("early", 5), ("early-12", 7)])
async def test_samples_that_can_change_nothing_are_stopped_on_the_server(ask, smol, arm, needed):
    """Now and then the hot sample ends by itself, before there is a majority: asked again then."""
    for _ in range(5):
        before = metrics(smol, *COUNTERS)
        attempt = await asyncio.to_thread(ask, arm)
        if attempt.samples[3].status is not Status.OK:
            break
    assert await seconds_until(smol, 0, 5) is not None
    told = statuses(attempt)
    assert set(told) <= {"ok", "cancelled", "not_run"}
    assert told.count("ok") >= needed
    assert "no other answer can overtake" in attempt.selection.reasons[0]
    assert attempt.tokens_basis == "counted"
    assert adds_up(attempt)
    assert attempt.samples[3].status is Status.CANCELLED
    prompt, made = (
        int(now - then) for now, then in zip(metrics(smol, *COUNTERS), before, strict=True)
    )
    print(
        f"{arm}: {told}; billed {attempt.prompt_tokens} + {attempt.completion_tokens} tokens, "
        f"the server counts {prompt} + {made}"
    )
    # Stopped while it still waited: its prompt is billed and was never read.
    assert attempt.prompt_tokens >= prompt
    # A stopped sample is counted by what came of it, in pieces or in characters: vLLM holds a
    # dozen characters back, one piece may be several tokens, and a token many characters.
    reported = sum(s.completion_tokens for s in attempt.samples if s.status is Status.OK)
    assert reported <= made
    assert reported <= attempt.completion_tokens <= 1.2 * made


# -- log-probabilities ------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["logprob", "certainty"])
def test_every_token_that_vllm_counts_has_its_log_probability(ask, calls, arm):
    attempt = ask(arm)
    for sample in attempt.samples:
        stats = sample.logprobs
        assert stats.tokens == sample.completion_tokens
        assert stats.minimum <= stats.mean <= 0
        assert stats.certainty > 0
    # The stop token is among them; the text is the rest.
    for _, _, done in calls:
        said = "".join(token.text for token in done.tokens)
        assert said.removesuffix("<|im_end|>") == done.text
    assert any(s.weight is not None for s in attempt.samples)
    assert "log-probabilities" not in " ".join(attempt.selection.reasons)
    assert adds_up(attempt)


# -- forcing ----------------------------------------------------------------------------------


def sizes(server, calls, **flags):
    """Prompt tokens of the forced calls: what vLLM counted, and what its template makes."""
    forced = [(messages, done) for _, messages, done in calls if len(messages) > 1]
    return [
        (done.prompt_tokens, len(tokens_of(server, messages=list(messages), **flags)))
        for messages, done in forced
    ]


CONTINUED = {"continue_final_message": True, "add_generation_prompt": False}


@pytest.mark.parametrize("arm", ["continue", "thinking"])
def test_a_forced_answer_continues_the_models_own_message(ask, calls, smol, arm, counted):
    attempt, grew = counted(lambda: ask(arm, OPEN))
    firsts = [done for _, messages, done in calls if len(messages) == 1]
    again = [(messages[-1], done) for _, messages, done in calls if len(messages) > 1]
    assert len(again) == 2
    for said, more in again:
        assert said["role"] == "assistant"
        begun, closing = said["content"], "\n\nThe final answer is \\boxed{"
        assert begun.endswith(f"\n</think>{closing}" if arm == "thinking" else closing)
        assert any(first.text in begun for first in firsts)
        assert more.error is None and 1 <= more.completion_tokens <= 16
    told = sizes(smol, calls, **CONTINUED)
    assert [ours for ours, _ in told] == [theirs for _, theirs in told]
    closed = sizes(smol, calls, add_generation_prompt=True)
    assert all(ours < theirs for ours, theirs in closed)
    assert min(ours for ours, _ in told) > max(first.prompt_tokens for first in firsts)
    for sample in attempt.samples:
        begun = "The final answer is \\boxed{"
        assert sample.text.startswith(begun) if arm == "thinking" else begun in sample.text
    assert grew == (attempt.prompt_tokens, attempt.completion_tokens)
    assert adds_up(attempt)


def test_a_forced_answer_in_a_turn_of_its_own(ask, calls, smol, counted):
    attempt, grew = counted(lambda: ask("turn", OPEN))
    assert [[m["role"] for m in messages] for _, messages, _ in calls if len(messages) > 1] == [
        ["user", "assistant", "user"]
    ] * 2
    told = sizes(smol, calls, add_generation_prompt=True)
    assert [ours for ours, _ in told] == [theirs for _, theirs in told]
    assert grew == (attempt.prompt_tokens, attempt.completion_tokens)
    assert adds_up(attempt)


# -- the bill ---------------------------------------------------------------------------------


def test_every_token_of_a_vote_is_billed(ask, counted):
    attempt, grew = counted(lambda: ask("majority"))
    print(f"majority: billed {attempt.prompt_tokens} + {attempt.completion_tokens}, served {grew}")
    assert set(statuses(attempt)) <= {"ok", "truncated"}
    assert attempt.tokens_basis == "reported"
    assert grew == (attempt.prompt_tokens, attempt.completion_tokens)
    assert adds_up(attempt)


def test_every_token_of_claims_and_checks_is_billed(ask, calls, counted):
    attempt, grew = counted(lambda: ask("clr"))
    print(f"clr: billed {attempt.prompt_tokens} + {attempt.completion_tokens}, served {grew}")
    claims = [claim for sample in attempt.samples for claim in sample.claims]
    assert {claim.status for claim in claims} <= {"checked", "unreadable"}
    voted = [s for s in attempt.samples if s.cluster is not None]
    assert voted and all(0 <= s.reliability <= 1 for s in voted)
    # A sample, and for one with a vote its claims, and each claim's check.
    assert len(calls) == 2 + len(voted) + len(claims)
    assert grew == (attempt.prompt_tokens, attempt.completion_tokens)
    assert adds_up(attempt)


def test_the_cap_holds_with_32_samples_in_flight(ask, calls):
    attempt = ask("dear")
    ran = [s for s in attempt.samples if s.status is not Status.NOT_RUN]
    refused = [s for s in attempt.samples if s.status is Status.NOT_RUN]
    print(f"cap: {len(ran)} of 32 ran for USD {attempt.cost_usd:.4f} of {CAP}")
    assert len(attempt.samples) == 32 and len(calls) == len(ran)
    assert ran and refused
    assert attempt.cost_usd <= CAP
    assert attempt.cost_usd == pytest.approx(
        5e-6 * attempt.prompt_tokens + 150e-6 * attempt.completion_tokens
    )
    assert all(s.error for s in refused)
    assert "limits.max_cost_usd" in refused[0].error
