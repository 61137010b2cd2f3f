"""The gateway as processes: uvicorn with our limits, draining, and reloads by SIGHUP.

One process, or several under uvicorn's supervisor, which starts a worker anew when it dies.
SIGTERM drains: the sockets close, running requests end within `gateway.drain_s`, the rest is
cut and settled. SIGHUP reloads the configuration, in every worker.
"""

import asyncio
import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from router.config import Settings, load_settings
from router.facade import Router
from router.gateway.auth import check_exposure, holds_keys, is_loopback
from router.gateway.gateway import Gateway
from router.gateway.protocol import BoundedProtocol
from router.ledger.ledger import Ledger
from router.settings import GatewaySettings
from router.telemetry.logs import set_up
from router.telemetry.metrics import FOLDER
from router.verify.workers import cores

__all__ = ["AppFactory", "reload_all", "run", "watch_signals"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class AppFactory:
    """Makes the application in the process that runs it; travels to workers by pickle."""

    config: str | None
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def settings(self) -> Settings:
        """The configuration as it is now, with what `signals.processes: null` means here."""
        settings = load_settings(self.config, **self.overrides)
        if settings.signals.processes is not None:
            return settings
        beside = 1 if settings.gateway.workers == 1 and cores() > 1 else 0
        signals = settings.signals.model_copy(update={"processes": beside})
        return settings.model_copy(update={"signals": signals})

    def __call__(self) -> Starlette:
        from router.gateway.app import create_app

        settings = self.settings()
        set_up(settings.telemetry.log_format, settings.telemetry.access_log)
        return create_app(Router(settings), load=self.settings)


def run(factory: AppFactory, settings: Settings) -> None:
    """Serve until a signal ends it. `ConfigError`: it would stand open off loopback."""
    own = settings.gateway
    if not is_loopback(own.host):
        with Ledger.open(settings) as ledger:
            check_exposure(own, ledger.read(holds_keys))
    _raise_file_limit(own.max_connections)
    config = uvicorn.Config(factory, factory=True, **_options(own))
    if own.workers == 1:
        uvicorn.Server(config).run()
        return
    _warn_of_workers(settings)
    sock = _bind(own)
    with _shared_metrics():
        _Workers(config, [sock]).run()


def _options(own: GatewaySettings) -> dict[str, Any]:
    return {
        "host": own.host,
        "port": own.port,
        "workers": own.workers,
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "on",
        "log_level": "info",
        "access_log": False,
        "server_header": False,
        # Headers of a proxy are not believed: nothing here depends on a client's address.
        "proxy_headers": False,
        "timeout_keep_alive": own.keep_alive_s,
        "timeout_graceful_shutdown": own.drain_s,
        # A worker that loads models may be busy for longer than uvicorn expects.
        "timeout_worker_healthcheck": 60,
    }


def _bind(own: GatewaySettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in own.host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((own.host, own.port))
    sock.set_inheritable(True)
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    logging.getLogger("uvicorn.error").info("Uvicorn running on http://%s:%d", shown, port)
    return sock


def _warn_of_workers(settings: Settings) -> None:
    if settings.gateway.rate_limit_url is None:
        _LOG.warning(
            "gateway.workers > 1 without gateway.rate_limit_url: each counts its own rates"
        )
    own = [n for n, m in settings.models.items() if m.serve and m.api_base is None]
    if own:
        _LOG.warning("each worker starts its own server of models.%s", ", models.".join(own))


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder in which the workers count together; an operator's own is left as it is."""
    if os.environ.get(FOLDER):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="ockham-metrics-") as folder:
        os.environ[FOLDER] = folder
        yield


class _Workers(Multiprocess):
    """uvicorn's supervisor, whose SIGHUP asks the workers instead of replacing them."""

    _counted: frozenset[int | None] = frozenset()

    def keep_subprocess_alive(self) -> None:
        """What a worker that is gone had in flight is counted no more."""
        super().keep_subprocess_alive()
        living = frozenset(process.pid for process in self.processes)
        for pid in self._counted - living:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
        self._counted = living

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGHUP)


def watch_signals(gateway: Gateway) -> None:
    """SIGHUP reloads; SIGTERM drains before uvicorn shuts down. Only in a main thread, which is
    that of a process of ours."""
    if threading.current_thread() is not threading.main_thread():
        return
    _settle()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, lambda: asyncio.ensure_future(gateway.reload_or_log()))
    shut_down = signal.getsignal(signal.SIGTERM)
    if not callable(shut_down):
        return

    def drain(number: int, frame: Any) -> None:
        delay = gateway.generation.settings.gateway.drain_delay_s
        gateway.draining = True
        if delay > 0:
            loop.call_soon_threadsafe(loop.call_later, delay, shut_down, number, None)
        else:
            shut_down(number, frame)

    signal.signal(signal.SIGTERM, drain)


def reload_all() -> None:
    """Ask the other workers to reload, too.

    The supervisor passes the signal on to every worker, this one included, where the second
    reload finds the same configuration.
    """
    if multiprocessing.parent_process() is not None:
        os.kill(os.getppid(), signal.SIGHUP)


def _settle() -> None:
    """What has been loaded stays: the garbage collector need not walk LiteLLM's and pydantic's
    objects again and again, nor look for rubbish every 700 new ones.

    The second `collect` counts what is left to walk. By the count from before the freeze it
    would let rubbish grow to a quarter of all that was loaded (`long_lived_total` in CPython).
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(10_000, 5, 5)


def _raise_file_limit(connections: int) -> None:
    """Each connection is a file, and so is each call to a model."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + 512
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            _LOG.warning(
                "the limit of open files is %d: gateway.max_connections is not reached", most
            )


def config_path(config: str | None) -> str | None:
    """Absolute, since a worker may be started elsewhere."""
    named = config or os.environ.get("OCKHAM_CONFIG")
    return str(Path(named).resolve()) if named else None
