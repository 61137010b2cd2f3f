"""The gateway's process: what all its requests share, and how it changes while it runs.

A *generation* is one configuration with the router that runs on it. A reload makes the next one
and swaps it in; requests that are running end on theirs.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from router.config import Settings
from router.errors import ConfigError
from router.facade import Router
from router.gateway.auth import Keys, check_exposure
from router.gateway.exchange import Exchange
from router.gateway.limits import RateLimits
from router.gateway.parts import Part
from router.gateway.schemas import SchemaChecker
from router.gateway.waiting import Places
from router.ledger.ledger import Ledger
from router.ledger.records import Principal

__all__ = ["Gateway", "Generation"]

_LOG = logging.getLogger(__name__)
LIVE = frozenset(
    {"api_keys", "admin_key", "max_body_bytes", "body_timeout_s", "send_timeout_s",
     "allow_image_urls"}
)  # fmt: skip
"""Settings of the gateway that a reload may change; the others are the process's."""


@dataclass(eq=False)
class Generation:
    """One configuration and its router."""

    settings: Settings
    router: Router
    number: int = 1
    users: int = 0
    """Requests that are running on it."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when its last request has ended after it was replaced."""
    replaced: bool = False
    since: float = field(default_factory=time.time)

    def leave(self) -> None:
        """A request has ended."""
        self.users -= 1
        if self.replaced and not self.users:
            self.left.set()

    def replace(self) -> None:
        """Another one takes its place."""
        self.replaced = True
        if not self.users:
            self.left.set()


class Gateway:
    """Everything that lives as long as the process.

    Args:
        router: the first generation's, not yet open.
        load: reads the configuration anew; None: it cannot be reloaded.
        ledger: an open one, else it is opened from the settings.
    """

    def __init__(
        self,
        router: Router,
        *,
        parts: Sequence[Part] = (),
        load: Callable[[], Settings] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        own = router.settings.gateway
        self.generation = Generation(router.settings, router)
        self.parts = tuple(parts)
        url = own.rate_limit_url
        self.limits = RateLimits(None if url is None else url.get_secret_value())
        self.places = Places(own.max_concurrent, own.max_queue)
        self.schemas = SchemaChecker()
        self.running: dict[str, Exchange] = {}
        self.draining = False
        self.started = time.time()
        self._load = load
        self._ledger = ledger
        self._opened = AsyncExitStack()
        self._reloading = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()

    @property
    def ledger(self) -> Ledger:
        """The open ledger."""
        assert self._ledger is not None, "the gateway is not open"
        return self._ledger

    @property
    def router(self) -> Router:
        """The router that new requests run on."""
        return self.generation.router

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal:
        """Who asks. Raises `Refused`."""
        return await self._keys.principal(self.generation.settings.gateway, headers)

    def check_admin(self, headers: Mapping[bytes, bytes]) -> None:
        """Raises `Refused` unless it is the operator."""
        self._keys.check_admin(self.generation.settings.gateway, headers)

    async def all_operate(self) -> bool:
        """Whether any caller is the operator: no key is asked for, and no admin key is set."""
        own = self.generation.settings.gateway
        return own.admin_key is None and await self._keys.stands_open(own)

    # -- opening and closing ----------------------------------------------------------

    async def open(self) -> None:
        """Open the ledger and the router; models go on starting beside it.

        Raises:
            ConfigError: it would stand open off loopback.
            OckhamError: the ledger or the router's own parts cannot be opened.
        """
        settings = self.generation.settings
        async with AsyncExitStack() as opened:
            if self._ledger is None:
                self._ledger = await asyncio.to_thread(Ledger.open, settings)
                opened.push_async_callback(self._close_ledger)
            opened.push_async_callback(asyncio.to_thread, self.schemas.close)
            self._keys = Keys(self._ledger)
            check_exposure(settings.gateway, await self._keys.has_keys())
            await self.router.__aenter__()
            opened.push_async_callback(self._close_routers)
            for part in self.parts:
                opened.push_async_callback(part.stop)
                await part.start(self)
            self._opened = opened.pop_all()

    async def close(self) -> None:
        """Wait for the books of requests that were cut, then let go of everything, the last opened
        first."""
        self.draining = True
        for exchange in list(self.running.values()):
            await exchange.closed.wait()
        await self._opened.aclose()

    async def _close_routers(self) -> None:
        for task in self._retiring:
            task.cancel()
        if self._retiring:
            await asyncio.wait(self._retiring)
        await self.router.__aexit__()

    async def _close_ledger(self) -> None:
        ledger, self._ledger = self.ledger, None
        await asyncio.to_thread(ledger.close)

    # -- reloading --------------------------------------------------------------------

    async def reload(self) -> Generation:
        """Read the configuration anew and swap it in; a bad one changes nothing.

        Raises:
            ConfigError: it is not valid, or changes what only a restart can change.
        """
        async with self._reloading:
            old = self.generation
            if self._load is None:
                raise ConfigError("this gateway was not started from a configuration")
            settings = await asyncio.to_thread(self._load)
            _check_live(old.settings, settings)
            check_exposure(settings.gateway, await self._keys.has_keys())
            router = old.router.successor(settings)
            await router.__aenter__()
            self.ledger.use(settings)
            self.generation = Generation(settings, router, old.number + 1)
            old.replace()
            retiring = asyncio.ensure_future(self._retire(old))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)
            _LOG.info("configuration reloaded: generation %d", self.generation.number)
            return self.generation

    async def _retire(self, old: Generation) -> None:
        """Close a generation once its last request has ended."""
        try:
            await old.left.wait()
        finally:
            await old.router.__aexit__()

    async def reload_or_log(self) -> None:
        """For a signal, which nobody waits for."""
        try:
            await self.reload()
        except Exception as error:
            _LOG.error("the configuration was not reloaded: %s", error)


def _check_live(old: Settings, new: Settings) -> None:
    """Raise `ConfigError` naming what only a restart can change."""
    fixed = [
        f"gateway.{name}"
        for name in type(old.gateway).model_fields
        if name not in LIVE and getattr(old.gateway, name) != getattr(new.gateway, name)
    ]
    fixed += [name for name in ("ledger", "telemetry") if getattr(old, name) != getattr(new, name)]
    if fixed:
        raise ConfigError(f"{', '.join(fixed)}: cannot change while running; restart instead")
