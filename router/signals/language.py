"""A light guess at the language of a query: an ISO 639-1 code, or "und".

Scripts that belong to one language are told by their Unicode ranges; for the rest the
naive-Bayes model of py3langid (Lui and Baldwin 2012, langid.py) decides between the larger
languages, on the prose alone: code, formulas, numbers and links are taken out first.
Too short, or no clear winner: "und". Plain ASCII with enough English words is English.

Not covered: mixed texts (the larger part wins), Latin-script languages outside `_LATIN`.
"""

import importlib
import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import Any

__all__ = ["UNDETERMINED", "guess_language"]

UNDETERMINED = "und"
_MAX_CHARS = 2_000
_MIN_LETTERS = 8
_SURE = 0.75

_LATIN = "en de fr es it pt nl sv da no fi pl cs sk hu ro tr id vi hr sl et lv lt ca sw"
_CYRILLIC = "ru uk bg sr mk kk"
_ARABIC = "ar fa ur"
_DEVANAGARI = "hi mr ne"

# Unicode names open with the script's name: "CYRILLIC SMALL LETTER A".
_ONE_LANGUAGE = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "GREEK": "el",
    "HEBREW": "he", "THAI": "th", "ARMENIAN": "hy", "GEORGIAN": "ka", "BENGALI": "bn",
    "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "GUJARATI": "gu",
    "GURMUKHI": "pa", "SINHALA": "si", "KHMER": "km", "LAO": "lo", "MYANMAR": "my",
    "TIBETAN": "bo", "ETHIOPIC": "am",
}  # fmt: skip
_SHARED = {"CYRILLIC": _CYRILLIC, "ARABIC": _ARABIC, "DEVANAGARI": _DEVANAGARI, "LATIN": _LATIN}

_NOT_PROSE = re.compile(
    r"```.*?(```|$)|`[^`\n]*`|\$[^$\n]*\$|\\[a-zA-Z]+|https?://\S+|\S*[\d_=<>{}()\[\]/\\^|]\S*",
    re.DOTALL,
)
_ENGLISH_WORDS = (
    # Only words that the other Latin-script languages do not share ("is" is Dutch too).
    "the are were what who which how why when where write find solve give tell explain prove "
    "function return that this with you your does thanks hello please compute many much and to "
    "make should would could of"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())

_lock = threading.Lock()


def guess_language(text: str) -> str:
    """The language of the prose in a text, or "und"."""
    prose = _NOT_PROSE.sub(" ", text[:_MAX_CHARS])
    script, letters = _main_script(prose)
    if not letters:
        return UNDETERMINED
    if script in _ONE_LANGUAGE:
        return _ONE_LANGUAGE[script]
    if script not in _SHARED:
        return UNDETERMINED
    if script == "LATIN" and _looks_english(prose):
        return "en"
    return _classify(prose, script) if letters >= _MIN_LETTERS else UNDETERMINED


def _main_script(prose: str) -> tuple[str, int]:
    """The script with most letters, and how many; kana outweigh the Han beside them."""
    counts: dict[str, int] = {}
    for char in prose:
        if char.isalpha():
            script = _script(char)
            counts[script] = counts.get(script, 0) + 1
    if not counts:
        return "", 0
    if counts.get("HIRAGANA", 0) + counts.get("KATAKANA", 0) > counts.get("CJK", 0) // 4 > 0:
        return "HIRAGANA", sum(counts.values())
    script = max(counts, key=lambda s: counts[s])
    return script, counts[script]


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    if char.isascii():
        return "LATIN"
    return unicodedata.name(char, "UNKNOWN").split(" ")[0].split("-")[0]


def _looks_english(prose: str) -> bool:
    """Plain ASCII with a fair share of English function words: the classifier is not asked."""
    words = re.findall(r"[a-z]+", prose.lower())
    if not prose.isascii() or not words:
        return False
    return sum(w in _ENGLISH for w in words) >= max(1, len(words) // 5)


def _classify(prose: str, script: str) -> str:
    """One of the script's languages; a script that English lacks always gets its likeliest."""
    with _lock:
        ranked = _model(script).rank(prose)
    language, probability = str(ranked[0][0]), float(ranked[0][1])
    return language if probability >= _SURE or script != "LATIN" else UNDETERMINED


@cache
def _model(script: str) -> Any:
    """One model a script: telling it its languages takes longer than asking it."""
    langid = importlib.import_module("py3langid.langid")
    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    model.set_languages(_SHARED[script].split())
    return model
