"""`ockham tenants`: who pays, and what they have left.

SQLAlchemy is imported when a command runs.
"""

import json
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from router.commands import ConfigOption, JsonOption
from router.errors import InputError
from router.ledger.opening import open_ledger, print_line

if TYPE_CHECKING:
    from router.ledger.tenants import Tenant

__all__ = ["tenants"]

tenants = typer.Typer(help="Who pays: budgets, rate limits, what is stored.", no_args_is_help=True)

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

    _not_a_purse(name)
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

    _not_a_purse(name)
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
        print_line(json.dumps(found))
        return
    for used in found:
        for period in (used["day"], used["month"]):
            limit, left = period["limit_usd"], period["left_usd"]
            rest = "no budget" if limit is None else f"{left:.6f} left of {limit:g}"
            print_line(
                f"{used['tenant']:<20} {period['period']:<10}  spent USD {period['spent_usd']:.6f}"
                f"  reserved {period['reserved_usd']:.6f}  {rest}"
            )


def _not_a_purse(name: str) -> None:
    """What is set of a purse here would be gone with the next start of a gateway."""
    from router.ledger.tenants import PURSES

    if name in PURSES.values():
        raise InputError(
            f"tenant {name!r} is the gateway's own purse: its budget is {name}.max_usd_per_day"
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
        print_line(json.dumps([asdict(tenant) for tenant in found]))
        return
    for t in found:
        print_line(
            f"{t.name:<20} a day {_limit(t.daily_usd, 'USD ')}, a month "
            f"{_limit(t.monthly_usd, 'USD ')}; a minute {_limit(t.requests_per_minute)} requests, "
            f"{_limit(t.tokens_per_minute)} tokens; texts {'' if t.stores_prompts else 'not '}kept"
        )


def _limit(value: float | None, unit: str = "") -> str:
    return "any" if value is None else f"{unit}{value:g}"
