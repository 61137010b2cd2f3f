"""The source text of the halves that run inside the sandbox.

What: one program out of an inner half and the modules that it shares with the outside, so
that no file of the host has to be visible in there. What not: it runs nothing.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

__all__ = ["inner"]

Half = Literal["inside", "inside_tests"]

_SHARED: Mapping[Half, tuple[str, ...]] = {"inside": ("wire",), "inside_tests": ("wire", "stubs")}
_LOADER = """import sys, types
for name, source in {shared!r}:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, name, "exec"), module.__dict__)
exec(compile({half!r}, {name!r}, "exec"))
"""


@cache
def inner(name: Half) -> str:
    """A program for the sandbox: the half of that name."""
    shared = [(f"router.verify.{module}", _source(module)) for module in _SHARED[name]]
    return _LOADER.format(shared=shared, half=_source(name), name=name)


def _source(module: str) -> str:
    return (Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8")
