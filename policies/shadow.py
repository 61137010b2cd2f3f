"""A shadow: one policy serves, another one is asked the same and only written down.

    choice = inner(case);    shadow(case) stands beside it in `ChoiceBatch.shadows`

What the shadow would have run is never run and never paid. It sees the attempts that `inner`
made, so after the first call it answers for the request as it stands, not for the one that it
would have led. A shadow that breaks (another featuriser, a block that is missing) is written down
as broken with its error, and the request is served: its needs are therefore not this policy's.
"""

from dataclasses import replace
from typing import ClassVar

from policies.case import CaseBatch, ChoiceBatch, Shadowed
from policies.nested import Nested
from policies.policy import Policy, register
from policies.wrapper import Wrapper

__all__ = ["Shadow"]


@register
class Shadow(Wrapper):
    """Serves `inner`, records what `shadow` would have chosen."""

    name: ClassVar[str] = "shadow"

    shadow: Nested

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        choice = self.inner.choose(cases)
        return replace(choice, shadows=(*choice.shadows, *_asked(self.shadow, cases)))


def _asked(shadow: Policy, cases: CaseBatch) -> tuple[Shadowed, ...]:
    try:
        choice = shadow.choose(cases)
        choice.check(cases)
    except Exception as error:  # whatever it does wrong must not reach who is served
        what = str(error) or type(error).__name__
        return (Shadowed(shadow.name, None, what),)
    return (Shadowed(shadow.name, replace(choice, shadows=())), *choice.shadows)
