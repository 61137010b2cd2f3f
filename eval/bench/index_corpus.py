"""The corpus of `ockham bench index`: real passages that every installation already has.

    the World Factbook's passages, as the index cuts them
    docstrings of the installed packages, cut the same way, each starting with its full name

Distinct texts only; the docstrings are drawn by a hash of their text, so that the choice is
the same wherever the same packages are installed, and mixes all of them.

What this does not do: embed (see `index_build.py`), or judge what a search finds.
"""

import ast
import sysconfig
import warnings
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from router.errors import InputError
from router.knowledge.chunks import Chunk, pack
from router.knowledge.factbook import load_factbook

__all__ = ["docstrings", "real_passages"]

_LEAST = 60
"""Characters; shorter docstrings ("Return self.") are no passages."""
_MOST_BYTES = 1_000_000
"""Larger sources are generated tables."""


def real_passages(count: int) -> list[Chunk]:
    """`count` distinct passages: the Factbook's first, then docstrings."""
    found = {chunk.text: chunk for chunk in load_factbook().chunks}
    passages = list(islice(found.values(), count))
    if len(passages) < count:
        others = {c.text: c for c in docstrings(_site_packages()) if c.text not in found}
        drawn = sorted(others, key=lambda text: blake2b(text.encode(), digest_size=8).digest())
        passages += [others[text] for text in drawn[: count - len(passages)]]
    if len(passages) < count:
        raise InputError(
            f"the installed packages and the Factbook hold {len(passages):,} passages, not "
            f"{count:,}: ask for fewer"
        )
    return passages


def docstrings(root: Path) -> Iterator[Chunk]:
    """Every docstring under `root` that is long enough, cut into passages."""
    for file in sorted(root.rglob("*.py")):
        if file.stat().st_size > _MOST_BYTES:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # other people's escape sequences
                tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError, RecursionError):  # templates, Python 2
            continue
        module = ".".join(file.relative_to(root).with_suffix("").parts)
        yield from _of_module(tree, module.removesuffix(".__init__"))


def _of_module(tree: ast.Module, module: str) -> Iterator[Chunk]:
    todo: list[tuple[str, ast.AST]] = [(module, tree)]
    while todo:
        name, node = todo.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _passages(name, ast.get_docstring(node) or "")
            todo += [
                (f"{name}.{child.name}", child)
                for child in node.body
                if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            ]


def _passages(name: str, text: str) -> Iterator[Chunk]:
    paragraphs = [" ".join(p.split()) for p in text.split("\n\n")]
    if len(text) < _LEAST or len(name) > _LEAST * 2:
        return
    for part, cut in enumerate(pack(f"{name}: ", [p for p in paragraphs if p], " ")):
        yield Chunk(f"docstring/{name}~{part}", name, cut)


def _site_packages() -> Path:
    return Path(sysconfig.get_path("purelib"))
