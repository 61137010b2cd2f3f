"""`ockham keys` and `ockham ledger`: API keys, and the ledger's upkeep.

SQLAlchemy is imported when a command runs.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from router.commands import ConfigOption, JsonOption
from router.config import load_settings
from router.ledger.opening import moment, open_ledger, print_line

__all__ = ["keys", "ledger"]

keys = typer.Typer(help="API keys of tenants.", no_args_is_help=True)
ledger = typer.Typer(help="The record of requests, money and labels.", no_args_is_help=True)


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

    until = None if expires is None else moment(expires)
    with open_ledger(config) as opened:
        key, row = opened.run(lambda c: create_key(c, tenant, name, until))
    if as_json:
        print_line(json.dumps({"key": key, **asdict(row)}))
        return
    print_line(key)
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
        print_line(json.dumps([asdict(key) for key in found]))
        return
    for key in found:
        state = f"expires {key.expires[:19]}" if key.expires else "no expiry"
        state = f"REVOKED {key.revoked[:19]}" if key.revoked else state
        print_line(f"{key.id}  {key.prefix}...  {key.tenant:<20} {state:<28} {key.name}")


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
    print_line(
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
    print_line(f"{database.name}: {'is' if was else 'brought'} up to date")


@ledger.command("stats")
def ledger_stats(
    since: Annotated[str | None, typer.Option(help="From this UTC time on; or 7d.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Counts and sums over all tenants."""
    from router.ledger.reads import stats

    start = None if since is None else moment(since, back=True)
    with open_ledger(config) as opened:
        found = {"ledger": opened.database.name, **opened.read(lambda c: stats(c, start))}
    if as_json:
        print_line(json.dumps(found))
        return
    counts = ", ".join(f"{n} {name}" for name, n in sorted(found["requests"].items()))
    print_line(f"{found['ledger']}\nrequests: {counts or 'none'}; USD {found['cost_usd']:.6f}")
    for row in found["attempts"]:
        print_line(
            f"attempts {row['state']}, {row['basis'] or 'not billed yet'}: {row['count']}, "
            f"USD {row['usd']:.6f}"
        )
    told = ", ".join(f"{n} from {source}" for source, n in sorted(found["labels"].items()))
    print_line(f"labels: {told or 'none'}")


@ledger.command("sweep")
def ledger_sweep(config: ConfigOption = None) -> None:
    """Take expired reserves as spent now, and give up the requests that left them."""
    with open_ledger(config) as opened:
        swept = opened.sweep_all()
    print_line(f"{swept.leases} reserves taken as spent, {swept.requests} requests lost")


@ledger.command("prune")
def ledger_prune(
    before: Annotated[str, typer.Option(help="UTC day or time, ISO 8601; or 90d: older than.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, delete nothing.")] = False,
    config: ConfigOption = None,
) -> None:
    """Delete ended requests with their bills and labels. Budgets' sums stay; export first."""
    from router.ledger.prune import count_before, prune

    oldest_kept = moment(before, back=True)
    with open_ledger(config) as opened:
        found = opened.read(lambda c: count_before(c, oldest_kept))
        if dry_run:
            print_line(f"{found} requests would go")
            return
        gone = 0
        while batch := opened.run(lambda c: prune(c, oldest_kept)):
            gone += batch
            sys.stderr.write(f"\r{gone} of {found}")
    sys.stderr.write("\n" if gone else "")
    print_line(f"{gone} requests deleted")


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
    start = None if since is None else moment(since, back=True)
    with open_ledger(config) as opened:
        if tenant is not None:
            opened.read(lambda c: read_tenant(c, tenant))
        made = opened.read(lambda c: export(c, settings, since=start, tenant=tenant))
    place = write_outcomes(made.outcomes, out, made.beside)
    told = made.outcomes.about
    print_line(f"wrote {place}: {told['requests']} requests, {told['labelled']} labelled rows")
