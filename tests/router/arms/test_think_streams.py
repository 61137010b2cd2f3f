"""Think streams through the whole router, replayed from the loopback fake.

The pieces are written by hand after the ways in which servers have been seen to send
thinking; no model is behind them.
"""

import asyncio

import pytest

from router.errors import NoAnswerError
from router.samples import AttemptStatus

SECRET = "SECRET"
EQUATION = "Solve 2*x + 3 = 11 for x."
PROSE = "How are you today?"


def pieces(*texts):
    return tuple({"content": text} for text in texts)


async def play(router, question):
    """What a client saw as it came, and the answer (None: there was none)."""
    shown, answer, attempt = "", None, None
    try:
        async for event in router.astream(question):
            if event.kind == "delta":
                shown += event.text
            elif event.kind == "attempt_done":
                attempt = event.data
            elif event.kind == "answer":
                answer = event.data
    except NoAnswerError as error:
        return shown, str(error), attempt
    return shown, answer, attempt


def small_only(make_router, fake, **small):
    models = {"small": {"api_base": fake.api_base, "stall_s": 5, "usd_per_hour": 1.0, **small}}
    return make_router(small=fake, policy="always-small", models=models if small else {})


CLOSED = {
    "tags split across chunks": (("<", "thi", "nk>", SECRET, "</th", "ink", ">\n", "F."), "F."),
    "one chunk": (("<think>" + SECRET + "</think>Fine.",), "Fine."),
    "nested": (("<think>a <think> ", SECRET, "</think>", "Fine."), "Fine."),
    "empty thinking": (("<think>", "\n\n", "</think>", "\n\n", "Fine."), "Fine."),
    "a tag in the answer": (("<think>", SECRET, "</think>", "Write ", "<think>"), "Write <think>"),
    "none at all": (("Fi", "ne."), "Fine."),
}  # fmt: skip


@pytest.mark.parametrize("case", CLOSED)
async def test_thinking_never_reaches_a_client(make_router, fake_model, case):
    parts, said = CLOSED[case]
    fake_model.replay = pieces(*parts)
    shown, answer, attempt = await play(small_only(make_router, fake_model), PROSE)
    assert SECRET not in shown
    assert shown.strip() == answer.answer == said
    assert attempt.status is AttemptStatus.OK


async def test_a_block_that_the_template_opened(make_router, fake_model):
    fake_model.replay = pieces(SECRET, " and", " more</thi", "nk>", "Fine.")
    router = small_only(
        make_router, fake_model, thinking=True, input_usd_per_million=1, output_usd_per_million=1
    )
    shown, answer, _ = await play(router, PROSE)
    assert shown == answer.answer == "Fine."


async def test_thinking_in_a_field_of_its_own(make_router, fake_model):
    fake_model.replay = ({"reasoning_content": SECRET}, *pieces("Fine."))
    shown, answer, _ = await play(small_only(make_router, fake_model), PROSE)
    assert shown == answer.answer == "Fine."


UNCLOSED = {
    "cut in the thinking": pieces("<think>", SECRET),
    "cut in the closing tag": pieces("<think>", SECRET, "</thi"),
    "cut in a box": pieces("<think>", SECRET, " so \\boxed{4"),
    "an empty box": pieces("<think>", SECRET, " so \\boxed{}"),
    "nothing but a tag": pieces("<think>"),
    "nothing at all": pieces(""),
    "a field of its own": ({"reasoning_content": SECRET},),
}


@pytest.mark.parametrize("question", [EQUATION, PROSE])
@pytest.mark.parametrize("case", UNCLOSED)
async def test_thinking_that_never_closes_is_no_answer(make_router, fake_model, case, question):
    fake_model.replay, fake_model.mode = UNCLOSED[case], "length"
    shown, said, attempt = await play(small_only(make_router, fake_model), question)
    assert shown == ""
    assert attempt.status in (AttemptStatus.NO_ANSWER, AttemptStatus.FAILED)
    assert isinstance(said, str) and SECRET not in said


BOXED = {
    "content": pieces("<think>", SECRET, " 2*4 + 3 = 11, so \\box", "ed{4}. Wait"),
    "a field of its own": ({"reasoning_content": SECRET + " so \\boxed{4}. Wait"},),
}


@pytest.mark.parametrize("case", BOXED)
async def test_a_box_in_unclosed_thinking_is_returned_if_its_check_passes(
    make_router, fake_model, case
):
    fake_model.replay, fake_model.mode = BOXED[case], "length"
    shown, answer, attempt = await play(small_only(make_router, fake_model), EQUATION)
    assert attempt.status is AttemptStatus.PROVISIONAL
    assert shown == ""
    assert (answer.answer, answer.verified, answer.finish) == ("\\boxed{4}", True, "length")


@pytest.mark.parametrize(
    ("question", "box"), [(EQUATION, "5"), (PROSE, "4"), ("What is 3 plus some more?", "7")]
)
async def test_a_provisional_box_without_a_passed_check_is_never_returned(
    make_router, fake_model, question, box
):
    fake_model.replay = pieces("<think>", SECRET, f" so \\boxed{{{box}}}. Wait")
    fake_model.mode = "length"
    shown, said, attempt = await play(small_only(make_router, fake_model), question)
    assert attempt.status is AttemptStatus.PROVISIONAL
    assert shown == "" and isinstance(said, str)
    assert "small: provisional" in said and box not in said


async def test_a_provisional_answer_that_fails_is_escalated(
    make_router, fake_model, other_fake_model
):
    fake_model.replay, fake_model.mode = pieces("<think> so \\boxed{5}. Wait"), "length"
    other_fake_model.replay = pieces("x = ", "\\boxed{4}")
    router = make_router(small=fake_model, large=other_fake_model)
    answer = await asyncio.to_thread(router.ask, EQUATION)
    assert answer.route == ("small", "large")
    assert answer.answer == "x = \\boxed{4}"
    second = [step.decision for step in answer.trace.steps if step.decision][1]
    assert second.reasons == ("the last attempt gave no complete answer",)
