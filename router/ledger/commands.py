"""`ockham tenants`, `ockham keys`, `ockham ledger`: who may spend, and the ledger's upkeep.

SQLAlchemy is imported when a command runs.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.commands import ConfigOption, JsonOption
from router.config import load_settings
from router.errors import InputError

if TYPE_CHECKING:
    from router.ledger.ledger import Ledger
    from router.ledger.tenants import Tenant

__all__ = ["keys", "ledger", "open_ledger", "tenants"]

tenants = typer.Typer(help="Who pays: budgets, rate limits, what is stored.", no_args_is_help=True)
keys = typer.Typer(help="API keys of tenants.", no_args_is_help=True)
ledger = typer.Typer(help="The record of requests, money and labels.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The tenant's name.")]
DailyOption = Annotated[str | None, typer.Option("--daily-usd", help="Budget a UTC day, or none.")]
MonthlyOption = Annotated[
    str | None, typer.Option("--monthly-usd", help="Budget a UTC month, or none.")
]
RpmOption = Annotated[str | None, typer.Option("--rpm", help="Requests a minute, or none.")]
TpmOption = Annotated[str | None, typer.Option("--tpm", help="Tokens a minute, or none.")]
StoreOption = Annotated[
    bool | None,
    typer.Option("--store-prompts/--no-store-prompts", help="Whether texts are kept."),
]


@contextmanager
def open_ledger(config: str | None) -> "Iterator[Ledger]":
    """The configured ledger, for a command."""
    from router.ledger.ledger import Ledger

    with Ledger.open(load_settings(config), replica="command line") as opened:
        yield opened


# -- tenants ------------------------------------------------------------------------


@tenants.command("add")
def tenants_add(
    name: Name,
    daily_usd: DailyOption = None,
    monthly_usd: MonthlyOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    store_prompts: StoreOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Add a tenant; without options it has no budget, no rate limit, and no texts are kept."""
    from router.ledger import tenants as table

    wanted = _changed(table.Tenant(name), daily_usd, monthly_usd, rpm, tpm, store_prompts)
    with open_ledger(config) as opened:
        _show_tenants([opened.run(lambda c: table.add_tenant(c, wanted))], as_json)


@tenants.command("set")
def tenants_set(
    name: Name,
    daily_usd: DailyOption = None,
    monthly_usd: MonthlyOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    store_prompts: StoreOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Change what is named, leave the rest; budgets count at once, rates within seconds."""
    from router.ledger import tenants as table

    with open_ledger(config) as opened:
        was = opened.read(lambda c: table.read_tenant(c, name))
        wanted = _changed(was, daily_usd, monthly_usd, rpm, tpm, store_prompts)
        _show_tenants([opened.run(lambda c: table.set_tenant(c, wanted))], as_json)


@tenants.command("list")
def tenants_list(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """All tenants."""
    from router.ledger.tenants import list_tenants

    with open_ledger(config) as opened:
        _show_tenants(opened.read(list_tenants), as_json)


@tenants.command("usage")
def tenants_usage(
    name: Annotated[str | None, typer.Argument(help="One tenant; default: each.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """What is spent, reserved and left of the running UTC day and month."""
    from router.ledger.reads import usage
    from router.ledger.tenants import list_tenants

    with open_ledger(config) as opened:
        names = [name] if name is not None else [t.name for t in opened.read(list_tenants)]
        found = [opened.read(partial(usage, tenant=each)) for each in names]
    if as_json:
        _print(json.dumps(found))
        return
    for used in found:
        for period in (used["day"], used["month"]):
            limit, left = period["limit_usd"], period["left_usd"]
            rest = "no budget" if limit is None else f"{left:.6f} left of {limit:g}"
            _print(
                f"{used['tenant']:<20} {period['period']:<10}  spent USD {period['spent_usd']:.6f}"
                f"  reserved {period['reserved_usd']:.6f}  {rest}"
            )


def _changed(
    was: "Tenant",
    daily: str | None,
    monthly: str | None,
    rpm: str | None,
    tpm: str | None,
    store: bool | None,
) -> "Tenant":
    out = was if store is None else replace(was, stores_prompts=store)
    named = (("daily_usd", "--daily-usd", daily), ("monthly_usd", "--monthly-usd", monthly))
    for field, option, text in named:
        out = out if text is None else replace(out, **{field: _number(option, text, float)})
    for field, option, text in (
        ("requests_per_minute", "--rpm", rpm),
        ("tokens_per_minute", "--tpm", tpm),
    ):
        out = out if text is None else replace(out, **{field: _number(option, text, int)})
    return out


def _number(option: str, text: str, kind: type[int] | type[float]) -> Any:
    if text.lower() == "none":
        return None
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"{option}: a number or none, not {text!r}") from None


def _show_tenants(found: "list[Tenant]", as_json: bool) -> None:
    if as_json:
        _print(json.dumps([asdict(tenant) for tenant in found]))
        return
    for t in found:
        _print(
            f"{t.name:<20} a day {_limit(t.daily_usd, 'USD ')}, a month "
            f"{_limit(t.monthly_usd, 'USD ')}; a minute {_limit(t.requests_per_minute)} requests, "
            f"{_limit(t.tokens_per_minute)} tokens; texts {'' if t.stores_prompts else 'not '}kept"
        )


def _limit(value: float | None, unit: str = "") -> str:
    return "any" if value is None else f"{unit}{value:g}"


# -- keys ---------------------------------------------------------------------------


@keys.command("create")
def keys_create(
    tenant: Annotated[str, typer.Option(help="Whose key.")],
    name: Annotated[str, typer.Option(help="What it is for; people tell keys apart by it.")],
    expires: Annotated[
        str | None, typer.Option(help="UTC day or time, ISO 8601; or days from now, as 90d.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Make a key. It is printed this once; the ledger keeps its hash."""
    from router.ledger.tenants import create_key

    until = None if expires is None else _moment(expires)
    with open_ledger(config) as opened:
        key, row = opened.run(lambda c: create_key(c, tenant, name, until))
    if as_json:
        _print(json.dumps({"key": key, **asdict(row)}))
        return
    _print(key)
    until_said = "" if row.expires is None else f", until {row.expires[:19]} UTC"
    sys.stderr.write(f"key {row.id} of {tenant}{until_said}; it is not shown again\n")


@keys.command("list")
def keys_list(
    tenant: Annotated[str | None, typer.Option(help="Whose; default: all.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Keys by id, prefix and name, the oldest first."""
    from router.ledger.tenants import list_keys, read_tenant

    with open_ledger(config) as opened:
        if tenant is not None:
            opened.read(lambda c: read_tenant(c, tenant))
        found = opened.read(lambda c: list_keys(c, tenant))
    if as_json:
        _print(json.dumps([asdict(key) for key in found]))
        return
    for key in found:
        state = f"expires {key.expires[:19]}" if key.expires else "no expiry"
        state = f"REVOKED {key.revoked[:19]}" if key.revoked else state
        _print(f"{key.id}  {key.prefix}...  {key.tenant:<20} {state:<28} {key.name}")


@keys.command("revoke")
def keys_revoke(
    which: Annotated[str, typer.Argument(help="The key's id or prefix, see `ockham keys list`.")],
    config: ConfigOption = None,
) -> None:
    """End a key. Running gateways refuse it within ledger.key_cache_s."""
    from router.ledger.tenants import revoke_key

    settings = load_settings(config)
    with open_ledger(config) as opened:
        row = opened.run(lambda c: revoke_key(c, which))
    _print(
        f"key {row.id} of {row.tenant} is revoked; gateways refuse it within "
        f"{settings.ledger.key_cache_s:g} s"
    )


# -- ledger -------------------------------------------------------------------------


@ledger.command("migrate")
def ledger_migrate(config: ConfigOption = None) -> None:
    """Bring the tables up to date. Safe while others run it, or serve."""
    from router.ledger.database import open_database
    from router.ledger.migrate import is_current, migrate

    database = open_database(load_settings(config).ledger)
    try:
        was = is_current(database)
        migrate(database)
    finally:
        database.close()
    _print(f"{database.name}: {'is' if was else 'brought'} up to date")


@ledger.command("stats")
def ledger_stats(
    since: Annotated[str | None, typer.Option(help="From this UTC time on; or 7d.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Counts and sums over all tenants."""
    from router.ledger.reads import stats

    start = None if since is None else _moment(since, back=True)
    with open_ledger(config) as opened:
        found = {"ledger": opened.database.name, **opened.read(lambda c: stats(c, start))}
    if as_json:
        _print(json.dumps(found))
        return
    counts = ", ".join(f"{n} {name}" for name, n in sorted(found["requests"].items()))
    _print(f"{found['ledger']}\nrequests: {counts or 'none'}; USD {found['cost_usd']:.6f}")
    for row in found["attempts"]:
        _print(
            f"attempts {row['state']}, {row['basis'] or 'not billed yet'}: {row['count']}, "
            f"USD {row['usd']:.6f}"
        )
    told = ", ".join(f"{n} from {source}" for source, n in sorted(found["labels"].items()))
    _print(f"labels: {told or 'none'}")


@ledger.command("sweep")
def ledger_sweep(config: ConfigOption = None) -> None:
    """Take expired reserves as spent now, and give up the requests that left them."""
    from router.ledger.leases import sweep
    from router.ledger.money import now

    with open_ledger(config) as opened:
        swept = opened.run(lambda c: sweep(c, now()), "the sweep")
    _print(f"{swept.leases} reserves taken as spent, {swept.requests} requests lost")


@ledger.command("export")
def ledger_export(
    out: Annotated[Path, typer.Argument(help="Folder to write; a bare name: a stored set.")],
    since: Annotated[str | None, typer.Option(help="From this UTC time on; or 7d.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant only.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write the traffic as an outcome table that `ockham replay --source OUT` reads."""
    from router.ledger.export import export
    from router.ledger.tenants import read_tenant
    from router.outcomes import write_outcomes

    settings = load_settings(config)
    start = None if since is None else _moment(since, back=True)
    with open_ledger(config) as opened:
        if tenant is not None:
            opened.read(lambda c: read_tenant(c, tenant))
        made = opened.read(lambda c: export(c, settings, since=start, tenant=tenant))
    place = write_outcomes(made.outcomes, out, made.beside)
    told = made.outcomes.about
    _print(f"wrote {place}: {told['requests']} requests, {told['labelled']} labelled rows")


def _moment(text: str, back: bool = False) -> datetime:
    """A UTC moment; `90d` counts days from now, ahead or back."""
    from datetime import timedelta

    if text.endswith("d") and text[:-1].isdigit():
        days = timedelta(days=int(text[:-1]))
        return datetime.now(UTC) - days if back else datetime.now(UTC) + days
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is no time such as 2026-11-23, 2026-11-23T12:00 or 7d"
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
