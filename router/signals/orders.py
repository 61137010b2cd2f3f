"""Words and patterns of text aimed at the router; `router.signals.steering` says what for.

A pattern of `ORDERS` covers the order alone, not the sentence around it. Each reads a bounded
stretch from where it begins.
"""

import re

__all__ = ["CRUMB", "FOREIGN_MODEL", "FOREIGN_VERB", "ORDERS", "QUESTION", "TOPIC"]

_SIZE = (
    r"(?:bigg?(?:er|est)?|large[rst]{0,2}|small(?:er|est)?|tin(?:y|iest)|mini|cheap(?:er|est)?|"
    r"strong(?:er|est)?|weak(?:er|est)?|premium|pric(?:e?y|iest)|expensive|costl(?:y|iest)|"
    r"powerful|frontier|flagship|top(?:-tier|-end|most)?|smart(?:er|est)?|advanced|capable|"
    r"(?:fast|slow|light|heav|great|mighti|high|low)(?:y|er|ier|est|iest)?(?:-end|weight)?|"
    r"paid|local|hosted|remote|full(?:-size)?|reasoning|thinking|your best|little|huge|giant|max|"
    r"most|more|least|\d{1,3}b|verified|least-cost|low-cost|better|other|default|budget)"
)
_NAME = (
    r"(?:(?:chat)?gpt(?:-?\d[\w.-]*)?|claude(?:[ -](?:\d[\w.]*|opus|sonnet|haiku))*|opus|sonnet|"
    r"gemini(?:[ -](?:\d[\w.]*|pro|ultra|flash))*|llama[-\w.]*|mi[sx]tral|qwen[-\w.]*|deepseek|"
    r"vibethinker[-\w.]*|o[134](?:-mini)?)\b"
)
_NOUN = r"(?:models?|llms?|ais?|tiers?|reasoners?|retriever)\b"
_DET = r"(?:(?:to|with|the|a|an|your|our|my|any|only|one|very|some)\s+){0,3}"
_SIZED = rf"{_DET}(?:{_SIZE}(?:\s*,\s*|\s+|-)){{1,4}}(?:\w+[\s-]+)?{_NOUN}"
_TIER = r"(?:the\s+)?(?:tier|level|arm)[ -]?(?:\d|[a-c]|one|two|three|four)\b"
_BEST = (
    rf"(?:the\s+)?(?:very\s+)?best\s+(?:possible\s+|"
    rf"available\s+)?(?:\w+\s+)?{_NOUN}(?=\s+(?:available|"
    r"you|there|for th|on th|to answer|please|money))"
)
_MODEL = rf"(?:{_SIZED}|{_DET}{_NAME}(?:\s+models?)?|{_TIER}|{_BEST})"
_ANY_MODEL = (
    rf"(?:{_MODEL}|{_DET}best\s+(?:\w+\s+)?{_NOUN}|"
    rf"{_DET}(?:{_NOUN}|arms?\b|backends?\b|engines?\b|index\b))"
)
_END = (
    r"(?=\W*$|\.[\s<]|\s*[,;:!?)\]}>\"'»—|*]|\s+[-–—]|\s+(?:for|on|here|please|pls|now|only|instead|"
    r"available|"
    r"you|we|there|possible|regardless|no matter|whatever|because|since|even|or|not|rather|at once|"
    r"always|when|if|this time|today|thanks?|from now|immediately|to (?:answer|solve|handle|"
    r"process|"
    r"respond|reply|do|work)|and (?:not|no|never|only|nothing|don'?t)|lol|ok|thx|asap|right away|"
    r"straight away|next|bro|man)\b|\s+(?-i:[A-Z][a-z]*\b))"
)
_ASKED = (
    r"(?:questions?|quer(?:y|ies)|prompts?|requests?|messages?|tasks?|conversations?|problems?)"
)
_THIS = rf"(?:this|it|that|me|my|these|everything|all|the (?:\w+\s+)?{_ASKED}|{_ASKED})\b"
_GO = (
    r"(?:^\W{0,12}|[,:;()\[\]{}<>*\"'—–-]\s{0,2}|\b(?:please|pls|kindly|must|should|shall|"
    r"needs?(?: to)?|"
    r"ha(?:s|ve) to|to be|be|just|always|now|then|and|so|you|do not|don'?t|never|instead|let'?s|"
    r"why not|mind|"
    r""
    r"rather|only|but|simply|directly|immediately|(?:want|ask|instruct\w*|order\w*|tell|told|like|"
    r"supposed|ought|allowed|required|free)(?: \w+){0,2}? to|will|can|could|would|router)\s+"
    r"(?:\w+ly\s+)?)"
)
_CLASS = (
    r"(?:(?:un)?verifiab\w*|knowledge(?:[ _-]?demand(?:ing)?)?|maths?|mathematics|code|coding|"
    r"logic|"
    r"open(?:-ended)?|easy|hard|trivial|simple|complex|difficult|chat|creative|expert(?:-level)?|"
    r"research(?:-level)?|critical|urgent|high|low|tier|premium)"
)
_VALUE = (
    rf"(?:{_SIZE}|{_CLASS}|{_NAME}|best|escalate|retriev\w+|direct|none|any|true|on|off|yes|always|"
    r"never|expert|\d(?:\.\d+)?(?=\W*$|\s*[,;})\]]|\s+(?-i:[A-Z])))"
)
ORDERS = re.compile(
    "|".join(
        (
            # sends: a verb of routing, a model
            rf"{_GO}(?:re-?route|route|escalate|dispatch|redirect|upgrade|downgrade|bump)(?:d|"
            rf"ed)?\s+"
            rf"(?:{_THIS}[^.!?\n]{{0,40}}?\s)?(?:up\s+|down\s+|over\s+)?(?:to|through|via|"
            rf"towards?|with)\s+"
            rf"{_ANY_MODEL}{_END}",
            # sends: any verb of motion, a model with a size, price, quality or name
            rf"{_GO}(?:sen[dt]|forward|direct|pass|hand|assign|delegate|steer|switch|move|give|"
            rf"take|"
            rf"submit|fall back)(?:ed)?\s+(?:{_THIS}[^.!?\n]{{0,40}}?\s)?(?:over\s+|back\s+)?"
            rf"(?:to|through|via|on|by)\s+{_MODEL}{_END}",
            # asks for: a model with a size, price, quality or name, and no purpose
            rf"(?:{_GO}(?:use|using|pick|choose|select|prefer|call|invoke|run|try|take|force|"
            rf"avoid|skip|"
            rf"bypass|trust|require|bother|rely|insist|make do|stay|keep|go|(?:re)?use|never use|"
            rf"stick|"
            rf"(?:answer|respond|reply|solve|handle|process|do|run|treat|generate)\w*)|"
            rf"\b(?:needs?|requires?|deserves?|demands?|calls? for|warrants?|goes|belongs|"
            rf"intended|meant|"
            rf"handled|answered|processed|solved|served|reserved|"
            rf"i\s*(?:'d like|would like|want|insist|pay|paid|expect|ask)))\b"
            rf"(?:\s+{_THIS})?(?:\s+(?:to|with|by|using|via|on|for|only|directly|nothing but|"
            rf"to be \w+|an answer from)){{0,3}}\s+{_MODEL}{_END}",
            rf"\b(?:any|even|a|an|the|only|no)\s+{_SIZED}\s+(?:will|would|can|could|should|must|"
            rf"has to|"
            r"may|is (?:enough|sufficient|fine|required|needed|mandatory)|suffices|please|"
            r"do(?:es)?\b)",
            rf"^\W*(?:please\s+|only\s+|no\s+|just\s+){{0,3}}{_MODEL}(?:\W{{1,3}}(?:only|please|"
            rf"pls|now|"
            rf"required|mandatory|needed|thanks|thank you)){{1,3}}(?=\W*$|\s+(?-i:[A-Z][a-z]*\b))",
            rf"^\W*(?:only|no|never)\s+{_MODEL}\W*$",
            rf"\blet\s+{_MODEL}\s+(?:answer|handle|do|take|solve|have|get)\b",
            rf"\b{_MODEL}\s[^.!?\n]{{0,20}}?\b(?:answer|handle|do|take|solve|get|see|"
            rf"process)\w{{0,2}}\s+"
            rf"(?:{_THIS}|one)",
            rf"\btoo \w+ for {_MODEL}",
            rf"{_GO}(?:use|take|pick|try|want|need)\s+something\s+{_SIZE}{_END}",
            # rates: this question as one of our classes
            rf"(?:{_GO}|{_THIS}\s+(?:should|must|has to|needs to|is to|"
            rf"ought to)\s+be\s+)(?:classify|classifie|categori[sz]e|label|treat|mark|tag|flag|"
            rf"score|rate|register|log|"
            rf"count|"
            rf"consider|regard|handle|judge|grade|assume)(?:ed|d)?\s+(?:{_THIS}[^.!?\n]{{0,30}}?)?"
            rf"(?:\b(?:as|to be|is|under|into|with|at)\b|"
            rf":)\W{{1,3}}(?:\w+\W{{1,3}}){{0,3}}?{_CLASS}\b"
            rf"(?!\s*(?:,|/|\||or\b|and\b)\s*(?:or\s+)?{_CLASS})"
            rf"(?=\W*$|\W+(?:{_ASKED}|please|and|regardless|no matter|even|so|for|with|at|in|level|"
            r"priority|tier)\b|\s*[,;)\]}\"'=]|\s+(?-i:[A-Z][a-z]*\b))",
            r"\b(?:verifiability|knowledge[ _-]?demand)\b[\"'`]?\W{0,3}(?:is|to|of|at|should be|"
            r"must be|"
            r"score|axis|=|:)?\W{0,4}(?:very\s+|maximally\s+)?(?:high|low|max\w*|min\w*|zero|one|"
            r"full|none|"
            r"\d(?:\.\d+)?)",
            r"\b(?:high|low|max\w*|min\w*|zero|no|full)\s+(?:verifiability|knowledge[ _-]demand)\b",
            # sets: a field, or a command, with a value of routing
            r"\b(?:router?|routing|route_?to|(?:model|routing|router)_?(?:tier|route|arm|class|"
            r"hint|choice)|"
            rf"target_?(?:model|tier|arm)|tier|arm|"
            rf"force_?\w*)[\"'`]?\s*[:=]+>?\s*[\"'`]?{_VALUE}\b",
            rf"\bmodel=[\"']?{_VALUE}\b",
            rf"\bset\s+(?:the\s+)?(?:router?|routing|tier|model|arm|difficulty|"
            rf"complexity)\s+(?:to|at|=)\s+"
            rf"{_VALUE}\b",
            rf"[:(\[]\s*{_TIER}\W*(?=$|\s(?-i:[A-Z][a-z]*\b))",
            r"\b(?:output|return|emit|print|say)\s+(?:the\s+)?(?:route\W+)?[\"']?(?:large|small|"
            r"premium|tier)"
            r"(?:\s\w+)?[\"']?\W*$",
            r"^\W*(?:(?:preferred |required )?models?|label|class|difficulty|complexity|domain|"
            r"category|"
            rf"(?:question|query|task)[ _]?(?:type|class))\s?[:=]\s?{_VALUE}(?=\W*$|"
            rf"\s+(?-i:[A-Z][a-z]*\b))",
            r"^\W*(?:/(?:model|route|router|tier)|@(?:router|gpt|claude|opus|large|small)|"
            r"(?:--|#)(?:route|router|tier|model))\b[\s:=]{0,3}[\w.-]*",
            # addresses the router, or tells it what to forget
            r"^\W*(?:dear|hey|hi|hello|attention|note to|message to|@)\W*(?:the |our |my |you )?"
            r"(?:\w+[ -])?(?:router|routing (?:\w+)|dispatcher|gateway|classifier)\b(?!\s+\w)",
            r"\b(?:override|disable|bypass|ignore|skip|disregard|forget|turn off)\s+(?:the |your |"
            r"any |"
            r"all |this |of )*(?:\w+ ){0,2}?(?:router|routing|classifier|model selection|"
            r"(?:previous|"
            r"prior|above|earlier|your) (?:\w+ )?(?:instructions?|rules?|prompts?|guidelines?))\b"
            r"(?=\W*$|\s*[,;:.)]|\s+(?:and|for|logic|polic|decision|rule|layer|on this|here|"
            r"now)\w*\b)",
            rf"\b(?:router|routing\s\w+|dispatcher|classifier)\b[^.!?\n]{{0,25}}\b(?:must|should|"
            rf"shall|"
            rf"has to|needs to|will|is to|may|can)\b[^.!?\n]{{0,40}}?\b{_MODEL}",
            r"^\W*(?:please\s+)?(?:do not |don'?t |never |always |just )?escalate\b\W*(?:this|"
            r"it)?\W*"
            r"(?:now|please|immediately|at once|directly|right away)?\W*$",
            r"^\W*you are (?:a|an|the) (?:\w+ )?router\W*$",
            r"\b(?:model|routing|router|tier)\s+(?:override|directive|decision|choice|hint|"
            r"instruction|"
            r"preference)\b"
            r"(?:\s*[:=]\s*[\w=.-]+(?: \d)?)?",
        )
    ),
    re.IGNORECASE,
)
CRUMB = re.compile(
    r"^\W*(?:because|since|as (?:it|this)|for (?:it|this)|(?:it|this|that)(?:'s| is| was| needs|"
    r" has)|"
    r"regardless|no matter|even if|even though|please|thanks?|thank you|and so|which is|not the|"
    r"never "
    r"the|nothing else|whatever|however (?:easy|simple|hard)|despite|cost is|price is|money is|"
    r"i (?:pay|paid|am paying|insist)|don'?t|do not|system|admin|note|important|urgent)\b",
    re.IGNORECASE,
)
TOPIC = re.compile(
    r"rout(?:e|ing)|model|llm|tier|gpt|claude|gemini|opus|sonnet|llama|mi[sx]tral|qwen|deepseek|"
    r"vibethinker|\bo[134]\b|classif|verifiab|knowledge[ _-]?demand|\barm\b|dispatcher|gateway|"
    r"escalat|categor|label|treat|\bmark|\btag|\bflag|consider|regard|difficulty|complexity|domain|"
    r"instructions|\bai\b|something|output|index|retriever|engine|backend|reasoner|mod[eè]l|malli|"
    r"модел|маршрут|模型|路由|モデル|"
    r"ルーター|모델|라우터|نموذج|मॉडल|מודל|โมเดล|mô hình|μοντέλο",
    re.IGNORECASE,
)
FOREIGN_VERB = re.compile(
    r"\b(?:leite|schick|sende|gib|nimm|nutz|benutz|verwend|wähl|beantworte|antworte|lass\b|"
    r"bearbeite|env[ií]a|manda(?:lo|la|r)?\b|usa (?:el|la|il|o|un|una|lo)\b|usar|utiliz|utilic|"
    r"elige|elij|responde|pasa|dirig|escog|envoie|envoy|utilis|choisi|répond|passe[rz]?\b|"
    r"emploie|use (?:o|a|um)\b|usar|encaminh|mande|escolh|responda|invia|indirizz|scegli|"
    r"rispond|inoltr|stuur|gebruik|kies|beantwoord|wyślij|użyj|skieruj|wybierz|odpowiedz|"
    r"отправ|направ|использу|выбер|ответ|переда|kullan|gönder|yönlendir|använd|skicka|brug|"
    r"bruk|käytä|použij|pošli|folosește|trimite|sử dụng|gửi|gunakan|kirim|надішли|використ|"
    r"χρησιμοποί|στείλ)|使用|用|选择|選擇|转|轉|发送|发给|交给|路由|回答|調用|调用|選択|選ん|使っ|使い|送っ|回し|ルーティング|答え|사용|보내|"
    r"라우팅|전달|선택|써|استخدم|أرسل|وجه|وجّه|उपयोग|इस्तेमाल|भेज|השתמש|שלח|העבר|ใช้|ส่ง",
    re.IGNORECASE,
)
_FOREIGN_SIZE = (
    r"(?:größ|groß|gross|klein|billig|teuer|teur|stark|stärk|best|schnell|günstig|leistung|"
    r"mächtig|schwach|schwäch|grande|mayor|pequeñ|barat|car[oa]\b|potent|fuerte|mejor|rápid|"
    r"grand|gros|petit|ch[eè]re?|puissant|meilleur|maior|menor|pequen|forte|melhor|poderos|"
    r"piccol|economic|costos|miglior|groot|grote|goedko|duur|sterk|najwięk|największ|najmniej|"
    r"najsiln|najta|больш|маленьк|дешев|дешёв|сильн|мощн|лучш|дорог|büyük|küçük|güçlü|ucuz|"
    r"pahalı|större|största|minsta|billigast|starkast|største|stærkest|suurin|suurinta|pienin|"
    r"největ|nejmen|nejsiln|mare|mic[ăi]?\b|puternic|lớn|nhỏ|mạnh|rẻ|besar|kecil|kuat|murah|"
    r"найбільш|наймен|premium|μεγαλύτερ|أكبر|اكبر|الأكبر|أقوى|الأقوى|أصغر|الأصغر|أرخص|الكبير|"
    r"الصغير|बड़े|छोटे|शक्तिशाली|सस्ते|הגדול|הקטן|החזק|הזול)"
)
_FOREIGN_NOUN = (
    r"(?:modell(?:e|en|et|er|o|i|ini)?|modelos?|mod[eè]les?|model(?:u|em|a|e|i|in|l?en|ul|ului|"
    r"y)|model|mallia?|mô hình|llm|модел\w*|ki|μοντέλο|النموذج|نموذج|मॉडल|\w?\w?מודל)"
)
FOREIGN_MODEL = re.compile(
    rf"\b{_FOREIGN_SIZE}\w{{0,8}}\W{{1,3}}(?:\w+\W){{0,1}}?{_FOREIGN_NOUN}(?!\w)|"
    rf"\b{_FOREIGN_NOUN}\s(?:\w+\s){{0,2}}?(?:ter|al)?{_FOREIGN_SIZE}|"
    r"(?:大|小|强|強|贵|便宜|旗舰|高级|高級|高性能|最高|最上位|安い|最安|きい|さい|큰|작은|강력한?|저렴한|비싼|최고|최대|최소|ใหญ่|"
    r"เล็ก).{0,4}(?:模型|モデル|모델|โมเดล)|โมเดล.{0,3}(?:ใหญ่|เล็ก)",
    re.IGNORECASE,
)
"""Other languages: a verb, and a word of size beside the word for a model."""
QUESTION = re.compile(
    r"^\W{0,10}(?:how|why(?! not)|what|which|when|who|where|does|do (?:you|we|i|they|any|all|most|"
    r"the|routers?)\b|is|are|should i|"
    r"can you explain|"
    r"explain|describe|write|implement|compute|prove|define|translate|summari[sz]e|wie|was|"
    r"welche\w*|warum|soll|qué|cuál|cómo|quel\w*|comment|pourquoi|qual|como|как\w*|почему)\b",
    re.IGNORECASE,
)
