"""Budget forcing: a reasoner that is cut short has no answer; make it give one.

At the cap the thinking is closed in the model's name, the message continued, and the answer
asked for (s1's budget forcing, Muennighoff et al. 2025, arXiv 2501.19393; an independent run
on AIME25 lifted 46.7 to 55.8 % at 8K tokens, with 0 of 139 forced samples damaged).

Forced is thinking that never closed, and a math answer that was cut before it was given. An
answer of another form that was cut (a program, JSON, a citation) is left alone: words put into
it would only break it.

`continue` sends the message back as the last assistant turn, to be gone on with: vLLM and
SGLang want two fields for it, llama.cpp does it by itself. A chat template that cuts thinking
out of assistant turns cannot be used so; VibeThinker's (plain ChatML) can. `turn` asks in a
new user turn, which every provider understands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from router.arms.methods import BudgetForcing
from router.arms.thinking import CLOSE, OPEN, visible_text
from router.models.completion import Completion, Endpoint
from router.state import Domain
from router.verify.concluding import closed_answer

__all__ = ["asks_again", "forced_call", "joined"]

_VALUES = ("math", "logic")
_LEADS: Mapping[Domain, str] = {
    "math": "The final answer is \\boxed{",
    "logic": "The final answer is \\boxed{",
    "code": "```python\n",
}
_FOREIGN = "```\n"
"""Of code in another language."""
_LEAD = "The final answer is: "
_TURN = "Stop here. Give only your final answer now, in the form that was asked for."


def asks_again(done: Completion, domain: Domain, *, opened: bool, formed: bool) -> bool:
    """Whether a completion was cut so that an answer has to be asked for.

    Args:
        opened: the chat template opens the thinking itself.
        formed: the answer has a form of its own (a JSON schema, a reader's reply).
    """
    if done.error is not None or done.finish != "length":
        return False
    if _is_thinking(done, opened=opened):
        return True
    text = visible_text(done.text, opened=opened)
    return domain in _VALUES and not formed and closed_answer(text) is None


def forced_call(
    method: BudgetForcing,
    endpoint: Endpoint,
    messages: Sequence[Mapping[str, str]],
    done: Completion,
    domain: Domain,
    *,
    opened: bool,
    formed: bool,
    foreign: bool = False,
) -> tuple[Endpoint, list[Mapping[str, str]]]:
    """Endpoint and messages of the second call; the last message is what is continued.

    Args:
        foreign: code is asked for in a language that is not Python.
    """
    written = _written(done, opened=opened)
    if method.how == "turn":
        shown = {"role": "assistant", "content": written}
        return endpoint, [*messages, shown, {"role": "user", "content": _TURN}]
    closing = f"\n{CLOSE}\n\n" if _is_thinking(done, opened=opened) else "\n\n"
    lead = "" if formed else _FOREIGN if foreign else _LEADS.get(domain, _LEAD)
    own = {"continue_final_message": True, "add_generation_prompt": False}
    body = {**(endpoint.extra_body or {}), **(own if _takes_fields(endpoint) else {})}
    return (
        replace(endpoint, extra_body=body or None),
        [*messages, {"role": "assistant", "content": f"{written}{closing}{lead}"}],
    )


def joined(method: BudgetForcing, continued: str, done: Completion, more: Completion) -> Completion:
    """Both calls as one completion, to be read as a whole. Tokens are the bill's business."""
    if method.how == "turn":
        return more  # an answer of its own, which may think again
    text = f"{continued}{more.text or more.reasoning}"
    if more.finish == "stop" and _is_open(text):
        text += "}"  # the model ended where the box that was begun for it should
    return replace(more, text=text, tokens=(*done.tokens, *more.tokens), reasoning="")


def _is_thinking(done: Completion, *, opened: bool) -> bool:
    if not done.text:
        return bool(done.reasoning)
    return (opened or done.text.lstrip().startswith(OPEN)) and CLOSE not in done.text


def _written(done: Completion, *, opened: bool) -> str:
    """What the model wrote so far, the opening tag included where the template wrote it."""
    if not done.text and done.reasoning:  # the server had parted it
        return f"{OPEN}{done.reasoning}"
    return f"{OPEN}\n{done.text}" if opened else done.text


def _is_open(text: str) -> bool:
    """Does the last box lack its end?"""
    box = text.rpartition("\\boxed{")
    return bool(box[1]) and "}" not in box[2]


def _takes_fields(endpoint: Endpoint) -> bool:
    """vLLM and SGLang; llama.cpp takes them too, and hosted providers refuse what they do not
    know."""
    return endpoint.model.startswith("hosted_vllm/")
