"""Claim-level reliability of one sample: the same model extracts its claims and checks each.

Prompts and readers are `router.arms.claims`'s; here the calls are made, and every one of them
is on the sample's bill. The checker sees the whole conversation, and the passages where the
arm read any. A sample without a closed answer has no vote, so nothing is asked of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from router.arms.claims import check_messages, extraction_messages, read_check, read_claims
from router.arms.claims import reliability as reliability_of
from router.arms.drawing import Asking, Drawn, room
from router.arms.methods import Clr
from router.arms.reader import passages_block
from router.arms.spending import Refused
from router.models.completion import Completion
from router.samples import ClaimCheck

__all__ = ["check_claims"]


async def check_claims(asking: Asking, method: Clr, drawn: Drawn) -> None:
    """Fill the sample's claims and its reliability.

    The reliability stays None where the claims could not be asked for (the call failed, or was
    refused); where the reply holds no claim that can be read, it is 0.
    """
    asked = extraction_messages(_problem(asking), drawn.reading.text, method.claims)
    reply = await _ask(asking, drawn, asked, method.claim_tokens)
    if isinstance(reply, Refused) or reply.error is not None:
        return
    found = read_claims(reply.text, method.claims, opened=asking.opened)
    async with asyncio.TaskGroup() as group:
        checks = [group.create_task(_checked(asking, method, drawn, claim)) for claim in found]
    drawn.claims = tuple(check.result() for check in checks)
    drawn.reliability = reliability_of([c.holds for c in drawn.claims], method.claims)


async def _checked(asking: Asking, method: Clr, drawn: Drawn, claim: str) -> ClaimCheck:
    asked = check_messages(_problem(asking), claim)
    reply = await _ask(asking, drawn, asked, method.check_tokens)
    if isinstance(reply, Refused):
        return ClaimCheck(claim=claim, holds=None, status="not_run")
    if reply.error is not None:
        return ClaimCheck(claim=claim, holds=None, status="failed")
    holds = read_check(reply.text, opened=asking.opened)
    return ClaimCheck(claim=claim, holds=holds, status="unreadable" if holds is None else "checked")


async def _ask(
    asking: Asking, drawn: Drawn, asked: Sequence[Mapping[str, str]], cap: int
) -> Completion | Refused:
    """On the sample's bill, within the model's own caps."""
    most = room(min(cap, asking.model_cap), asked, asking.context)
    endpoint = replace(asking.endpoint, logprobs=None)
    return await asking.spender.call(drawn.bill, endpoint, asked, max_tokens=most)


def _problem(asking: Asking) -> str:
    """All that the sample was asked: the conversation, behind what it was given to read."""
    messages = asking.query.messages
    alone = len(messages) == 1
    turns = [m.content if alone else f"{m.role}: {m.content}" for m in messages]
    shown = [passages_block(asking.passages)] if asking.passages else []
    return "\n\n".join([*shown, *turns])
