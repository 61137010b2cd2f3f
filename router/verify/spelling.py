"""One spelling for the many ways in which people write the same answer.

What: mathematics delimiters, spaces, `\\dfrac`, money, units, percent, degrees, thousands
separators, mixed numbers, number words such as "million", signs of Unicode, "The answer is
X." What not: it computes nothing, and what it leaves may still be written in two ways
(`structure` and math-verify compare those). One-letter units fall away inside `\\text{}` only:
a bare `5m` may be a product. Linear in the length of the text.
"""

import re
from collections.abc import Callable

from router.verify.text import box_is_changed, boxes, final_answer, strip_thinking, word_set

__all__ = [
    "DATE",
    "closed_value",
    "has_words",
    "is_words",
    "spelled",
    "thousands",
    "unit_of",
    "words",
]

DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[-/]\d\d?[-/]\d{2,4}")
"""No subtraction and no quotient: two dates are the same only as they are written."""
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
_SIMPLE: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
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
    (re.compile(r"(?<=[a-zA-Z])\s+in\s+(?=[\[(])"), r" \\in "),
    (re.compile(r"\\(?:emptyset|varnothing)(?![a-zA-Z])|∅"), r"\\emptyset "),
    (re.compile(r"\\mathbb\s*\{?\s*R\s*\}?|ℝ"), r"(-\\infty ,\\infty )"),
    (re.compile(r"(\d*)\.(\d*)\\overline\s*\{(\d{1,9})\}"), lambda m: _repeating(m)),
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
_NAMES = (
    "dollar dollars buck bucks usd", "cent cents", "euro euros eur",
    "degree degrees deg", "radian radians rad", "inch inches in", "foot feet ft", "yard yards yd",
    "mile miles mi", "mm millimeter millimeters millimetre millimetres",
    "cm centimeter centimeters centimetre centimetres", "m meter meters metre metres",
    "km kilometer kilometers kilometre kilometres", "g gram grams", "mg milligram milligrams",
    "kg kilogram kilograms", "pound pounds lb lbs", "oz ounce ounces", "ton tons",
    "l liter liters litre litres", "ml milliliter milliliters millilitre millilitres",
    "gallon gallons", "second seconds sec secs s", "minute minutes min mins",
    "hour hours hr hrs h", "day days", "week weeks", "month months", "year years", "mph", "kph kmh",
)  # fmt: skip
_UNIT_NAMES = {name: row.split()[0] for row in _NAMES for name in row.split()}
_UNIT_NAMES |= {"mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour"}
_UNIT = "|".join(sorted(_UNIT_NAMES, key=len, reverse=True))
_PER = rf"(?: ?(?:/|\bper|\ban?\b) ?({_UNIT}))?$"
_STATED_UNIT = re.compile(
    rf"(?<![a-zA-Z\\])(?:(square|sq|cubic)\.? )?({_UNIT})(?: ?\^ ?([23]))?{_PER}", re.IGNORECASE
)
_BY = re.compile(rf"(?:/|\bper|\ban?\b) ?({_UNIT})$", re.IGNORECASE)
_MONEY_NAMES = {"$": "dollar", "€": "euro", "£": "pound", "pounds": "pound",
                "usd": "dollar", "eur": "euro", "gbp": "pound"}  # fmt: skip
_MONEY = re.compile(r"^[-+]?(?:\\?[$€£]|\\pounds)(?=\s?[-\d.])|\b(?:USD|EUR|GBP)\b|[€£]$")
_DEGREE = re.compile(r"\^\s*\{?\s*\\(?:circ|degree)|\\degree\b")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?")


def closed_value(text: str) -> str | None:
    """The value to compare: the box, what follows "answer is", else all of it.

    None where several different ones are boxed, or what is boxed is denied.
    """
    visible = strip_thinking(text) if "think>" in text else text
    boxed = boxes(visible)
    if len({"".join(box.split()) for box in boxed}) > 1:
        return None
    if boxed and box_is_changed(visible):
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


def unit_of(text: str) -> str:
    """The unit that a value states, in one spelling: `cm^2`, `dollar`; empty where it has none."""
    text = _undelimited(text.strip()).translate(_SYMBOLS).rstrip(" .")
    if text.count("$") % 2 == 0 and "\\$" not in text:
        text = text.replace("$", "")
    plain = " ".join(_WRAPPED.sub(r" \1 ", text).replace("{", "").replace("}", "").split())
    if money := _MONEY.search(text):
        by = _BY.search(plain)
        name = _MONEY_NAMES[money[0].strip("-+\\").casefold()]
        return f"{name}/{_UNIT_NAMES[by[1].casefold()]}" if by else name
    if _DEGREE.search(text):
        return "degree"
    found = _STATED_UNIT.search(plain)
    if not found or not re.search(r"[\d)]$|\\pi$", plain[: found.start()].rstrip()):
        return ""
    area, name, power, per = (part.casefold() for part in found.groups(""))
    unit = _UNIT_NAMES[name] + (power or {"square": "2", "sq": "2", "cubic": "3"}.get(area, ""))
    return f"{unit}/{_UNIT_NAMES[per]}" if per else unit


def thousands(text: str) -> str:
    """`1,200` as `1200`, where that is all there is."""
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


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


def has_words(text: str) -> bool:
    """Does a word stand in it by itself: `5 east`, "half of x"? Algebra would take it apart."""
    alone = re.findall(r"(?:^|(?<=\s))[^\W\d_]{3,}(?=\s|$)", text)
    return any(word.lower() not in _FUNCTIONS for word in alone)


def words(text: str) -> str:
    """The words of a text answer, without dress, case and brackets."""
    plain = _WRAPPED.sub(r" \1 ", text)
    found = re.findall(r"[^\W_]+|[-+=<>*/]", plain.casefold())
    if len(found) == 2 and found[0] in ("option", "choice") and len(found[1]) == 1:
        found = found[1:]
    return (
        " ".join(found)
        .replace("no real solutions", "no real solution")
        .replace("no solutions", "no solution")
    )


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


def _repeating(match: re.Match[str]) -> str:
    """`0.1\\overline{6}` as the fraction that it is."""
    start, again = match[2], match[3]
    whole = int((match[1] or "0") + start + again) - int((match[1] or "0") + start)
    below = int("9" * len(again) + "0" * len(start))
    return f"\\frac{{{whole}}}{{{below}}}"


def _sum(match: re.Match[str]) -> str:
    """A mixed number as the sum that it is: `1\\frac{4}{5}` is 1 + 4/5, no product."""
    above, below = match[2] or match[4], match[3] or match[5]
    return f"({match[1]}+\\frac{{{above}}}{{{below}}})"
