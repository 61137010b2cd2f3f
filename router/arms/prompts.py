"""What a model is asked when it answers from its own parameters.

One instruction a domain, appended to the last user turn, so that the answer can be found
and checked afterwards. The math line is the one VibeThinker was evaluated with
(arXiv 2511.06221). Code in another language than Python gets none. Conversations keep all
their turns.
"""

from collections.abc import Mapping

from router.state import Domain, Query
from router.verify.languages import language_of

__all__ = ["is_foreign", "messages_for"]

_MATH = "Let's think step by step and output the final answer within \\boxed{}."
_CODE = "Answer with one complete Python code block (```python ... ```), and nothing else."
_INSTRUCTION: Mapping[Domain, str] = {"math": _MATH, "logic": _MATH, "code": _CODE}


def messages_for(
    query: Query, domain: Domain, instruction: str | None = None
) -> list[dict[str, str]]:
    """The conversation as OpenAI role/content pairs, with an instruction and the domain's."""
    messages = [{"role": m.role, "content": m.content} for m in query.messages]
    own = None if is_foreign(query, domain) else _INSTRUCTION.get(domain)
    extra = [part for part in (instruction, own) if part]
    last_user = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=None)
    if extra and last_user is not None:
        messages[last_user]["content"] += "\n\n" + "\n\n".join(extra)
    return messages


def is_foreign(query: Query, domain: Domain) -> bool:
    """Whether code is asked for in a language that is not Python."""
    return domain == "code" and language_of([m.content for m in query.messages]) is not None
