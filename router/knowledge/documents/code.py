"""Source code as sections: Python by its definitions, other languages by blocks of lines.

Python is parsed (`ast`), never imported: a module's docstring, and each class and function with
its signature and docstring.

What this does not do: index the bodies of Python functions. What a function is for stands in its
docstring; who wants the code opens the cited lines.
"""

import ast
import warnings
from collections.abc import Iterator

from router.knowledge.documents.document import Block, Document, Section
from router.knowledge.documents.prose import paragraphs

__all__ = ["code_document", "python_document"]

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def code_document(text: str, name: str) -> Document:
    """Blocks of lines, cut where there are blank ones."""
    return Document("code", name, (Section((), tuple(paragraphs(text.split("\n")))),))


def python_document(text: str, name: str) -> Document:
    """Its definitions; blocks of lines where it does not parse, or defines nothing."""
    try:
        with warnings.catch_warnings():  # a bad escape in somebody else's file is not our news
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        sections = tuple(_sections(tree, name))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code_document(text, name)
    if not sections:
        return code_document(text, name)
    return Document("python", name, sections)


def _sections(tree: ast.Module, name: str) -> Iterator[Section]:
    about = ast.get_docstring(tree)
    bare: list[Block] = []
    if about:
        yield Section((name,), tuple(_documented(about, tree.body[0])), place="module")
    for trail, node in _definitions(tree, ()):
        head = Block(_signature(node), node.lineno, node.lineno)
        told = ast.get_docstring(node)
        if told:
            blocks = (head, *_documented(told, node.body[0]))
            yield Section((name, ".".join(trail)), blocks, place=".".join(trail), joint="\n")
        elif not any(_is_private(part) for part in trail):
            bare.append(head._replace(text=f"{'.'.join(trail[:-1])} {head.text}".strip()))
    if bare:
        yield Section((name, "definitions"), tuple(bare), joint="\n")


def _documented(text: str, node: ast.stmt) -> Iterator[Block]:
    for block in paragraphs(text.split("\n")):
        yield Block(block.text, node.lineno, node.end_lineno or node.lineno)


def _definitions(
    node: ast.Module | ast.ClassDef, trail: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], _Definition]]:
    for child in node.body:
        if isinstance(child, _Definition):
            yield (*trail, child.name), child
            if isinstance(child, ast.ClassDef):
                yield from _definitions(child, (*trail, child.name))


def _signature(node: _Definition) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    start = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    gives = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{start} {node.name}({ast.unparse(node.args)}){gives}"


def _is_private(name: str) -> bool:
    return name.startswith("_") and name != "__init__"
