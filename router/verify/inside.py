"""The half of every code check that runs *inside* the sandbox, next to untrusted code.

It is sent in as source text and runs there as `__main__`. It reads one job (nonce, program)
and then calls, one a line, gives stdin and stdout to the void, runs the program as a module
that is not `__main__`, makes each call, and answers with one line of typed JSON behind the
nonce. It knows no expected value, so there is nothing here to steal. Without a call the
program is compiled and not run. It keeps to Python 3.8: the system's interpreter may be
older than the router's.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from typing import Any

from router.verify.wire import Channel, decode, encode, told


def main() -> None:
    """Run the job; end without giving the program's exit hooks a turn."""
    channel = Channel()
    try:
        code = compile(channel.job["program"], "solution.py", "exec", dont_inherit=True)
    except BaseException as error:
        channel.send({"compiled": False, "error": told(error)})
        os._exit(0)
    channel.send({"compiled": True})
    call = channel.receive()
    space = _load(code, channel) if call else {}
    while call:
        channel.send({"call": call["call"], **_answer(call, space)})
        call = channel.receive()
    os._exit(0)


def _load(code: types.CodeType, channel: Channel) -> dict[str, Any]:
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102  this process is the sandbox
    except BaseException as error:
        channel.send({"loaded": False, "error": told(error)})
        os._exit(0)
    return module.__dict__


def _answer(call: dict[str, Any], space: dict[str, Any]) -> dict[str, Any]:
    try:
        if "names" in call:
            return {"names": _names(call["names"], space)}
        if "source" in call:
            exec(call["setup"], space)  # noqa: S102
            return {"value": encode(eval(call["source"], space))}  # noqa: S307
        return _called(space[call["name"]], call["arguments"])
    except BaseException as error:
        return {"error": told(error), "raised": _raised(error)}


def _names(wanted: list[str] | None, space: dict[str, Any]) -> dict[str, Any]:
    """What the program defines, of the names that are wanted (None: all public ones)."""
    asked = [n for n in space if not n.startswith("_")] if wanted is None else wanted
    return {name: _kind(space[name]) for name in asked if name in space}


def _kind(value: Any) -> list[Any]:
    if isinstance(value, type):
        return ["class", None]
    if not callable(value):
        return ["value", encode(value)]
    return ["function", bool(getattr(value, "__module__", None) == "solution")]


def _called(function: Any, record: Any) -> dict[str, Any]:
    """The value; also the arguments where the call changed them, or gave one of them back."""
    args, kwargs = decode(record, [])
    value = function(*args, **kwargs)
    answer = {"value": encode(value)}
    after = encode([args, kwargs])
    if after != record:
        answer["after"] = after
    if isinstance(value, (list, dict, set)):
        answer["argument"] = [i for i, one in enumerate(args) if one is value][:1]
    return answer


def _raised(error: BaseException) -> list[Any]:
    """The nearest builtin type of an error, whether that is its own, and its arguments."""
    kind = type(error)
    known = next(k for k in type.mro(kind) if getattr(builtins, k.__name__, None) is k)
    return [known.__name__, known is kind, encode(error.args)]


if __name__ == "__main__":
    main()
