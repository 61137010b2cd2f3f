"""Who may spend: keys that are told once, tenants on the command line, labels."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.errors import InputError
from router.ledger import commands, tenant_commands, tenants
from router.ledger.ledger import Ledger
from router.ledger.money import nano, now, periods_of, usd
from router.ledger.records import Closing

from .conftest import bytes_of, start


def run(app: Any, *arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None:
        raise done.exception
    return done.stdout


async def test_a_key_is_known_until_it_is_revoked_and_only_its_hash_is_kept(
    open_ledger, tmp_path: Path
):
    ledger: Ledger = open_ledger(key_cache_s=0)
    wanted = tenants.Tenant("acme", requests_per_minute=60, stores_prompts=True)
    ledger.run(lambda c: tenants.add_tenant(c, wanted))
    key, row = ledger.run(lambda c: tenants.create_key(c, "acme", "backend"))
    who = await ledger.authenticate(key)
    assert who is not None and (who.tenant, who.key) == ("acme", row.id)
    assert who.stores_prompts and who.requests_per_minute == 60 and who.tokens_per_minute is None
    assert await ledger.authenticate(key[:-1]) is None and await ledger.authenticate("") is None
    ledger.run(lambda c: tenants.revoke_key(c, row.prefix))
    assert await ledger.authenticate(key) is None
    ledger.close()
    held = bytes_of(tmp_path)
    assert row.prefix.encode() in held and key.encode() not in held


async def test_a_key_is_believed_for_some_seconds_and_expires(open_ledger):
    ledger: Ledger = open_ledger(key_cache_s=60)
    key, row = ledger.run(lambda c: tenants.create_key(c, "default", "x"))
    assert await ledger.authenticate(key) is not None
    ledger.run(lambda c: tenants.revoke_key(c, row.id))
    assert await ledger.authenticate(key) is not None
    soon = now() + timedelta(seconds=0.2)
    short, _ = ledger.run(lambda c: tenants.create_key(c, "default", "y", soon))
    await asyncio.sleep(0.3)
    assert await ledger.authenticate(short) is None


async def test_keys_of_the_configuration_belong_to_the_tenant_default(open_ledger):
    ledger: Ledger = open_ledger(api_keys=["first", "second"])
    who = await ledger.authenticate("second")
    assert who is not None and (who.tenant, who.key) == ("default", "config-1")
    nobody = await ledger.anonymous()
    assert (nobody.tenant, nobody.key) == ("default", None)


def test_tenants_and_keys_on_the_command_line(clean_env, tmp_path: Path):
    run(tenant_commands.tenants, "add", "acme", "--daily-usd", "5", "--rpm", "60")
    run(tenant_commands.tenants, "set", "acme", "--monthly-usd", "50", "--store-prompts")
    found = json.loads(run(tenant_commands.tenants, "list", "--json"))
    acme = next(t for t in found if t["name"] == "acme")
    assert (acme["daily_usd"], acme["monthly_usd"], acme["requests_per_minute"]) == (5, 50, 60)
    assert acme["stores_prompts"] and {t["name"] for t in found} == {"acme", "default"}
    run(tenant_commands.tenants, "set", "acme", "--daily-usd", "none", "--no-store-prompts")
    assert "a day any, a month USD 50" in run(tenant_commands.tenants, "list")
    used = json.loads(run(tenant_commands.tenants, "usage", "acme", "--json"))[0]
    assert used["day"]["limit_usd"] is None and used["month"]["left_usd"] == 50
    assert "no budget" in run(tenant_commands.tenants, "usage")
    made = run(commands.keys, "create", "--tenant", "acme", "--name", "backend", "--expires", "90d")
    key = made.splitlines()[0]
    assert key.startswith("ockham-") and len(key) == 50
    listed = run(commands.keys, "list", "--tenant", "acme")
    assert key not in listed and key[:13] in listed and "expires" in listed
    assert "is revoked" in run(commands.keys, "revoke", key[:13])
    assert "REVOKED" in run(commands.keys, "list")
    assert "up to date" in run(commands.ledger, "migrate")
    assert "requests: none" in run(commands.ledger, "stats")
    assert "0 reserves" in run(commands.ledger, "sweep")
    assert (tmp_path / "data" / "ledger.sqlite").exists()


async def test_the_sweep_command_tells_what_was_swept(open_ledger, tmp_path: Path, monkeypatch):
    ledger: Ledger = open_ledger(lease_grace_s=0, limits={"timeout_s": 0.01})
    who = await ledger.anonymous()
    for i in range(2):
        assert await ledger.book(who, start(f"r{i}")).reserve("large", 0.1) is not None
    ledger.close()
    await asyncio.sleep(0.05)
    monkeypatch.setenv("OCKHAM_LEDGER__URL", f"sqlite:///{tmp_path}/ledger.sqlite")
    said = run(commands.ledger, "sweep")
    assert "2 reserves taken as spent, 2 requests lost" in said
    assert "0 reserves" in run(commands.ledger, "sweep")


CREATE = ("create", "--tenant", "default", "--name", "x")


@pytest.mark.parametrize(
    ("app", "arguments", "said"),
    [
        (tenant_commands.tenants, ["add", "default"], "is there already"),
        (tenant_commands.tenants, ["add", "a b"], "a name is 1 to 64"),
        (tenant_commands.tenants, ["add", "audits"], "audits.max_usd_per_day"),
        (tenant_commands.tenants, ["set", "shadow", "--rpm", "1"], "shadow.max_usd_per_day"),
        (tenant_commands.tenants, ["add", "a", "--daily-usd", "-1"], "at least 0"),
        (tenant_commands.tenants, ["add", "a", "--daily-usd", "nan"], "at least 0"),
        (tenant_commands.tenants, ["add", "a", "--daily-usd", "many"], "a number or none"),
        (tenant_commands.tenants, ["add", "a", "--rpm", "0"], "at least 1"),
        (tenant_commands.tenants, ["set", "nobody", "--rpm", "1"], "nobody'; there are: default"),
        (tenant_commands.tenants, ["usage", "nobody"], "no tenant"),
        (commands.keys, ["create", "--tenant", "nobody", "--name", "x"], "no tenant"),
        (commands.keys, [*CREATE, "--expires", "soon"], "is no time"),
        (commands.keys, [*CREATE, "--expires", "2020-01-01"], "has passed"),
        (commands.keys, ["revoke", "x"], "no key has"),
        (commands.ledger, ["export", "x", "--tenant", "nobody"], "no tenant"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named(clean_env, app, arguments, said):
    with pytest.raises(InputError, match=said):
        run(app, *arguments)


async def test_a_second_label_replaces_the_first_and_is_counted(ledger: Ledger, tenant):
    booking = ledger.book(tenant(), start())
    await booking.close(Closing("failed", 503))
    with pytest.raises(InputError, match="gave no answer"):
        await ledger.label("r1", source="feedback", score=1.0)
    assert await ledger.label("none", source="feedback", score=1.0) is None
    for score in (1.0, 0.0):
        made = await ledger.label(
            "r1", source="feedback", score=score, arm="small", tenant="acme", meta={"n": score}
        )
    await ledger.label("r1", source="audit", score=None, arm="small", probability=0.1)
    assert made is not None and (made.score, made.changes, made.meta) == (0.0, 1, {"n": 0.0})
    found = await ledger.labels(tenant="acme")
    assert [(one.source, one.score, one.probability) for one in found] == [
        ("feedback", 0.0, 1.0), ("audit", None, 0.1),
    ]  # fmt: skip
    assert [one.source for one in await ledger.labels(source="audit")] == ["audit"]
    assert await ledger.labels(since=now()) == []
    for wrong in ({"score": 1.5}, {"score": 1, "probability": 0}, {"score": float("nan")}):
        with pytest.raises(InputError):
            await ledger.label("r1", source="feedback", arm="small", **wrong)


def test_money_is_exact_and_rounded_up():
    assert nano(0.1) == 100_000_000 and nano(1e-9) == 1 and nano(1.2e-9) == 2 and nano(0) == 0
    assert nano(0.1) * 3 == nano(0.3) and usd(nano(12.345678901)) == 12.345678901
    assert periods_of(now())[0] < periods_of(now())[1]
