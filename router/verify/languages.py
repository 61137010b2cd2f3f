"""Which programming language a question is about, where it is not Python.

For prompts, which else ask for Python, and for checks, which run nothing else. A language counts
where it is what the code is to be written in, or is written in: by its name, by the mark of a
fenced block, by a few lines that no other language has. Names that are words of their own (C, R,
Go, Rust, Swift) need words beside them that make them languages, and so do SQL, HTML and CSS,
which are as often data. Python beside another language wins, unless the code is to be turned into
the other one. Not covered: a language that only its code gives away, beyond those lines.
"""

import re
from collections.abc import Sequence

__all__ = ["language_of", "other_language"]

MAX_TEXT = 40_000
BEFORE = 200
"""Characters before a name that may say what it is there for."""

_I = re.IGNORECASE
_PYTHON = re.compile(
    r"\b(?:python3?|pandas|numpy|pytest|django|flask|fastapi|sqlalchemy|beautifulsoup)\b"
    r"|^[ \t]*(?:>>> |(?:async )?def \w+\()|\bassert \w+\(|^[ \t]*```[ \t]*py",
    _I | re.MULTILINE,
)
_CLEAR = (
    r"javascript|typescript|node\.?js|golang|kotlin|haskell|php|powershell|matlab|fortran|ocaml"
    r"|clojure|erlang|elixir|cobol|vba|verilog|vhdl|solidity|objective-c|shell script|(?:c|f)#"
    r"|c\+\+(?:\d\d)?|csharp"
)
"""No words of anything else."""
_WORDS = r"java|rust|ruby|scala|perl|lua|bash|(?-i:Swift|Julia|Dart|Go|React|Zig|C|R)"
_DATA = r"(?:my|postgre|t-|pl/)?sql|html5?|css3?"
_NOUN = (
    r"(?:(?:async|generic|recursive|simple|small|short|unit) )?"
    r"(?:functions?|methods?|class(?:es)?|programs?|scripts?|code|snippets?|implementation"
    r"|components?|structs?|traits?|modules?|macros?|hooks?|one-liner|goroutines?|developer"
    r"|app|queries|query|statements?|procedures?|commands?)\b"
)
_BESIDE = r"\b(?:in|into|using)\s+(?:(?:plain|vanilla|pure|modern|idiomatic|safe|ansi)\s+)?"
_VERB = (
    r"\b(?:write|give|show|make|create|build|generate|need|want|code|debug|fix)\s+(?:me\s+)?"
    r"(?:(?:an?|the|some|this|my|simple|basic|small|short|responsive)\s+){0,3}"
)
_END = r"(?![\w+#°]|\s+to\s+F\b)"
_NAMED = re.compile(
    rf"(?<![\w.-])(?P<clear>{_CLEAR})(?![\w+#])"
    # `x in R` is a number, and 20 in C is a temperature.
    rf"|(?<!\b\w\s)(?<!\d\s){_BESIDE}(?P<beside>{_WORDS}){_END}"
    r"|\b(?:in|using)\s+(?P<small>swift|go|dart|julia)(?=\s*[.,;:?!)]|\s*\Z)"
    rf"|(?<![\w.])(?P<noun>{_WORDS})\s+{_NOUN}"
    rf"|\A\W{{0,5}}(?P<first>{_WORDS}|{_DATA})\s*[:,]"
    rf"|(?:{_BESIDE}|{_VERB})(?P<data>{_DATA}|java|rust|bash)\b"
    rf"|(?<![\w.])(?P<datum>{_DATA})\s+{_NOUN}",
    _I,
)
_TEMPERATURE = re.compile(r"\b(?:celsius|fahrenheit|kelvin|temperatures?|degrees?|vitamin)\b", _I)
_PURPOSE = re.compile(
    r"\b(?:function|method|class|script|program|code|regex|parser|tool)s?\s+(?:\w+\s+){0,3}"
    r"(?:that|to|which|for|called|named)\b[^.?!\n]*\Z",
    _I,
)
"""Before SQL, HTML or CSS: it is what the code is to read or write."""
_TURNED = re.compile(
    r"\b(?:convert|translate|port|rewrite|migrate|turn|transpile|change)\b[^?!\n]{0,120}?"
    rf"\b(?:to|into|in)\s+(?:the\s+)?(?P<to>python|{_CLEAR}|{_WORDS}|{_DATA}){_END}",
    _I,
)
_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~)[ \t]*(javascript|js|jsx|typescript|ts|tsx|java|kotlin|swift|rust|rs|go"
    r"|golang|c|cpp|c\+\+|cs|csharp|c#|php|ruby|rb|scala|perl|lua|r|julia|haskell|hs|sql|html|css"
    r"|dart|powershell|matlab|solidity|elixir)[ \t]*$",
    _I | re.MULTILINE,
)
"""Not `bash` and `console`: what was typed to see the error stands in those."""
_WRITTEN = re.compile(
    r"^[ \t]*(?:#include\s*[<\"]|package main\b|using namespace std\b|(?:pub )?fn \w+\s*[(<]"
    r"|(?:const|let|var) \w+ = |<!DOCTYPE html|<\?php"
    r"|(?:export )?(?:async )?function \w+\([^)\n]*\)\s*\{"
    r"|SELECT\b[^\n]{1,200}\bFROM\b)|\bpublic static void main\b|\bconsole\.log\(",
    re.MULTILINE,
)


def other_language(text: str) -> str | None:
    """The programming language that a text is about, where it is not Python."""
    found = _language(text)
    return None if found == "Python" else found


def language_of(turns: Sequence[str]) -> str | None:
    """The same of a conversation: its last turn that tells, decides."""
    found = next(filter(None, map(_language, reversed(turns))), None)
    return None if found == "Python" else found


def _language(text: str) -> str | None:
    """`Python`, another one, or None where nothing tells."""
    text = text[:MAX_TEXT]
    if _PYTHON.search(text):
        turned = _TURNED.search(text)
        named = turned["to"] if turned else "python"
        return "Python" if named.lower() == "python" else named
    named_here = _name(text)
    if named_here is not None:
        return named_here
    fence = _FENCE.search(text)
    if fence is not None:
        return fence[1]
    return "the language shown" if _WRITTEN.search(text) else None


def _name(text: str) -> str | None:
    """The first name of a language that means one."""
    warm: bool | None = None
    for match in _NAMED.finditer(text):
        kind = match.lastgroup or ""
        name, start = match[kind], match.start()
        if name == "C":
            warm = bool(_TEMPERATURE.search(text)) if warm is None else warm
            if warm:
                continue
        if kind in ("data", "datum") and _PURPOSE.search(text, max(0, start - BEFORE), start):
            continue
        return name
    return None
