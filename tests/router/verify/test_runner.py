"""A runner of one's own, by its setting."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.config import load_settings
from router.errors import ConfigError
from router.verify.code import check_code
from router.verify.runner import Runner, Talk, make_runner
from router.verify.sandbox import Availability, Limits, Sandbox, SandboxResult


class Away:
    """One that cannot be reached."""

    limits = Limits()

    async def available(self) -> Availability:
        return Availability(False, "the machine is off")

    async def run(self, program: str, **more: Any) -> SandboxResult:
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def session(self, program: str, **more: Any) -> AsyncIterator[Talk]:
        raise NotImplementedError
        yield


class Half:
    limits = Limits()


class Broken:
    def __init__(self) -> None:
        raise RuntimeError("docker is not running")


class Plain(Away):
    def available(self) -> Availability:  # type: ignore[override]
        return Availability(True)


def test_what_its_making_raises_is_told() -> None:
    with pytest.raises(ConfigError, match="sandbox.runner: .*docker is not running"):
        make_runner(f"{__name__}:Broken")
    with pytest.raises(ConfigError, match="available must be `async def`"):
        make_runner(f"{__name__}:Plain")


def test_null_is_the_sandbox_here() -> None:
    assert isinstance(make_runner(load_settings().sandbox.runner), Sandbox)


async def test_ones_own_is_asked() -> None:
    own = make_runner(f"{__name__}:Away")
    assert isinstance(own, Runner)
    code = "```python\ndef f(n): return n\n```"
    verdict = await check_code("Write f. f(2) == 2", code, own)
    assert (verdict.passed, verdict.status) == (None, "unchecked")
    assert "the machine is off" in verdict.evidence[0]


@pytest.mark.parametrize(
    "name",
    ["no_such_module:A", f"{__name__}:Nobody", "plain", ":", f"{__name__}:Half", "builtins:range"],
)
def test_a_name_that_is_none_is_an_error_that_names_the_setting(name: str) -> None:
    with pytest.raises(ConfigError, match="sandbox.runner"):
        make_runner(name)
