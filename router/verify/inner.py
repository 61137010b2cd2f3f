"""The halves that run inside the sandbox: their source text, and what is said to them.

What: one program out of an inner half and the modules that it shares with the outside, so
that no file of the host has to be visible in there; the stdin of one run with its calls, and
the records of its stdout. What not: it runs nothing.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

__all__ = ["inner", "job", "nonce_records"]

Half = Literal["inside", "inside_tests"]

_SHARED: Mapping[Half, tuple[str, ...]] = {
    "inside": ("wire",),
    "inside_tests": ("wire", "stubs", "rewriting", "reasons"),
}
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


def job(program: str, calls: Sequence[Mapping[str, Any]]) -> tuple[str, bytes]:
    """The nonce and the stdin of a run of `inside`; calls are answered under their index."""
    nonce = secrets.token_hex(16)
    lines = [{"nonce": nonce, "program": program}, *({"call": i, **c} for i, c in enumerate(calls))]
    return nonce, "".join(json.dumps(line) + "\n" for line in lines).encode("ascii")


def nonce_records(stdout: bytes, nonce: str) -> list[Mapping[str, Any]]:
    """What the inner half wrote; lines without the nonce are anybody's."""
    records: list[Mapping[str, Any]] = []
    for line in stdout.decode("ascii", "replace").split("\n"):
        if line.startswith(nonce):
            try:
                record = json.loads(line[len(nonce) :])
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict) and isinstance(record.get("error", ""), str):
                records.append(record)
    return records
