"""Tenants and their API keys: made, changed, listed, told by a key.

A key is 32 random bytes; only its SHA-256 is kept, which for such a key needs no salt.
Functions take the connection of a transaction.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from router.errors import InputError
from router.ledger.money import iso, nano, now, usd
from router.ledger.records import Principal
from router.ledger.schema import api_keys, tenants

__all__ = [
    "DEFAULT",
    "KEY_START",
    "PURSES",
    "KeyRow",
    "Tenant",
    "add_tenant",
    "create_key",
    "hash_of",
    "list_keys",
    "list_tenants",
    "principal_of",
    "read_tenant",
    "revoke_key",
    "set_tenant",
]

DEFAULT = "default"
"""Whom the keys of `gateway.api_keys` and requests without a key belong to; always there."""
PURSES: Mapping[Literal["audit", "shadow"], str] = {"audit": "audits", "shadow": "shadow"}
"""Tenants of the gateway's own: by the source of the labels that each pays for, its name, which is
also that of the section of the configuration that holds its daily budget."""
KEY_START = "ockham-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHOWN = len(KEY_START) + 6


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who pays. Budgets in USD, None: unbounded; rates None: unlimited."""

    name: str
    daily_usd: float | None = None
    monthly_usd: float | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    stores_prompts: bool = False
    created: str = ""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What is known of a key: never the key."""

    id: str
    tenant: str
    name: str
    prefix: str
    created: str
    expires: str | None
    revoked: str | None


def add_tenant(connection: sa.Connection, tenant: Tenant) -> Tenant:
    """A new tenant. `InputError`: the name is taken, or a setting is impossible."""
    if not _NAME.fullmatch(tenant.name):
        raise InputError(
            f"tenant {tenant.name!r}: a name is 1 to 64 of letters, digits, '.', '_' and '-', and "
            "begins with a letter or a digit"
        )
    if _find(connection, tenant.name) is not None:
        raise InputError(f"tenant {tenant.name!r} is there already: change it with `set`")
    row = {"name": tenant.name, "created": iso(now()), **_values(tenant)}
    connection.execute(sa.insert(tenants), row)
    return read_tenant(connection, tenant.name)


def set_tenant(connection: sa.Connection, tenant: Tenant) -> Tenant:
    """Write all of its settings. `InputError`: no such tenant, or an impossible setting."""
    read_tenant(connection, tenant.name)
    change = sa.update(tenants).where(tenants.c.name == tenant.name)
    connection.execute(change.values(_values(tenant)))
    return read_tenant(connection, tenant.name)


def read_tenant(connection: sa.Connection, name: str) -> Tenant:
    """One tenant. `InputError` says who is there."""
    found = _find(connection, name)
    if found is None:
        names = ", ".join(t.name for t in list_tenants(connection))
        raise InputError(f"no tenant {name!r}; there are: {names}")
    return found


def list_tenants(connection: sa.Connection) -> list[Tenant]:
    """All, by name."""
    return [_tenant(row) for row in connection.execute(sa.select(tenants).order_by("name"))]


def create_key(
    connection: sa.Connection, tenant: str, name: str, expires: datetime | None = None
) -> tuple[str, KeyRow]:
    """A new key, which is told this once. `InputError`: no such tenant, or expired already."""
    read_tenant(connection, tenant)
    if expires is not None and expires <= now():
        raise InputError(f"--expires: {expires.isoformat()} has passed")
    key = KEY_START + secrets.token_urlsafe(32)
    row = KeyRow(
        id=secrets.token_hex(6), tenant=tenant, name=name[:200], prefix=key[:_SHOWN],
        created=iso(now()), expires=None if expires is None else iso(expires), revoked=None,
    )  # fmt: skip
    values = {f: getattr(row, f) for f in row.__slots__}
    connection.execute(sa.insert(api_keys), {**values, "hash": hash_of(key)})
    return key, row


def list_keys(connection: sa.Connection, tenant: str | None = None) -> list[KeyRow]:
    """All keys, the oldest first."""
    wanted = _KEYS if tenant is None else _KEYS.where(api_keys.c.tenant == tenant)
    return [KeyRow(*row) for row in connection.execute(wanted.order_by("created"))]


def revoke_key(connection: sa.Connection, which: str) -> KeyRow:
    """End a key by its id or its prefix. `InputError`: none, or several."""
    same = sa.or_(api_keys.c.id == which, api_keys.c.prefix == which)
    found = connection.execute(sa.select(api_keys.c.id).where(same)).scalars().all()
    if len(found) != 1:
        what = "no key has" if not found else f"{len(found)} keys have"
        raise InputError(f"{what} the id or prefix {which!r}; see `ockham keys list`")
    change = sa.update(api_keys).where(api_keys.c.id == found[0], api_keys.c.revoked.is_(None))
    connection.execute(change.values(revoked=iso(now())))
    return KeyRow(*connection.execute(_KEYS.where(api_keys.c.id == found[0])).one())


def principal_of(connection: sa.Connection, digest: str) -> Principal | None:
    """Whose key has this hash; None: nobody's, or it is revoked or expired."""
    row = connection.execute(_BY_HASH, {"digest": digest}).first()
    if row is None or row.revoked is not None:
        return None
    if row.expires is not None and datetime.fromisoformat(row.expires) <= datetime.now(UTC):
        return None
    return Principal(row.tenant, row.id, *row[4:])


def hash_of(key: str) -> str:
    """SHA-256 of a key, hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


_KEYS = sa.select(*(api_keys.c[name] for name in KeyRow.__slots__))
_BY_HASH = (
    sa.select(
        api_keys.c.id,
        api_keys.c.tenant,
        api_keys.c.expires,
        api_keys.c.revoked,
        tenants.c.stores_prompts,
        tenants.c.requests_per_minute,
        tenants.c.tokens_per_minute,
    )
    .join(tenants, tenants.c.name == api_keys.c.tenant)
    .where(api_keys.c.hash == sa.bindparam("digest"))
)


def _find(connection: sa.Connection, name: str) -> Tenant | None:
    row = connection.execute(sa.select(tenants).where(tenants.c.name == name)).first()
    return None if row is None else _tenant(row)


def _tenant(row: sa.Row[Any]) -> Tenant:
    daily, monthly = row.daily_nano, row.monthly_nano
    return Tenant(
        name=row.name,
        daily_usd=None if daily is None else usd(daily),
        monthly_usd=None if monthly is None else usd(monthly),
        requests_per_minute=row.requests_per_minute,
        tokens_per_minute=row.tokens_per_minute,
        stores_prompts=row.stores_prompts,
        created=row.created,
    )


def _values(tenant: Tenant) -> dict[str, Any]:
    for name in ("requests_per_minute", "tokens_per_minute"):
        rate = getattr(tenant, name)
        if rate is not None and rate < 1:
            raise InputError(f"tenant {tenant.name!r}: {name} is at least 1, or none")
    return {
        "daily_nano": _budget(tenant, tenant.daily_usd),
        "monthly_nano": _budget(tenant, tenant.monthly_usd),
        "requests_per_minute": tenant.requests_per_minute,
        "tokens_per_minute": tenant.tokens_per_minute,
        "stores_prompts": tenant.stores_prompts,
    }


def _budget(tenant: Tenant, limit: float | None) -> int | None:
    try:
        limit_nano = None if limit is None else nano(limit)
    except ValueError as error:
        raise InputError(f"tenant {tenant.name!r}: a budget: {error}") from None
    if limit_nano is not None and limit_nano > 10**18:
        raise InputError(f"tenant {tenant.name!r}: a budget is at most 1e9 USD; or have none")
    return limit_nano
