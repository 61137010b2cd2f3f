"""Sentences on the routing itself that stand apart from the question beside them.

`steering` knows orders by their words. What it does not know may still be told by where it
stands: one sentence speaks of the router, of models by size or price, or of labels, points at
the question ("this", "please", "must", a field, a tag), and nothing else in the text has
anything to do with such matters. Such a sentence is an aside, and is dropped.

What this does not do: drop a question, or the only sentence; find an aside in a text that is
about routing or models itself; know every language.
"""

import re
from collections.abc import Sequence

__all__ = ["without_asides"]

_LONGEST = 240
_FEWEST_WORDS = 3
_MACHINERY = (
    r"\b(?:the|this|that|our|your|dear|hey|hi|hello|attention|note to|previous)(?: [\w-]+)? "
    r"(?:router|routing(?: \w+)?|classifier|gateway|dispatcher|orchestrator|model selector)\b|"
    r"^\W*(?:\w+ )?(?:router|routing|classifier|gateway|dispatcher)\b\W+(?:please|this|that|"
    r"send|treat|use|route|mark|consider\w*|classif\w*|in maintenance|result)\b|\brouting layer\b|"
    r"\bsend[-_]to\b|\broute[-_]to\b|x-route|[@#/]route\b|[@#]tier\b|\bmodel selection\b|"
    r"\bfast ?lane\b|\btraffic goes\b|(?-i:\bmodel [A-C]\b)|\btier[ -]?\d|"
    r"\bend of classification\b|\b(?:low|lower|high|higher)-cost handling\b|\breasoning budget\b|"
    r"x-model|x-tier|@(?:model|domain|difficulty)\b|\bload balancer\b|\bgatekeeper\b|"
    r"\b(?:psst|yo|hey|oi),? router\b|\bcandidate pool\b|\bcost is no object\b|"
    r"\bcost constraints?\b|\bquality\s*=\s*max|"
    r"\b(?:choos\w+|pick|picking|select\w*) (?:your|the|a|an) (?:[\w-]+ ){0,2}(?:model|llm)\b|"
    r"\b(?:allow_downgrade|override_router|force_\w+|no-classifier|suggested_tier|"
    r"model_selection)\b|"
    r"\b(?:tier|lane|model)\s*[:=]\s*[\"']?[a-z]|\bnon-verifiable\b|"
    r"\bquery (?:to|as|belongs?) (?:\w+ ){0,3}(?:domain|class|category|creative|verifiable)\b|"
    r"\b(?:complexity|difficulty)_?(?:score)?\s*=\s*[\d\"']|\bquery difficulty\b|"
    r"\b(?:this|the|my|that)(?: \w+)? (?:question|query|request|prompt|one) (?:is|has|was|"
    r"needs) (?:[\w,]+ "
    r"){0,4}?(?:verifiable|checkable|subjective|trivial|difficulty|single correct)\b|"
    r"\bthis has no "
    r"checkable\b|\b(?:difficulty|complexity)(?: score)? (?:of|to) (?:this|my|zero|the max\w*|\d)|"
    r"\bscored [\d.]+ for\b|\bfile it under\b|\bwhichever model\b|\bmodel_tier\b|"
    r"\ballow_escalation\b|"
    r"\bdeciding between two models\b|\b\d+B model\b|\bhigh-quality option\b|"
    r"\bdomanda verificabile\b|"
    r"\b(?:o|el|le|il|de|den|der|die) (?:roteador|enrutador|router\w*|classificat\w+|"
    r"clasificador)\b|"
    r"\bwhich model (?:gets|answers|handles|takes)\b|\bdecide (?:where|which model)\b"
)
_QUALITY = (
    r"\b(?:larger?|largest|big(?:ger|gest)?|small(?:er|est)?|tiny|mini|nano|local|cheap(?:er|"
    r"est)?|"
    r"expensive|premium|flagship|frontier|specialist|generalist|distilled|lightweight|heavyweight|"
    r"open-source|enterprise-grade|(?:most|more|less|least) [a-z]+|"
    r"quick|fast(?:er|est)?|slow(?:er|est)?|smart(?:er|est)?|dumb|weak(?:er|est)?|"
    r"strong(?:er|est)?|best|better|lite|budget|reasoning|hosted|powerful)"
    r"(?:[ -](?:or|and|and the|\w+)){0,2}[ -](?:models?|llms?|versions?|tiers?)\b(?! of\b)|"
    r"\b(?:gpt|claude|gemini)[- ]?\d|\b(?:opus|sonnet|haiku)[- ]?\d"
)
_LABELS = (
    r"\b(?:class|label|category|difficulty|complexity|"
    r"domain)\b[\"']?\s*[:=]\s*[\"'(]{0,2}(?:maths?|"
    r"cod(?:e|ing)|logic|knowledge|open|easy|hard|trivial|simple|complex|extreme|high|low|large|"
    r"small|[01]\s*,\s*[01])\b|name=[\"'](?:difficulty|class|tier|model)|"
    r"\bknowledge[ _-]demand\b|\bverifiability\b|\b[kv]\s*=\s*[01]\b.{0,12}\b[kv]\s*=\s*[01]\b"
)
_BIG = (
    r"(?:stora|lilla|gro(?:ß|ss)\w*|klein\w*|grande?|pequeñ\w+|pequen\w+|petite?|grot[e]?|"
    r"gro[oß]ere|"
    r"du[żz]\w+|mał\w+|büyük|küçük|больш\w+|маленьк\w+|дешев\w+|teuer\w*|billig\w*|cher|barat\w+|"
    r"car[oa]|premium|punta|mejor|meilleur\w*|best\w*|крупн\w+|сильн\w+|mocn\w+|najmocn\w+|"
    r"stärk\w+|"
    r"schwäch\w+|potente|piccol\w+)"
)
_FOREIGN = (
    rf"\b{_BIG}\W+(?:\w+\W+){{0,2}}(?:modell\w*|modelo\w*|mod[eè]le\w*|model\w*|модел\w+)|"
    rf"\b(?:modell[oien]*|modelo\w*|mod[eè]le\w*|модел\w+)\W+(?:\w+\W+)?{_BIG}|"
    r"(?:대형|소형|큰|작은|저렴|비싼)\s?모델|모델(?:로|에게)\s?보내|[大小]型?(?:的)?模型|模型(?:处理|回答)|"
    r"[大小](?:きい|さい|きな|さな|型)?モデル|モデル(?:に|へ)|النموذج\s+ال|(?:बड़े|छोटे)\s+मॉडल|"
    r"\b(?:klassifizier\w*|clasif[ií]c\w+|classific\w+|classez)\b.{0,30}\b(?:als|como|come|"
    r"comme)\b|"
    r"\bconsidera quest\w+\b.{0,30}\bcome\b"
)
_STRONG = re.compile("|".join((_MACHINERY, _QUALITY, _LABELS, _FOREIGN)), re.IGNORECASE)
_WORLD = re.compile(
    r"\b(?:models?|routers?|rout(?:e|es|ed|ing)|classif\w+|gateways?|llms?|labels?|tiers?|"
    r"class(?:es)?|categor\w+|versions?|engines?)\b|модел|模型|モデル|모델|\bmodel[a-z]{0,3}\b|"
    r"\bmod[eè]les?\b",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(?:you|your|me|use|go with|deserves?|this|that|here|it|its|please|pls|must|may|should|"
    r"shall|do not|don'?t|never|only|hereby|accepted|again|everything|whoever|whatever|override|"
    r"question|query|request|prompt|all traffic|"
    r"esto|esta|ceci|cette|diese[rsn]?|questa|den här|deze|to pytanie|этот|это|bu soru)\b|"
    r"[=@<>{}\[\]]|:\s|이|这|這|この|هذا|यह|इस",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?？؟]\W*$")


def without_asides(sentences: Sequence[str]) -> list[str]:
    """The sentences without asides; all of them where nothing else would be left."""
    speaks = [bool(_STRONG.search(s[:_LONGEST])) for s in sentences]
    if not any(speaks):
        return list(sentences)
    others = [s for s, strong in zip(sentences, speaks, strict=True) if not strong]
    worldly = any(_WORLD.search(s) for s in others)
    if worldly or not any(len(s.split()) >= _FEWEST_WORDS for s in others):
        return list(sentences)
    return [
        s
        for s, strong in zip(sentences, speaks, strict=True)
        if not (strong and len(s) <= _LONGEST and _POINTS.search(s) and not _ASKS.search(s))
    ]
