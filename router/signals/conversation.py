"""What is read of a conversation: its last ask, seen through wrappers, in its context.

A *view* is a text and its weight; the featuriser pools over views. Read are

    the last user turn      without wrapper (`wrappers`) and text aimed at the router
                            (`steering`)
    with what it continues  a follow-up ("yes", "and for 7?", "do it in Java instead") means
                            nothing alone: the ask before it, and what the assistant offered
    what stands around it   a wrapper's context (passages, examples), with little weight
    the system's task       where the system prompt says what to do with every message
                            ("translate whatever the user writes")

How far a turn leans on the one before is a rule on words, not on meaning. What this does not
do: read more than the last `_BACK` turns, weigh a system prompt that only sets a tone.
"""

import re
from typing import NamedTuple

from router.signals.leadins import without_lead_ins
from router.signals.materials import (
    has_passage,
    plain_options,
    without_format,
    without_manners,
)
from router.signals.steering import without_steering
from router.signals.wrappers import unwrap
from router.state import Message, Query

__all__ = ["Reading", "View", "leans", "read"]

_NOD_WORDS = (
    "yes y yeah yep yup on ahead sure ok okay no nope continue more next again go please right "
    "exactly proceed why how explain another one shorter longer simpler ja nein oui non si sí "
    "weiter encore continua sigue mehr noch eins otra más warum pourquoi и да ещё "
    "继续 好 是 为什么 はい 続けて 네 계속"
)
_NODS = frozenset(_NOD_WORDS.split())
_OPENERS = re.compile(
    r"^\W{0,20}(?:and|but|now|then|also|or|so|what about|how about|same|what if|for|with|without|"
    r"try|go on|go ahead|keep going|do it|do that|do the same|make it|make that|show me|one more|"
    r"another|instead|in (?:python|java|javascript|rust|go|german|french|english|spanish)|"
    r"are you sure|that'?s|no[,.! ]|wrong|yes[,.! ]|ok(?:ay)?[,.! ]|thx|thanks|shorter|longer|"
    r"why(?=\W+(?:\w+\W+){0,2}$)|i meant|you (?:got|forgot|missed)|und|et|y|pero|aber|mais|e|jetzt|"
    r"auf|en|а|и|那|还有|再|じゃあ|그럼)(?!\w)",
    re.IGNORECASE,
)
_POINTERS = re.compile(
    r"\b(?:(?:it|this|them|those|these)(?!\s*[:\"“])|instead|above|again|shorter|longer|each|"
    r"(?<!is )(?<!are )there|"
    r"that(?!\s+(?:(?!as\b)\w+s|are|can|will|would|have|had|may|must|should|i|you|we)\b)|he|she|"
    r"him|"
    r"his|her|they|the (?:first|second|last|other|same)(?: (?:one|part|line|"
    r"step))?(?=\W*(?:please)?\W*$))\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"^\W{0,20}(?:(?:and|now|so|then|ok|also)\W+){0,2}(?:who|what(?! about)|when|where|which|how|"
    r"(?:for|in|with) (?:which|what)|is(?! it)|are(?! you)|does|did|write|create|implement|solve|"
    r"find|compute|calculate|translate|define|prove|"
    r"wer|was|wo|wann|wie|qui|quel\w*|quién|qué|cuál)\b\W+\w+",
    re.IGNORECASE,
)
"""A turn that says itself what it asks."""
_THANKS = re.compile(
    r"^\W{0,20}(?:(?:ok(?:ay)?|ah|oh|great|perfect|nice|cool|super|omg|wow)[\s,.!]{0,8})?(?:many )?"
    r"(?:thanks?|thank you|thx|danke|merci|gracias|cheers|that was it|got it)\b[^?]*$",
    re.IGNORECASE,
)
_TASK_OF_SYSTEM = re.compile(
    r"\b(translat\w+|summari[sz]\w+|rewrit\w+|rephras\w+|proofread\w*|classif\w+|extract\w*|"
    r"correct\w*|convert\w*)\b[^.\n]{0,60}\b(user|message|messages|input|text|texts|sentence|"
    r"sentences|everything|whatever|anything|each|every|following|given)\b",
    re.IGNORECASE,
)
_FEW, _SOME = 6, 16
_ASK_CHARS, _OFFER_CHARS = 1_200, 300
_BACK = 3
_AROUND, _PASSAGE, _TASK = 0.03, 0.4, 0.5
"""Weights of what stands around an ask: rules and examples, a passage, the system's task."""


class View(NamedTuple):
    """A text to encode; the weights of a reading's views sum to one."""

    text: str
    weight: float


class Reading(NamedTuple):
    """What the featuriser reads of a query."""

    views: tuple[View, ...]
    ask: str
    """The first and heaviest view: cues, words, language and lengths are read of it."""
    follow_up: bool
    wrapped: bool
    passage: bool
    """A text to read stood around the question."""
    steered: bool
    """Text aimed at the router was found (and dropped, where anything else was asked)."""


def read(query: Query) -> Reading:
    """The views of a query, in bounded time whatever its size."""
    last, around, steered = _bare(_last_turn(query))
    before = _before(query)
    lean = leans(last) if before else 0.0
    views = [View(last, 1.0 - lean)]
    if lean:
        views.insert(0, View(f"{before}\n{last}", lean))
    views.sort(key=lambda v: -v.weight)
    passage = has_passage(around)
    extra = [View(around, _PASSAGE if passage else _AROUND)] if around else []
    task = _system_task(query)
    if task:
        extra.append(View(f"{task}\n{last}", _TASK))
    left = 1.0 - sum(v.weight for v in extra)
    views = [View(v.text, v.weight * left) for v in views if v.weight > 0] + extra
    views = [View(_sound(v.text), v.weight) for v in views]
    return Reading(tuple(views), views[0].text, lean > 0, bool(around), passage, steered)


def _sound(text: str) -> str:
    """Without lone surrogates, which no tokeniser takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def leans(text: str) -> float:
    """How far a turn leans on the one before it: 0 (not at all) to 0.8 (a bare "yes")."""
    words = re.findall(r"[^\W_]+", text.lower())
    if not words:
        return 0.8  # "?", "...", "!"
    if _THANKS.match(text) and len(words) <= _SOME:
        return 0.0
    opens, points = bool(_OPENERS.match(text)), bool(_POINTERS.search(text))
    own = bool(_OWN.match(text))
    if len(words) <= _FEW and (opens or points or all(w in _NODS for w in words)):
        return 0.8
    if len(words) < _FEW // 2 or (len(words) == _FEW // 2 and not own):
        return 0.6
    if len(words) <= _SOME and (points or (opens and not own)):
        return 0.6 if opens and points else 0.4
    return 0.0


def _last_turn(query: Query) -> str:
    users = [m.content for m in query.messages if m.role == "user"]
    return users[-1] if users else query.messages[-1].content


def _bare(text: str) -> tuple[str, str, bool]:
    """(the ask, what stood around it, whether the router was addressed)."""
    core, rest = unwrap(text)
    ask, steered = without_steering(core)
    if steered and rest and ask == core:  # "<task>use the large model</task> What is ...?"
        core, rest = unwrap(without_steering(text)[0])
        ask = without_steering(core)[0]
    rest = rest[:_ASK_CHARS]
    around, more = without_steering(rest)
    polite = ask.strip()
    ask = without_lead_ins(without_manners(polite))
    if ask != polite:
        ask = unwrap(ask).core  # "...: Question: ... Answer: Thanks!"
    ask = without_format(plain_options(ask))
    return ask.strip(), "" if more and around == rest else around.strip(), steered or more


def _before(query: Query) -> str:
    """The ask that a follow-up continues, and the question that the assistant ended on."""
    turns = [m for m in query.messages if m.role != "system"]
    spoken = [i for i, m in enumerate(turns) if m.role == "user"][:-1]
    asks: list[str] = []
    for i in reversed(spoken[-_BACK:]):
        asks.insert(0, _bare(turns[i].content)[0][:_ASK_CHARS])
        if not leans(asks[0]):
            break
    offer = _offer(turns)
    return "\n".join([*asks, offer] if offer else asks)


def _offer(turns: list[Message]) -> str:
    """The assistant's question before the last user turn: "Shall I explain how ...?"."""
    said = turns[-2].content if len(turns) > 1 and turns[-2].role == "assistant" else ""
    tail = said[-_OFFER_CHARS:]
    if "?" not in tail:
        return ""
    return re.split(r"(?<=[.!\n])\s+", tail[: tail.rindex("?") + 1])[-1]


def _system_task(query: Query) -> str:
    systems = [m.content[:_ASK_CHARS] for m in query.messages if m.role == "system"]
    found = [_TASK_OF_SYSTEM.search(s) for s in systems]
    return next((s for s, f in zip(systems, found, strict=True) if f), "")
