"""From a plan to a server that answers: built, started, and kept in the foreground.

`server_for` is the one place where a plan becomes a process, for `ockham models serve` and
for `serve: auto` alike. `serve_forever` ends its server however it ends itself.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from router.errors import ModelDied, SetupError
from router.models.completion import Endpoint
from router.models.gguf import read_gguf
from router.models.launcher import EmbeddedServer, ModelServer, VllmServer
from router.models.plan import GOOD, Plan
from router.models.probe import PROBE, PROBE_TOKENS, ask
from router.settings import ModelSettings

__all__ = ["endpoint_of", "serve_forever", "server_for"]

WATCH_S = 0.2


def server_for(
    plan: Plan, name: str, settings: ModelSettings, *, port: int = 0, api_key: str | None = None
) -> ModelServer:
    """The server of a plan, not started. vLLM's port stands in its command.

    Raises:
        SetupError: something the plan needs is missing, or cannot be fetched.
    """
    if plan.missing:
        raise SetupError(f"models.{name}: {plan.missing}")
    if plan.kind == "vllm":
        return VllmServer(
            name, plan.command, plan.env, alias=plan.model, port=port, api_key=api_key
        )
    weights = fetch(*plan.fetch) if plan.fetch else plan.weights
    own = settings.model_copy(update={"gguf": weights, "context_tokens": plan.context_tokens})
    return EmbeddedServer(name, own, port=port, api_key=api_key)


def fetch(repository: str, file: str) -> Path:
    """A weight file from the hub. Raises `SetupError` where it is not what its name says."""
    from huggingface_hub import hf_hub_download

    try:
        path = Path(hf_hub_download(repository, file))
    except Exception as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SetupError(f"gguf_repo: cannot fetch {file} of {repository}: {what}") from None
    header = read_gguf(path)
    if header is None or header.quantisation not in GOOD:
        found = header.quantisation if header else "no GGUF file"
        raise SetupError(f"gguf_repo: {file} of {repository} is {found}, not Q8_0 or Q6_K")
    return path


def endpoint_of(server: ModelServer, stall_s: float = 60.0) -> Endpoint:
    """How a started server is called."""
    return Endpoint(
        server.name, f"hosted_vllm/{server.alias}", server.api_base, server.api_key, stall_s=stall_s
    )


async def serve_forever(server: ModelServer, ready: Callable[[], None]) -> None:
    """Start, prove by a completion, call `ready`, and wait for SIGINT or SIGTERM.

    Raises:
        ModelError: it could not start, could not complete, or ended by itself.
    """
    with _told_to_end() as told:
        try:
            if not await _unless(told, server.start()):
                return
            if not await _unless(told, ask(endpoint_of(server), PROBE, PROBE_TOKENS)):
                return
            ready()
            while not told.is_set():
                if not server.running:
                    raise ModelDied(f"models.{server.name}: the server ended; see {server.log}")
                with suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), WATCH_S)
        finally:
            await asyncio.to_thread(server.stop)


@contextmanager
def _told_to_end() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set, in place of their usual effect."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    try:
        yield told
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _unless(told: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Whether the work was done before the end was asked for; it is cancelled otherwise."""
    task, end = asyncio.ensure_future(work), asyncio.ensure_future(told.wait())
    try:
        await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        end.cancel()
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    if task.cancelled():
        return False
    task.result()
    return True
