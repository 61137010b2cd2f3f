"""What a question asks to be programmed: is it code at all, and under which name?

What: an open `def`, "a function called f", "write f(x)", and the imports and helpers that a
prompt written as Python already holds. What not: classes and whole programs.
"""

import ast
import builtins
import re

__all__ = [
    "MAX_PROMPT",
    "NOT_FUNCTIONS",
    "asked_names",
    "asks_for_code",
    "preamble",
]

MAX_PROMPT = 40_000

_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
_IMPORT = re.compile(r"^(?:from [\w.]+ import [\w, *]+|import [\w., ]+)$", re.MULTILINE)
_ASKS = re.compile(
    r"\b(?:write|implement|create|define|complete|code|give|provide|need|fix|program|make|build)\b"
    r"[^.?!]{0,80}\b(?:function|method|class|program|script|code|def|subroutine|procedure)\b",
    re.IGNORECASE,
)
_VERB = re.compile(r"\b(?:write|implement|create|define|complete|code|fix|program)\b", re.I)
_NAMED = re.compile(
    r"\b(?:function|method)\s+(?:(?:called|named)\s+)?[`'\"]?([A-Za-z_]\w*)[`'\"]?\s*(?=\(|`)"
    r"|\b(?:called|named)\s+[`'\"]?([A-Za-z_]\w*)"
    r"|\b(?:write|implement|define)\s+[`'\"]?([A-Za-z_]\w*)\([^)\n]{0,80}\)",
    re.IGNORECASE,
)
_DEF = re.compile(r"^[ \t]*(?:async )?def[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
NOT_FUNCTIONS = frozenset(dir(builtins)) | {
    "the",
    "a",
    "an",
    "it",
    "that",
    "which",
    "for",
    "returns",
}


def asks_for_code(question: str, *, has_examples: bool = False) -> bool:
    """Does the question ask for a program: in words, by an open `def`, or, beside examples,
    by a verb alone ("implement add, add(2, 3) == 5")?"""
    text = question[:MAX_PROMPT]
    if _ASKS.search(text) or _DEF.search(text):
        return True
    return has_examples and bool(_VERB.search(text))


def asked_names(question: str) -> tuple[str, ...]:
    """The names that the answer has to define: the last `def`, else names in the prose."""
    text = question[:MAX_PROMPT]
    if defined := _DEF.findall(text):
        return (defined[-1],)
    named = [next(filter(None, groups)) for groups in _NAMED.findall(text)]
    return tuple(dict.fromkeys(n for n in named if n not in NOT_FUNCTIONS))[:1]


def preamble(question: str) -> str:
    """The imports and helper functions that a prompt written as Python already holds."""
    try:
        body = ast.parse(question[:MAX_PROMPT]).body
        kept = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom) or _is_helper(n)]
        return "\n".join(ast.unparse(node) for node in kept)
    except _UNREADABLE:
        lines = _IMPORT.findall(question[:MAX_PROMPT])
        return "\n".join(line for line in lines if _parses(line))


def _is_helper(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and not all(
        isinstance(part, ast.Expr | ast.Pass) for part in node.body
    )


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except _UNREADABLE:
        return False
    return True
