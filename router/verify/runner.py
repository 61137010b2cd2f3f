"""What runs programs that nobody has read: the sandbox here, or one of your own.

What: the protocol that every check asks (`Sandbox` is the one that is built in), and the
setting `sandbox.runner`, which names a class of yours (Docker, a remote machine). What not:
the walls: a runner of your own has to bring them, and every check trusts it with that.
"""

import inspect
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Protocol, runtime_checkable

from router.errors import ConfigError
from router.verify.sandbox import Availability, Limits, Sandbox, SandboxResult
from router.verify.session import SandboxStatus

__all__ = ["Runner", "Talk", "make_runner"]


class Talk(Protocol):
    """A program that runs, to be talked with line by line."""

    @property
    def status(self) -> SandboxStatus:
        """`exited`, also while it runs, or the limit that ended it."""

    async def send(self, data: bytes, *, last: bool = False) -> None:
        """Write to its stdin, which `last` closes."""

    async def line(self) -> bytes | None:
        """The next whole line of its stdout, without its end; None when there is no more."""

    def line_there(self) -> bytes | None:
        """The next whole line, if it has been said already."""


@runtime_checkable
class Runner(Protocol):
    """Runs Python programs behind walls, within limits, and leaves nothing behind.

    A program finds no module but the standard library's, starts in a process of its own, and
    is dead, with all that it started, when `run` returns or `session` is left, also by
    cancellation.
    """

    limits: Limits

    async def available(self) -> Availability:
        """Can a program run here? The hint says what to change where it cannot."""

    async def run(
        self,
        program: str,
        *,
        stdin: bytes = b"",
        files: Mapping[str, bytes] | None = None,
        limits: Limits | None = None,
    ) -> SandboxResult:
        """Run a program to its end; raises `SetupError` where none can run."""

    def session(
        self,
        program: str,
        *,
        files: Mapping[str, bytes] | None = None,
        limits: Limits | None = None,
    ) -> AbstractAsyncContextManager[Talk]:
        """Run a program as long as the block lasts; raises `SetupError` where none can run."""


def make_runner(name: str | None) -> Runner:
    """The built-in sandbox, or your own as `module:Class`, called without arguments.

    Raises:
        ConfigError: naming the setting.
    """
    if name is None:
        return Sandbox()
    module, _, own = name.partition(":")
    try:
        runner = getattr(import_module(module), own)()
    except Exception as error:  # it is the user's code: whatever it raises is about the setting
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ConfigError(
            f"sandbox.runner: cannot make {name!r} (expected module:Class): {told}"
        ) from None
    if not isinstance(runner, Runner):
        raise ConfigError(f"sandbox.runner: {name} lacks limits, available, run or session")
    for method in ("available", "run"):
        if not inspect.iscoroutinefunction(getattr(runner, method)):
            raise ConfigError(f"sandbox.runner: {name}.{method} must be `async def`")
    return runner
