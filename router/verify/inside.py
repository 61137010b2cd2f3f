"""The half of the code check that runs *inside* the sandbox, next to untrusted code.

It is sent in as source text and never imported by the router. It reads one job from
stdin (nonce, program, calls), gives stdin and stdout to the void, runs the program as a
module that is not `__main__`, makes each call, and writes each result as one line of typed
JSON behind the nonce. It knows no expected value, so there is nothing here to steal. It
keeps to Python 3.8: the system's interpreter may be older than the router's.
"""

import json
import os
import sys
import types
from typing import Any, List  # noqa: UP035

MAX_NODES = 100_000
MAX_DEPTH = 50


def encode(value: Any, depth: int = 0, room: "List[int] | None" = None) -> List[Any]:  # noqa: UP006
    """Typed JSON. Exact types only: a subclass may lie about itself."""
    room = [MAX_NODES] if room is None else room
    room[0] -= 1
    kind = type(value)
    if room[0] < 0 or depth > MAX_DEPTH:
        return ["other", "too large"]
    if value is None or kind is bool or kind is str:
        return ["plain", value]
    if kind is int:
        return ["int", hex(value)]
    if kind is float:
        return ["float", value.hex()]
    if kind is complex:
        return ["complex", [value.real.hex(), value.imag.hex()]]
    if kind is bytes:
        return ["bytes", value.hex()]
    if kind in (list, tuple, set, frozenset):
        return [kind.__name__, [encode(v, depth + 1, room) for v in value]]
    if kind is dict:
        pairs = value.items()
        return [
            "dict",
            [[encode(k, depth + 1, room), encode(v, depth + 1, room)] for k, v in pairs],
        ]
    return ["other", kind.__name__[:80]]


def main() -> None:
    """Run the job; end without giving the program's exit hooks a turn."""
    job = json.loads(sys.stdin.buffer.read())
    channel = os.dup(1)
    void = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(void, fd)

    def report(record: "dict[str, Any]") -> None:
        line = "\n" + job["nonce"] + json.dumps(record) + "\n"
        os.write(channel, line.encode("ascii")) if len(line) < 4096 else _write(channel, line)

    try:
        code = compile(job["program"], "solution.py", "exec", dont_inherit=True)
    except BaseException as error:
        report({"compiled": False, "error": _told(error)})
        os._exit(0)
    report({"compiled": True})
    if not job["calls"]:
        os._exit(0)
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    space = module.__dict__
    try:
        exec(code, space)  # noqa: S102  this process is the sandbox
    except BaseException as error:
        report({"loaded": False, "error": _told(error)})
        os._exit(0)
    for index, call in enumerate(job["calls"]):
        try:
            exec(call["setup"], space)  # noqa: S102
            report({"call": index, "value": encode(eval(call["source"], space))})  # noqa: S307
        except BaseException as error:
            report({"call": index, "error": _told(error)})
    os._exit(0)


def _told(error: BaseException) -> str:
    try:
        return (type(error).__name__ + ": " + str(error))[:300]
    except BaseException:
        return "an error that cannot be shown"


def _write(channel: int, line: str) -> None:
    data = line.encode("ascii")
    while data:
        data = data[os.write(channel, data) :]


if __name__ == "__main__":
    main()
