"""Who may ask. Closed by default: off loopback a key is needed, and on loopback it stands open
only while there is no key at all, and then only to loopback host names, so that a web page
cannot reach it by rebinding DNS.

What this does not do: keep keys (`router.ledger`) or limit rates (`router.gateway.limits`).
"""

import asyncio
import hmac
import time
from collections.abc import Mapping
from ipaddress import ip_address

import sqlalchemy as sa

from router.errors import ConfigError
from router.gateway.errors import Refused
from router.ledger.ledger import Ledger
from router.ledger.records import Principal
from router.ledger.tenants import list_keys
from router.settings import GatewaySettings

__all__ = ["Keys", "check_exposure", "holds_keys", "is_loopback"]

ASK_S = 5.0
"""How long it is believed that there is no key, or that there is one."""
MAX_KEY = 512


def check_exposure(gateway: GatewaySettings, has_keys: bool) -> None:
    """Raise `ConfigError` where the gateway would stand open off loopback."""
    if not is_loopback(gateway.host) and not gateway.api_keys and not has_keys:
        raise ConfigError(
            f"gateway.api_keys: at least one key is needed, because gateway.host "
            f"{gateway.host!r} is not a loopback address; or make one: `ockham keys create`"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Keys:
    """Tells who a request comes from, by its headers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._has_keys = (0.0, False)

    async def has_keys(self) -> bool:
        """Whether the ledger holds a key; asked anew every few seconds."""
        asked, found = self._has_keys
        if not asked or time.monotonic() > asked + ASK_S:
            found = await asyncio.to_thread(self._ledger.read, holds_keys)
            self._has_keys = (time.monotonic(), found)
        return found

    async def stands_open(self, gateway: GatewaySettings) -> bool:
        """Whether nobody is asked for a key: on loopback, while there is none at all."""
        closed = bool(gateway.api_keys) or not is_loopback(gateway.host)
        return not (closed or await self.has_keys())

    async def principal(
        self, gateway: GatewaySettings, headers: Mapping[bytes, bytes]
    ) -> Principal:
        """The caller. Raises `Refused` (401, or 400 for a host name that is not ours)."""
        if await self.stands_open(gateway):
            _check_host(headers, gateway.host)
            return await self._ledger.anonymous()
        key = _bearer(headers)
        known = await self._ledger.authenticate(key) if key is not None else None
        if known is None:
            raise Refused(401, "missing or wrong API key", "invalid_api_key")
        return known

    def check_admin(self, gateway: GatewaySettings, headers: Mapping[bytes, bytes]) -> None:
        """Raise `Refused` (401, 403) unless the request carries the admin key."""
        if gateway.admin_key is None:
            raise Refused(403, "no gateway.admin_key is set, so this is closed", "admin_closed")
        admin = gateway.admin_key.get_secret_value().encode()
        if not hmac.compare_digest((_bearer(headers) or "").encode(), admin):
            raise Refused(401, "missing or wrong admin key", "invalid_api_key")


def _bearer(headers: Mapping[bytes, bytes]) -> str | None:
    scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
    key = key.strip()
    if scheme.lower() != b"bearer" or not 0 < len(key) <= MAX_KEY:
        return None
    return key.decode("latin-1")


def holds_keys(connection: sa.Connection) -> bool:
    """Whether a key was ever made: what was closed once does not open when it is revoked."""
    return bool(list_keys(connection))


def _check_host(headers: Mapping[bytes, bytes], bound: str) -> None:
    host = headers.get(b"host", b"").decode("latin-1")
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    if name.strip("[]") not in (bound, "localhost") and not is_loopback(name.strip("[]")):
        raise Refused(
            400, "this gateway is open to loopback host names only; set gateway.api_keys",
            "invalid_host",
        )  # fmt: skip
