"""What tests see of a program that runs in another sandbox: stubs.

What: `Program` sends each call out as typed JSON and gives back a plain value, or raises a
builtin exception; arguments that the call changed in place are changed here too. It keeps
what a verdict needs: calls made, subclasses lost on the way, what could not cross. `Ledger`
keeps what the tests checked: a pass needs a check that held and could have failed. What not:
objects and classes of the program (`Opaque`), attributes of its functions: these refuse, and
the verdict is `unchecked`. It runs inside, beside the tests, and keeps to Python 3.8.
"""

from __future__ import annotations

import builtins
import os
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

from router.verify.wire import Channel, Foreign, NotPlain, decode, encode

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["Ledger", "Opaque", "Program", "Refused", "Stub", "cut"]

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
        self.lost_errors: list[str] = []
        self.nan = False
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
            return Stub(name, self, own=record is True)
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
        self.nan = self.nan or _has_nan(record) or _has_nan(answer)
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
        self.last = shown + " gave " + _safe(value)
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
        if _aliased([*args, *kwargs.values()]):
            self.refuse("It changes an argument that it was given twice, as two.")
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
                kind, exact = RuntimeError, False
        except (LookupError, TypeError, ValueError, AttributeError):
            self._forged()
        try:
            self.raised = kind(*decode(record, []))
        except Exception:  # an error with arguments of its own, or with objects in them
            self.raised, exact = RuntimeError(str(answer["error"])), False
        if not exact:
            self.lost_errors.append(str(answer["error"]).partition(":")[0])
        raise self.raised


class Ledger:
    """What the tests checked. The rewritten tests (`inside_tests`) write it while they run.

    A check that began and did not end failed, or an error came out of it: where the tests go
    on after that, somebody caught it, and nobody knows what the tests meant by it.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._at: dict[int, int] = {}
        self.expected: dict[int, int] = {}
        self.concerned: set[int] = set()
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.held = 0
        self._doubt = ""

    def doubt(self, why: str) -> None:
        """These tests cannot pass any more; they may still fail."""
        self._doubt = self._doubt or why

    def begin(self, check: int) -> int:
        """A check begins; its expression is evaluated next."""
        self.begun.append(check)
        self._at[check] = self._program.calls
        return check

    def end(self, check: int, value: Any = True, wanted: bool = True) -> Any:
        """A check has its value: where that is the wanted one, it held."""
        if bool(value) is wanted:
            self.ended.append(check)
            if self._could_fail(check, value):
                self.held += 1
        return value

    def done(self, check: int, value: Any) -> Any:
        """A check that raises where it fails has not raised."""
        self.end(check)
        return value

    def reached(self, check: int) -> None:
        """A function of the tests is running."""
        self.begun.append(check)
        self.ended.append(check)

    def _could_fail(self, check: int, value: Any) -> bool:
        """Functions and iterators are true whatever the program does."""
        if isinstance(value, (Stub, types.FunctionType)) or hasattr(type(value), "__next__"):
            return False
        calls = self._program.calls
        return calls > self._at[check] or (calls > 0 and check in self.concerned)

    def caught(self, check: int) -> None:
        """The tests handle an error: the program's, or their own failure?"""
        error = sys.exc_info()[1]
        if error is self._program.raised:
            self.held += check >= 0
        elif isinstance(error, AssertionError):
            self.doubt("The tests catch a failure of their own.")

    def open_question(self) -> str:
        """Why the tests say nothing, though nothing failed."""
        if self._doubt:
            return self._doubt
        if len(self.begun) != len(self.ended):
            return "A check did not hold, or did not end, and the tests went on."
        missed = [line for check, line in self.expected.items() if check not in set(self.begun)]
        if missed:
            return "What line " + str(min(missed)) + " of the tests checks was never reached."
        return "" if self.held else "The tests assert nothing about what the program gives."


_PLAIN_ATTRIBUTES = frozenset(("__class__", "__name__", "__call__", "_own", "_program"))


class Stub:
    """Stands for a function of the program. Not a Python function: a class that holds it
    does not bind it."""

    def __init__(self, name: str, program: Program, own: bool = True) -> None:
        self.__name__ = name
        self._own = own
        self._program = program

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._program.call(self.__name__, args, kwargs)

    def __getattribute__(self, name: str) -> Any:
        """A docstring that is found here would be this class's, not the function's."""
        if name in _PLAIN_ATTRIBUTES:
            return object.__getattribute__(self, name)
        program = object.__getattribute__(self, "_program")
        own_name = object.__getattribute__(self, "__name__")
        return program.refuse(own_name + "." + name + " is no call.")


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


def _has_nan(record: Any) -> bool:
    """A nan equals itself only as the same object, and none crosses as that."""
    return "'nan'" in str(record)


def _aliased(values: list[Any]) -> bool:
    """Does one thing that can be changed stand in two places?"""
    seen: set[int] = set()
    left = list(values)
    while left:
        value = left.pop()
        if isinstance(value, (list, dict, set)):
            if id(value) in seen:
                return True
            seen.add(id(value))
        if isinstance(value, (list, tuple)):
            left.extend(value)
        elif isinstance(value, dict):
            left.extend(value.values())
    return False


def _shown(name: str, args: Any, kwargs: dict[str, Any]) -> str:
    parts = [_safe(a) for a in args] + [k + "=" + _safe(v) for k, v in kwargs.items()]
    return cut(name + "(" + ", ".join(parts) + ")")


def _safe(value: Any) -> str:
    """For the evidence only: an integer of 5000 digits has no `repr`, and that is no result."""
    try:
        return cut(repr(value))
    except Exception:
        return "a " + type(value).__name__ + " too large to show"


def cut(text: str, size: int = 100) -> str:
    return text if len(text) <= size else text[: size - 3] + "..."
