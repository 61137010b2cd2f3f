"""Surface cues beside the embedding: a small dense row with named columns.

An embedding says what a text is *about*; it is weak on what it *asks for*. "Who proved
Fermat's last theorem?" and "Find all integer solutions of ..." lie close together. These
columns count what tells them apart: question words, verbs of computing and of writing,
operators, code marks, names of libraries.

Every column lies in [0, 1] for any input. Only the first `MAX_CHARS` characters are read, and
no pattern backtracks over more than a bounded stretch, so that any input takes milliseconds.
Word lists are English with a few words of other languages. Not covered: meaning.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["CUES", "MAX_CHARS", "cues"]

MAX_CHARS = 20_000

_I = re.IGNORECASE
_LIBRARIES = (
    r"pandas|numpy|scipy|sklearn|scikit-learn|matplotlib|seaborn|plotly|pytorch|torch|tensorflow|"
    r"keras|jax|django|flask|fastapi|pydantic|sqlalchemy|asyncio|aiohttp|requests|httpx|"
    r"beautifulsoup|bs4|selenium|playwright|pytest|click|typer|argparse|boto3|redis|celery|kafka|"
    r"pyspark|spark|polars|dask|networkx|opencv|cv2|pillow|nltk|spacy|transformers|huggingface|"
    r"langchain|react|vue|angular|svelte|next\.js|express|node\.js|jquery|lodash|axios|prisma|"
    r"tokio|serde|kubernetes|kubectl|docker|terraform|ansible|git|npm|pip|uv|cargo|ffmpeg|"
    r"postgres(?:ql)?|mongodb|elasticsearch|spring|hibernate|rails|laravel|qt|unity|opengl|"
    r"hashlib|itertools|functools|dataclasses|subprocess|pathlib|logging|sqlite3|openpyxl"
)
_UNIT_CODE = r"function|method|class|program|script|code|regex|query|decorator|generator|parser"

# Presence of a pattern: column -> 1 where it is found.
_PATTERNS: dict[str, re.Pattern[str]] = {
    "who": re.compile(r"\b(who|whose|whom|wer|quién|quien|qui)\b", _I),
    "when_where": re.compile(r"\b(when|where|wann|wo|cuándo|dónde|quand|où)\b", _I),
    "what_is": re.compile(r"\b(what|which)\s+(is|are|was|were|does|did|do|kind|type|year)\b", _I),
    "which": re.compile(r"\bwhich\b", _I),
    "how_many": re.compile(r"\bhow (many|much|long|far|old|fast)\b", _I),
    "how_to": re.compile(r"\bhow (do|does|did|can|to|should|would)\b", _I),
    "why_explain": re.compile(r"\b(why|explain|describe|difference between|what happens)\b", _I),
    "starts_question": re.compile(
        r"^\W{0,20}(who|when|where|what|which|how|why|is|are|did|does)\b", _I
    ),
    "ends_question": re.compile(r"\?\W{0,20}$"),
    "compute": re.compile(
        r"\b(solve|find|compute|calculate|evaluate|simplify|prove|integrate|differentiate|factor|"
        r"expand|convert|determine|minimi[sz]e|maximi[sz]e|berechne|löse|calcula|resuelve|"
        r"calcule|résous)\b",
        _I,
    ),
    "math_noun": re.compile(
        r"\b(equation|integer|prime|polynomial|triangle|probability|derivative|integral|matrix|"
        r"remainder|divisible|percent|perimeter|sum of|product of|average|ratio|modulo|"
        r"square root|total|altogether)\b",
        _I,
    ),
    "write_code": re.compile(
        rf"\b(write|implement|create|build|complete|code|fix|refactor|debug|schreibe?|escribe|"
        rf"écris)\b.{{0,80}}\b({_UNIT_CODE}|funktion|función|fonction)\b",
        _I | re.DOTALL,
    ),
    "write_prose": re.compile(
        r"\b(write|compose|draft|rewrite|rephrase|paraphrase|summari[sz]e|translate|proofread|"
        r"shorten|brainstorm)\b.{0,60}\b(poem|story|email|e-mail|letter|essay|haiku|song|speech|"
        r"paragraph|sentence|text|post|slogan|message|note|toast|review|limerick|name|tagline|"
        r"formal|friendly|french|german|spanish|english)",
        _I | re.DOTALL,
    ),
    "rewrite": re.compile(
        r"\b(rewrite|rephrase|paraphrase|summari[sz]e|translate|proofread|shorten|"
        r"make (this|it))\b",
        _I,
    ),
    "opinion": re.compile(
        r"\b(think|opinion|should i|best|favou?rite|recommend|advice|feel|prefer|suggest|ideas?|"
        r"would you)\b",
        _I,
    ),
    "chat": re.compile(
        r"\b(thanks?|thank you|hello|hi|hey|good (morning|night|evening)|how are you|sorry|please|"
        r"lol|bye|danke|gracias|merci|hallo|hola|bonjour)\b",
        _I,
    ),
    "first_person": re.compile(r"\b(i|i'm|my|me|we|our)\b", _I),
    "second_person": re.compile(r"\b(you|your)\b", _I),
    "if_each": re.compile(r"\b(if|each|every|per|then|twice|half|more than|fewer|left)\b", _I),
    "logic": re.compile(
        r"\b(knights?|knaves?|liars?|truth|puzzle|clues?|exactly one|must be true|implies|valid|"
        r"sits?|houses?|next to|either|neither|statements?|therefore|premises?|conclu\w+|"
        r"all \w+ are|grid|sudoku|satisfy)\b",
        _I,
    ),
    "options": re.compile(r"(^|\n|\s)\(?[A-Da-d][).:]\s.{1,400}?\s\(?[B-Eb-e][).:]\s", re.DOTALL),
    "latex": re.compile(r"\$[^$\n]+\$|\\(frac|sqrt|sum|int|boxed|begin|le|ge|cdot|times|pi)\b"),
    "equation": re.compile(r"[\w)\]]\s*[-+*/^×÷·]\s*[\w(\[]|[\w)\]²³]\s*[=<>≤≥]\s*[-\w(]"),
    "arithmetic": re.compile(r"\d\s*[-+*/^×÷x%]\s*\d|\d\s*%|\b(plus|minus|times|divided by)\b", _I),
    "unknowns": re.compile(r"(?<![a-zA-Z'])[xyzn](?:\^|²|³|_|\b)(?![a-zA-Z'])"),
    "code_fence": re.compile(r"```|^    \w+.*[:;(]\s*$", re.MULTILINE),
    "code_token": re.compile(
        r"\bdef \w+\(|\breturn\b.*|\bclass \w+[:(]|[{};]\s*\n|"
        r"\b\w{1,40}\(\w{0,40}\)|==|!=|->|=>|\bassert\b"
    ),
    "def_or_doctest": re.compile(r"^[ \t]*(def|class|fn|func|public|>>>)\b|>>> ", re.MULTILINE),
    "import": re.compile(
        r"^[ \t]*(import|from \w[\w.]* import|#include|using|require)\b", re.MULTILINE
    ),
    "library": re.compile(rf"\b({_LIBRARIES})\b", _I),
    "dotted_api": re.compile(r"\b[a-zA-Z_]\w+\.[a-zA-Z_]\w+(\(|\b)|`[^`\n]+`|\s--\w"),
    "with_library": re.compile(
        rf"\b(using|with|in|via|from|library|package|module|api|sdk)\s+(the\s+)?`?({_LIBRARIES})\b",
        _I,
    ),
    "api_word": re.compile(r"\b(library|package|module|api|sdk|framework|endpoint|cli|flag)\b", _I),
    "language_name": re.compile(
        r"\b(python|javascript|typescript|java|rust|golang|c\+\+|c#|sql|bash|ruby|haskell|kotlin)\b",
        _I,
    ),
    "year": re.compile(r"\b(1[0-9]{3}|20[0-9]{2})\b"),
    "fact_noun": re.compile(
        r"\b(capital|president|author|invented|discovered|founded|born|died|won|award|war|river|"
        r"country|city|king|queen|population|wrote|directed|singer|movie|film|album|century|"
        r"hauptstadt|capitale|presidente)\b",
        _I,
    ),
    "science_noun": re.compile(
        r"\b(enzymes?|protein|gene|cells?|receptor|syndrome|patient|reaction|molecul\w+|acid|"
        r"electron|orbital|quantum|spectr\w+|mutation|catalyst|inhibit\w*|pathway|thermodynamic|"
        r"neuron|drug|bacteri\w+|chromosom\w+|isotope|symptom|membrane)\b",
        _I,
    ),
    "passage_given": re.compile(
        r"\b(passage|following (text|paragraph|email|sentence|article)|according to the|"
        r"context:|text:|sentence:)",
        _I,
    ),
    "answer_form": re.compile(
        r"\b(answer (with|as|in)|final answer|boxed|integer solutions?|exact value|in terms of|"
        r"nearest)\b",
        _I,
    ),
}

_RATIOS = ("digits", "numbers", "names", "punctuation", "uppercase", "non_latin", "words", "lines")
CUES: tuple[str, ...] = (*_PATTERNS, *_RATIOS)

_NUMBER = re.compile(r"\d+")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-zà-ÿ]+")
_WORD = re.compile(r"[^\W\d_]+")


def cues(texts: Sequence[str]) -> NDArray[np.float32]:
    """One row a text, columns as in `CUES`."""
    rows = [_row(t[:MAX_CHARS]) for t in texts]
    return np.asarray(rows, dtype=np.float32).reshape(len(texts), len(CUES))


def _row(text: str) -> list[float]:
    found = [1.0 if p.search(text) else 0.0 for p in _PATTERNS.values()]
    return found + _ratios(text)


def _ratios(text: str) -> list[float]:
    chars = max(1, len(text))
    words = max(1, len(_WORD.findall(text)))
    return [
        sum(c.isdigit() for c in text) / chars,
        _share(len(_NUMBER.findall(text)), 20),
        min(1.0, len(_NAME.findall(text)) / words),
        sum(not c.isalnum() and not c.isspace() for c in text) / chars,
        sum(c.isupper() for c in text) / chars,
        sum(c.isalpha() and ord(c) > 0x24F for c in text) / chars,
        _share(words, 500),
        _share(text.count("\n") + 1, 60),
    ]


def _share(count: int, full: int) -> float:
    """log-scaled to [0, 1], 1 at `full` and above."""
    return float(min(1.0, np.log1p(count) / np.log1p(full)))
