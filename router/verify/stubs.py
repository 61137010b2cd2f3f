"""What tests see of a program that runs in another sandbox: stubs.

What: `Program` sends each call out as typed JSON and gives back a plain value, or raises a
builtin exception; arguments that the call changed in place are changed here too. It keeps
what a verdict needs: calls made, subclasses lost on the way, what could not cross. What not:
objects and classes of the program (`Opaque`), attributes of its functions: these refuse, and
the verdict is `unchecked`. It runs inside, beside the tests, and keeps to Python 3.8.
"""

from __future__ import annotations

import builtins
import os
import threading
from typing import TYPE_CHECKING, Any

from router.verify.wire import Channel, Foreign, NotPlain, decode, encode

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["Opaque", "Program", "Refused", "Stub", "cut"]

_ENDS_A_LOOP = (StopIteration, StopAsyncIteration, GeneratorExit)


class Refused(BaseException):
    """The tests want something that cannot cross."""


class Program:
    """The program, as far as it can be seen from here."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self.calls = 0
        self.last = ""
        self.lost: list[str] = []
        self.refused = ""
        self.missing = ""
        self.raised: BaseException | None = None

    def names(self, wanted: list[str] | None) -> dict[str, Any]:
        """What it defines: stubs for functions, values for constants."""
        answer = self._ask({"names": wanted})
        try:
            found = [(str(name), *entry) for name, entry in answer["names"].items()]
            return {name: self._named(name, kind, record) for name, kind, record in found}
        except (NotPlain, LookupError, TypeError, ValueError, AttributeError):
            self._forged()

    def _named(self, name: str, kind: str, record: Any) -> Any:
        if kind == "function":
            return Stub(name, self)
        try:
            return decode(record) if kind == "value" else Opaque(name, self)
        except Foreign:
            return Opaque(name, self)

    def call(self, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
        """One call, with its effects on the arguments."""
        record = encode([args, kwargs])
        try:
            decode(record, self.lost)
        except NotPlain:
            self.refuse("An argument of " + name + " is no plain value.")
        self.calls += 1
        shown = _shown(name, args, kwargs)
        answer = self._ask({"name": name, "arguments": record})
        if "error" in answer:
            self.last = shown + " raised " + str(answer["error"])[:150]
            self._raise(answer)
        try:
            value = decode(answer["value"], self.lost)
            self._restore(answer, args, kwargs)
            if answer.get("argument"):
                value = args[answer["argument"][0]]
        except Foreign as error:
            self.refuse(shown + " gave no plain data: " + str(error))
        except (NotPlain, LookupError, TypeError, ValueError, AttributeError):
            self._forged()
        self.last = shown + " gave " + cut(repr(value))
        return value

    def refuse(self, why: str) -> NoReturn:
        """This cannot be judged, whatever the tests make of it."""
        self.refused = self.refused or why
        raise Refused(why)

    def finish(self, end: str, why: str) -> NoReturn:
        """Tell the verdict and go."""
        self._channel.send({"end": end, "told": why})
        os._exit(0)

    def _ask(self, record: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._channel.send({"ask": record})
            answer = self._channel.receive()
        if answer is None:
            os._exit(0)
        return answer

    def _forged(self) -> NoReturn:
        self.finish("failed", "An answer was none of ours: the result channel was written to.")

    def _restore(self, answer: dict[str, Any], args: Any, kwargs: dict[str, Any]) -> None:
        if "after" not in answer:
            return
        try:
            new_args, new_kwargs = decode(answer["after"], self.lost)
        except Foreign:
            self.lost.append("changed argument")
            return
        for old, new in zip([*args, *kwargs.values()], [*new_args, *new_kwargs.values()]):  # noqa: B905
            if type(old) is list:
                old[:] = new
            elif type(old) in (dict, set):
                old.clear()
                old.update(new)

    def _raise(self, answer: dict[str, Any]) -> NoReturn:
        """The program's error; never one that would quietly end a loop of the tests."""
        try:
            name, exact, record = answer["raised"]
            kind = getattr(builtins, name)
            if not issubclass(kind, BaseException):
                raise TypeError
            if issubclass(kind, _ENDS_A_LOOP):
                kind, exact = RuntimeError, True
        except (LookupError, TypeError, ValueError, AttributeError):
            self._forged()
        try:
            self.raised = kind(*decode(record, []))
        except Exception:  # an error with arguments of its own, or with objects in them
            self.raised, exact = RuntimeError(str(answer["error"])), False
        if not exact:
            self.lost.append(str(answer["error"]).partition(":")[0])
        raise self.raised


class Stub:
    """Stands for a function of the program. Not a Python function: a class that holds it
    does not bind it."""

    def __init__(self, name: str, program: Program) -> None:
        self.__name__ = name
        self._program = program

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._program.call(self.__name__, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._program.refuse(self.__name__ + "." + name + " is no call.")


class Opaque:
    """Stands for what cannot cross at all: a class of the program, an object."""

    def __init__(self, name: str, program: Program) -> None:
        self.__dict__.update({"_opaque": name, "_program": program})

    def _refuse(self, *_: Any, **__: Any) -> Any:
        return self._program.refuse(self._opaque + " is no function and no plain value.")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    __call__ = __eq__ = __ne__ = __bool__ = __iter__ = __len__ = __getitem__ = _refuse
    __contains__ = __instancecheck__ = __hash__ = _refuse


def _shown(name: str, args: Any, kwargs: dict[str, Any]) -> str:
    parts = [repr(a) for a in args] + [k + "=" + repr(v) for k, v in kwargs.items()]
    return cut(name + "(" + ", ".join(parts) + ")")


def cut(text: str, size: int = 100) -> str:
    return text if len(text) <= size else text[: size - 3] + "..."
