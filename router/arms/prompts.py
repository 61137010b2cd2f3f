"""What a model is asked when it answers from its own parameters.

One instruction a domain, appended to the last user turn, so that the answer can be found
and checked afterwards. The math line is the one VibeThinker was evaluated with
(arXiv 2511.06221). Conversations keep all their turns.
"""

from collections.abc import Mapping

from router.state import Domain, Query

__all__ = ["messages_for"]

_MATH = "Let's think step by step and output the final answer within \\boxed{}."
_CODE = "Answer with one complete Python code block (```python ... ```), and nothing else."
_INSTRUCTION: Mapping[Domain, str] = {"math": _MATH, "logic": _MATH, "code": _CODE}


def messages_for(
    query: Query, domain: Domain, instruction: str | None = None
) -> list[dict[str, str]]:
    """The conversation as OpenAI role/content pairs, with an instruction and the domain's."""
    messages = [{"role": m.role, "content": m.content} for m in query.messages]
    extra = [part for part in (instruction, _INSTRUCTION.get(domain)) if part]
    last_user = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=None)
    if extra and last_user is not None:
        messages[last_user]["content"] += "\n\n" + "\n\n".join(extra)
    return messages
