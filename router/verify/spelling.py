"""One spelling for the many ways in which people write the same answer.

What: mathematics delimiters, spaces, `\\dfrac`, money, units, percent, degrees, thousands
separators, mixed numbers, number words such as "million", signs of Unicode, "The answer is
X." What not: it computes nothing, and what it leaves may still be written in two ways
(`structure` and math-verify compare those). One-letter units fall away inside `\\text{}` only:
a bare `5m` may be a product. Linear in the length of the text.
"""

import re

from router.verify.text import boxes, final_answer, strip_thinking, word_set

__all__ = ["closed_value", "is_words", "spelled", "thousands", "words"]

_MARKED = re.compile(r"\banswer\b|####", re.IGNORECASE)
_DELIMITERS = (("$$", "$$"), ("\\(", "\\)"), ("\\[", "\\]"), ("$", "$"), ("**", "**"), ("`", "`"))
_SYMBOLS = str.maketrans(
    {
        "−": "-", "–": "-", "×": "\\times ", "·": "\\cdot ", "⋅": "\\cdot ", "÷": "/", "π": "\\pi ",
        "∞": "\\infty ", "∪": "\\cup ", "∈": "\\in ", "±": "\\pm ", "≤": "\\le ", "≥": "\\ge ",
        "°": "^\\circ ", "²": "^2", "³": "^3", "½": "\\frac{1}{2}", "¼": "\\frac{1}{4}",
        "¾": "\\frac{3}{4}", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "~": " ",
    }
)  # fmt: skip
_UNITS = (
    r"(?:dollars?|cents?|bucks|usd|degrees?|radians?|inch(?:es)?|in|feet|foot|ft|yards?|miles?|mph"
    r"|centimet(?:er|re)s?|millimet(?:er|re)s?|kilomet(?:er|re)s?|met(?:er|re)s?|cm|mm|km"
    r"|grams?|kilograms?|kg|mg|pounds?|lbs?|ounces?|oz|tons?|lit(?:er|re)s?|ml|gallons?"
    r"|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|units?|square|sq|cubic"
    r"|people|students?|ways|times|per|an?|each|points?)"
)
_POWER = r"(?:\s*\^\s*\{?\s*[23]\s*\}?)?"
_TEXT = r"\\(?:text|mbox|mathrm|textrm|textbf|mathbf|textit|textsf|operatorname)\s*"
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SCALE = re.compile(rf"(?<=[\d\s}}])({'|'.join(_SCALES)})s?\b", re.IGNORECASE)
_SIMPLE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r",\s?\\!\s*|\{,\}"), ","),
    (re.compile(r"\\!"), ""),
    (re.compile(r"\\(?:left|right|[bB]igg?[lr]?)(?![a-zA-Z])\s*"), ""),
    (re.compile(r"(?<!\\)\\(?:displaystyle|quad|qquad|[,;:] ?|thinspace|enspace|(?= ))"), " "),
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\^\s*\{\s*\\(?:circ|degree)\s*\}|\^\s*\\circ(?![a-zA-Z])|\\degree\b"), " "),
    (re.compile(r"\s*(?:\\?%|\bper\s?cent(?:age points?)?\b)", re.I), "%"),
    (re.compile(rf"{_TEXT}\{{\s*%\s*\}}"), "%"),
    (re.compile(r"\\?[$£€]|\\pounds\b|\\euro\b"), ""),
    (re.compile(r"(?<![a-zA-Z])(?:USD|EUR|GBP)(?![a-zA-Z])"), ""),
    (re.compile(r"\*\*"), "^"),
    (re.compile(r"(?<![a-zA-Z\\])pi(?![a-zA-Z])"), r"\\pi "),
    (re.compile(r"(?<![a-zA-Z\\])(?:infinity|inf|oo)(?![a-zA-Z])"), r"\\infty "),
    (re.compile(r"√\s*\(([^()]*)\)|(?<!\\)\bsqrt\s*\(([^()]*)\)"), r"\\sqrt{\1\2}"),
    (re.compile(r"√\s*(\d+|[a-z])"), r"\\sqrt{\1}"),
)
_TAIL_TEXT = re.compile(rf"(?<=[\d}})\]%a-zA-Z.\s])\s*{_TEXT}\{{([^{{}}]*)\}}{_POWER}\s*$")
_TAIL_UNIT = re.compile(
    rf"(?<![a-zA-Z\\]){_UNITS}{_POWER}(?:\s*/\s*{_UNITS}{_POWER})?\s*$", re.IGNORECASE
)
_WRAPPED = re.compile(rf"{_TEXT}\{{([^{{}}]*)\}}")
_MIXED = re.compile(r"(?<![\d.)}\w^/_])(\d+)\s*(?:\\frac\s*\{(\d+)\}\s*\{(\d+)\}|\s(\d+)/(\d+))")
_SHORT_FRACTION = re.compile(r"\\frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\w))")
_FUNCTIONS = word_set(
    "sin cos tan cot sec csc log exp det gcd lcm mod sqrt max min arcsin arccos arctan"
)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\s?\d{3})+(?:\.\d+)?%?")


def closed_value(text: str) -> str | None:
    """The value to compare: the box, what follows "answer is", else all of it.

    None where several different ones are boxed.
    """
    visible = strip_thinking(text) if "think>" in text else text
    boxed = boxes(visible)
    if len({"".join(box.split()) for box in boxed}) > 1:
        return None
    if boxed:
        return boxed[-1]
    if _MARKED.search(visible):
        marked = final_answer(visible)
        if marked and marked.how == "marked":
            return marked.text
    return visible.strip()


def spelled(text: str) -> str:
    """The canonical spelling of one value."""
    text = _undelimited(text.strip()).translate(_SYMBOLS)
    for pattern, new in _SIMPLE:
        text = pattern.sub(new, text)
    text = _without_units(_SCALE.sub(lambda m: f"\\times 10^{{{_SCALES[m[1].lower()]}}}", text))
    if not is_words(text):
        text = _WRAPPED.sub(r" \1 ", text)
    text = _SHORT_FRACTION.sub(_braced, text)
    text = _MIXED.sub(_sum, text)
    text = " ".join(text.split()).strip().rstrip(".")
    return thousands(text)


def thousands(text: str) -> str:
    """`1,200` as `1200`, where that is all there is."""
    return re.sub(r",\s?", "", text) if _THOUSANDS.fullmatch(text) else text


def is_words(text: str) -> bool:
    """Is it no formula but words: `\\text{east}`, `Evelyn`, `(C)` in `\\text{}`?"""
    bare, wrapped = _WRAPPED.subn("", text)
    if wrapped and not bare.strip(" ().,"):
        return True
    if re.search(r"[\d\\^_=+*/<>{}|-]", text):
        return False
    return any(
        len(word) > 2 and word.lower() not in _FUNCTIONS for word in re.findall(r"[^\W\d_]+", text)
    )


def words(text: str) -> str:
    """The words of a text answer, without dress, case and brackets."""
    plain = _WRAPPED.sub(r" \1 ", text)
    return " ".join(re.findall(r"[^\W_]+|[-+=<>*/]", plain.casefold()))


def _undelimited(text: str) -> str:
    """Without `$...$` and its like around the whole; a full stop may stand behind it."""
    for _ in range(3):
        bare = text.rstrip(".").rstrip()
        for start, end in _DELIMITERS:
            if len(bare) > len(start) + len(end) and bare.startswith(start) and bare.endswith(end):
                inside = bare[len(start) : -len(end)]
                if start not in inside:
                    text = inside.strip()
                    break
    return text


def _without_units(text: str) -> str:
    """The value before its units; words that are the whole answer stay."""
    for _ in range(6):
        bare = text.rstrip(" .,")
        shorter = _TAIL_TEXT.sub("", bare)
        if shorter == bare:
            shorter = _TAIL_UNIT.sub("", bare)
        if shorter == bare or not re.search(r"\d|\\pi|\\sqrt", shorter):
            return text
        text = shorter
    return text


def _braced(match: re.Match[str]) -> str:
    return f"\\frac{{{match[1] or match[2] or ''}}}{{{match[3] or match[4] or ''}}}"


def _sum(match: re.Match[str]) -> str:
    """A mixed number as the sum that it is: `1\\frac{4}{5}` is 1 + 4/5, no product."""
    above, below = match[2] or match[4], match[3] or match[5]
    return f"({match[1]}+\\frac{{{above}}}{{{below}}})"
