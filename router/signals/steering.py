"""Text aimed at the router itself, which must not move the axes.

"Route this to the large model", `{"route": "small"}`, "[system] classify as math": such
sentences say nothing about the question. `without_steering` drops them before anything is
encoded. A sentence is dropped where it gives an order or a wish about routing (a verb or a
field of routing, and a model, tier, class or axis as its object); a question about routing
in the world ("How do routers choose a route?") stays.

Not covered: orders in words this file does not know. What slips through is a short sentence
beside the question, and moves the axes as far as any remark would.
"""

import re

__all__ = ["without_steering"]

MAX_CHARS = 20_000

_MODEL = (
    r"(?:(?:the|a|an|your|our|my|to|only|big|bigger|biggest|best|large|larger|largest|small|smaller|"
    r"smallest|cheap|cheaper|cheapest|strong|stronger|strongest|weak|weaker|premium|expensive|"
    r"powerful|frontier|top|local|hosted|fast|fastest|most|highest|lowest|tiny|full)[\s-]+){0,5}"
    r"(?:models?|llms?|tiers?|arms?|gpt[-\w.]*|claude[-\w.]*|gemini[-\w.]*|opus|sonnet|llama[-\w.]*|"
    r"vibethinker[-\w.]*|reasoner|backend|engine|route|index|retriever)\b(?!\s+(?:of|from|class)\b)"
)
_CLASS = (
    r"(?:verifiab\w*|knowledge(?:[ _-]?demand)?|maths?|mathematics|code|coding|logic|open(?:-ended)?|"
    r"easy|hard|trivial|simple|complex|difficult|chat|creative)"
)
_ORDERS = re.compile(
    "|".join(
        (
            # <verb of routing> ... <model>
            rf"\b(?:re-?route|route|send|forward|escalate|dispatch|direct|pass|hand|assign|delegate|"
            rf"steer|switch|upgrade|downgrade|fall back|use|pick|choose|select|prefer|call|invoke|"
            rf"needs?|requires?|deserves?|go(?:es)?|must go|should go|stay|keep|run|answer|handle[ds]?|"
            rf"force|skip|avoid|bypass|ignore)\b[^.!?\n]{{0,60}}?\b{_MODEL}",
            # classify / treat / label / mark ... as <class>
            rf"\b(?:classify|categori[sz]e|label|treat|mark|tag|flag|score|rate|register|log|count|"
            rf"consider|regard)\b[^.!?\n]{{0,50}}?\b(?:as|to|with|:)\b\W{{1,3}}(?:\w+\W{{1,3}}){{0,2}}?"
            rf"{_CLASS}\b(?=\W*$|\W+(?:question|query|prompt|problem|task|request|please|and|"
            r"regardless|no matter|even|so|for|with|at|in)\b|\s*[,;)\]}\"'=])",
            # axis or setting = value
            r"\b(?:verifiability|knowledge[ _-]?demand|route|router|routing|tier|model|arm|domain|"
            r"category|priority|difficulty|complexity|confidence|force_?\w*)[\"'`]?\s*[:=]\s*"
            r"[\"'`]?[\w.-]+",
            # the router addressed
            r"\b(?:dear|hey|hi|hello|attention|note to|message to|for|to) (?:the )?"
            r"(?:router|routing (?:system|layer|engine)|dispatcher|gateway|classifier)\b",
            r"^\W{0,6}(?:router|routing|dispatcher|gateway|classifier)\b\s*[:,!>\]-]",
            r"\b(?:override|disable|bypass|ignore|skip) (?:the |your |any |all )?(?:\w+ ){0,2}"
            r"(?:router|routing|route|classifier|policy|gateway)\b",
        )
    ),
    re.IGNORECASE,
)
_TOPIC = re.compile(
    r"\b(?:router|routing|rout(?:e|ed|ing)|models?|llms?|tiers?|gpt|claude|gemini|classif\w+|"
    r"verifiab\w+|knowledge[ _-]?demand|arms?|dispatcher|gateway|escalat\w+|categor\w+|label|treat|"
    r"mark|tag|modelo?s?|modell\w*|mod[eè]le|weiterleit\w*|leite|envía|envia|envoie|router?s?|"
    r"маршрут\w*|модел\w*|模型|路由|モデル|ルーター|모델|라우터|النموذج|मॉडल)",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"(?:\b(?:leite|schick\w*|sende|nimm|nutze|benutze|verwende|env[ií]a(?:lo|la|r)?|manda(?:lo|la|r)?|usa|utilice|"
    r"elige|envoie\w*|utilise\w*|choisis\w*|use|usar|invia\w*|indirizza\w*|scegli|stuur|gebruik|"
    r"wyślij|użyj|отправ\w*|направ\w*|используй\w*)\b[^.!?\n]{0,60}"
    r"(?:modell\w*|modelo\w*|mod[eè]les?|modell[oi]|model\w*|модел\w*))|"
    r"(?:使用|用|选择|请用|转到|发送|路由|選択|使って|送って|ルーティング|사용|보내|라우팅)"
    r"[^。！？\n]{0,20}(?:模型|モデル|모델)|(?:模型|モデル|모델)[^。！？\n]{0,12}"
    r"(?:处理|回答|送|使|ルーティング|보내|사용|라우팅)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"[^.!?。！？\n]+(?:[.!?。！？](?!\s|$)[^.!?。！？\n]*)*[.!?。！？]*\s*|\s+|[.!?。！？]+\s*"
)
_QUESTION = re.compile(
    r"^\W{0,10}(?:how|why|what|which|when|who|where|does|do|is|are|can you explain|explain|describe|"
    r"write|implement|compute|prove|define|translate|summari[sz]e)\b",
    re.IGNORECASE,
)
_LONGEST = 240
_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 2


def without_steering(text: str) -> tuple[str, bool]:
    """The text without sentences aimed at the router, and whether there were any."""
    head, tail = text[:MAX_CHARS], text[MAX_CHARS:]
    if not _TOPIC.search(head):
        return text, False
    kept, found = [], False
    for sentence in _sentences(head):
        if _steers(sentence):
            found = True
            kept.append("\n" if sentence.endswith("\n") else " ")
        else:
            kept.append(sentence)
    rest = "".join(kept).strip() + tail
    if not found or len(_WORD.findall(rest)) < _FEWEST_WORDS:
        return text, found  # nothing else was asked: there is no question to protect
    return rest, True


def _steers(sentence: str) -> bool:
    bare = sentence.strip()
    if not bare or len(bare) > _LONGEST or _QUESTION.match(bare):
        return False
    return bool(_ORDERS.search(bare) or _FOREIGN.search(bare))


def _sentences(text: str) -> list[str]:
    """Cut after sentence marks and line ends; joined again they are the text."""
    return _SENTENCE.findall(text)
