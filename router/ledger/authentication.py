"""Who comes with a key: asked of the database, believed for some seconds.

The cache holds hashes, not keys, and no strangers: wrong keys cost a look-up each, so they
cannot fill it. Keys of the configuration belong to the tenant `default`.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence

import sqlalchemy as sa
from pydantic import SecretStr

from router.ledger.records import Principal
from router.ledger.tenants import DEFAULT, hash_of, principal_of, read_tenant

__all__ = ["Doorman"]

_MOST = 10_000
_ANYBODY = ""
"""In place of a hash: who comes without a key."""


class Doorman:
    """Knows keys. Used from one event loop; `look_up` runs on a reading connection."""

    def __init__(self, configured: Sequence[SecretStr], keep_s: float) -> None:
        self._keep_s = keep_s
        self.configure(configured)

    def configure(self, configured: Sequence[SecretStr]) -> None:
        """Take these keys of the configuration in place of those before; forget who came."""
        self._configured = {
            hash_of(key.get_secret_value()): f"config-{i}" for i, key in enumerate(configured)
        }
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def digest(self, key: str | None) -> str:
        """What the look-up is by; of no key: the default tenant's."""
        return _ANYBODY if key is None else hash_of(key)

    def remembered(self, digest: str) -> Principal | None:
        """Who it was lately; None: it has to be looked up."""
        found = self._known.get(digest)
        if found is None or found[0] < time.monotonic():
            return None
        return found[1]

    def look_up(self, connection: sa.Connection, digest: str) -> Principal | None:
        """Who it is now, None for a stranger."""
        key = self._configured.get(digest)  # once: a reload may change them meanwhile
        if digest == _ANYBODY or key is not None:
            home = read_tenant(connection, DEFAULT)
            return Principal(
                DEFAULT,
                key,
                home.stores_prompts,
                home.requests_per_minute,
                home.tokens_per_minute,
            )
        return principal_of(connection, digest)

    def remember(self, digest: str, principal: Principal | None) -> None:
        """Believe it for a while; a stranger is forgotten."""
        self._known.pop(digest, None)
        if principal is not None:
            self._known[digest] = (time.monotonic() + self._keep_s, principal)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
