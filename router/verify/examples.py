"""The examples that a prompt itself gives for the function it asks for.

What: doctests, and one-line forms such as `f(2) == 4`, `assert f(2) == 4`, `f(2) -> 4`,
`f(2) returns 4`, `f(2) should return 4`, `e.g. f([1, 2]) = 3`. The call is source text;
the expected value is a literal, read here with `ast.literal_eval` and never sent along.
What not: examples told in prose ("for 2 the output is 4"), expected errors, expected
values that are computed, lines that say a value is *wrong*, and values that the sentence
goes on about ("4 if", "1 more than", "3.14 approximately"). A form that can be read two ways
is left out: a wrong example would fail a right program.
"""

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from router.verify.asked import MAX_PROMPT, NOT_FUNCTIONS
from router.verify.literals import MAX_SPAN, closing, literal

__all__ = ["Example", "read_examples"]

MAX_EXAMPLES = 40
MAX_CALLS = 300


class Example(NamedTuple):
    """One call and what it should give. `loose` marks the form `f(2) = 4`."""

    call: str
    expected: Any
    function: str
    setup: str = ""
    loose: bool = False


_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(")
_RELATION = re.compile(
    r"`?\s*(?:#\s*)?(?:(?P<loose>=)(?![=>])|==(?!>)|={1,2}>|-{1,2}>|➞|→|⇒|\bis\b(?!\s+not\b)"
    r"|(?:(?:should|must|would|will|to|shall)\s+)?(?:returns?|gives?|yields?|evaluates?\s+to|equals?"
    r"|outputs?|be|produces?)\b(?!\s+(?:a|an|the)\b))\s*:?\s*(?:#\s*)?(?:=>\s*)?`?\s*"
)
_COMMENT = re.compile(r"[ \t]*#[ \t]*(?:=>|->|returns?|output:?)?[ \t]*(?=[^\s])")
_TAIL = re.compile(
    r"[`\"'*)\]]*(?:[ \t]*(?:$|\n|#)|[.;!:](?=[\s`\"'*)]|$)"
    r"|,?[ \t]+(?:(?:and|but|while|whereas|then)[ \t]+)?(?:that[ \t]+)?[`*]*(?=[A-Za-z_]\w*\()"
    r"|,?[ \t]+(?:because|since)\b|[ \t]+[(—–])"
)
"""How a sentence ends after a value, or goes on without touching it."""
_HEDGED = re.compile(
    r"\b(?:approx\w*|about|roughly|around|rounded|or|if|unless|when|probab\w*|sometimes|usually)\b",
    re.IGNORECASE,
)
_REPAIR = re.compile(
    r"\b(?:fix(?:es|ed|ing)?|debug|bugs?|buggy|broken|wrong|incorrect(?:ly)?)\b", re.IGNORECASE
)
_SAYS_WHAT_IS = re.compile(r"\b(?:returns|gives|yields|outputs|produces|evaluates|is|equals)\b")
_DISPUTED = re.compile(
    r"\b(?:fix|buggy|broken|but|instead|wrong|incorrect(?:ly)?|currently|actually|bug|expected|unexpectedly|should(?:n't)?"
    r"|not|never|raises?)\b",
    re.IGNORECASE,
)
_DOCSTRING_END = re.compile(r"[ \t]*(?:\"\"\"|''')")


def read_examples(question: str) -> list[Example]:
    """All examples of the prompt, without repetitions."""
    text = question[:MAX_PROMPT]
    found: dict[str, Example] = {}
    for example in (*_doctests(text), *_one_liners(_without_doctests(text))):
        found.setdefault(example.call, example)
    return _unambiguous(found.values())[:MAX_EXAMPLES]


def _unambiguous(examples: Iterable[Example]) -> list[Example]:
    """Drop `f(2) = 4` where the same sign also carries values of another shape (a recurrence)."""
    kept = list(examples)
    shapes: dict[str, set[bool]] = {}
    for example in kept:
        if example.loose:
            is_container = isinstance(example.expected, list | tuple | dict | set)
            shapes.setdefault(example.function, set()).add(is_container)
    return [e for e in kept if not (e.loose and len(shapes[e.function]) > 1)]


def _doctests(text: str) -> Iterator[Example]:
    if ">>>" not in text:
        return
    import doctest  # with its debugger it takes a while to import

    try:
        parsed = doctest.DocTestParser().get_examples(_DOCSTRING_END.sub("\n", text))
    except ValueError:
        return
    answered = any(example.want for example in parsed)
    setup = ""
    for example in parsed:
        tree = _expression(example.source)
        if tree is None:
            setup += example.source
        elif example.exc_msg is None and (example.want or answered):
            one = _doctest(example.source.strip(), example.want, tree, setup)
            if one and _closed_over(tree, setup, one.function):
                yield one


def _doctest(source: str, want: str, tree: ast.expr, setup: str) -> Example | None:
    function = next((n for n in _called(tree) if n not in NOT_FUNCTIONS), None)
    if function is None or _prints(tree):
        return None
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1 and isinstance(tree.ops[0], ast.Eq):
        sides = ast.unparse(tree.left), ast.unparse(tree.comparators[0])
        expected, end = literal(sides[1])
        if end == len(sides[1]) and want.strip() in ("", "True"):
            return Example(sides[0], expected, function, setup)
        return None
    first = want.strip().split("\n\n")[0].strip()
    if not first:
        return Example(source, None, function, setup)
    expected, end = literal(first)
    rest = first[end:].strip() if end else "?"
    if end == 0 or (rest and not rest.startswith("#")) or _is_bracketed_scalar(first[:end]):
        return None
    return Example(source, expected, function, setup)


def _prints(tree: ast.expr) -> bool:
    """What is printed is no value."""
    is_name = isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)
    return is_name and ast.unparse(tree).startswith("print(")


def _expression(source: str) -> ast.expr | None:
    if len(source) > MAX_SPAN:
        return None
    try:
        return ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _called(tree: ast.AST) -> list[str]:
    return [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def _closed_over(tree: ast.expr, setup: str, function: str) -> bool:
    """Are all names of the call known, so that a NameError would be the program's fault?"""
    bound = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - bound
    known = set(_called(tree)) | set(dir(builtins)) | set(re.findall(r"[A-Za-z_]\w*", setup))
    return names <= known | {function}


def _without_doctests(text: str) -> str:
    return re.sub(r"^[ \t]*>>>.*$", "", text, flags=re.MULTILINE)


def _one_liners(text: str) -> Iterator[Example]:
    for match in islice(_CALL.finditer(text), MAX_CALLS):
        name = match.group(1)
        if name in NOT_FUNCTIONS or text[max(0, match.start() - 6) : match.start()].endswith(
            ("def ", "class ")
        ):
            continue
        end = closing(text, match.end() - 1)
        call = text[match.start() : end] if end else ""
        if end and _literal_call(call):
            yield from _one_liner(text, call, name, match.start(), end)


def _one_liner(text: str, call: str, name: str, start: int, end: int) -> Iterator[Example]:
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    relation = _RELATION.match(text, end, line_end) or _COMMENT.match(text, end, line_end)
    if not relation or (_SAYS_WHAT_IS.search(relation.group()) and _REPAIR.search(text)):
        return
    rest = text[relation.end() : relation.end() + MAX_SPAN]
    expected, used = literal(rest)
    line_start = text.rfind("\n", 0, start) + 1
    said = text[max(line_start, start - 80) : start] + rest[used:].split("\n", 1)[0][:80]
    comment = relation.re is _COMMENT
    tail = rest[used:]
    clean = not tail.split("\n", 1)[0].strip() if comment else _ends(tail)
    if used and clean and not _disputed(said) and not _is_bracketed_scalar(rest[:used]):
        yield Example(
            " ".join(call.split("\n")),
            expected,
            name,
            "",
            bool(relation["loose"] if not comment else False),
        )


def _ends(tail: str) -> bool:
    """Is the value all that the sentence says about the call?"""
    end = _TAIL.match(tail)
    in_brackets = end is not None and end.group()[-1:] in "(—–" and end.group() != ""
    return end is not None and not (in_brackets and _HEDGED.search(tail.split("\n", 1)[0][:80]))


def _disputed(said: str) -> bool:
    return bool(_DISPUTED.search(said))


def _literal_call(call: str) -> bool:
    """Only literal arguments: `f(a)` in prose names no value."""
    tree = _expression(" ".join(call.split("\n")))
    if not isinstance(tree, ast.Call):
        return False
    return all(_is_literal(node) for node in [*tree.args, *(k.value for k in tree.keywords)])


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _is_bracketed_scalar(source: str) -> bool:
    """`("Venus")`: a string in brackets, or a tuple that lost its comma?"""
    source = source.strip()
    tree = _expression(source) if source.startswith("(") else None
    return tree is not None and not isinstance(tree, ast.Tuple)
