"""One registry of alarms: raised once, over once, and a source that breaks is one too."""

import logging

from router.telemetry.alarms import Alarm, Alarms, Spending, burning


def test_an_alarm_is_logged_when_it_begins_and_when_it_ends(caplog):
    alarms, wrong = Alarms(), [Alarm("small answers everything")]
    alarms.add("collapse", lambda: wrong)
    alarms.add("bound", lambda: ())
    with caplog.at_level(logging.WARNING):
        assert alarms.look() == {"collapse": True, "bound": False}
        since = alarms.report("acme")[0]["since"]
        alarms.look()
        assert [r["what"] for r in alarms.report("acme")] == [wrong[0].what]
        assert alarms.report("acme")[0]["since"] == since
        wrong.clear()
        assert alarms.look() == {"collapse": False, "bound": False}
    assert [r.getMessage() for r in caplog.records] == [
        "alarm collapse: small answers everything",
        "alarm collapse is over: small answers everything",
    ]
    assert alarms.report("acme") == []


def test_a_source_that_breaks_is_an_alarm():
    alarms = Alarms()
    alarms.add("burn", lambda: [1 / 0])
    assert alarms.look() == {"burn": True}
    assert "ZeroDivisionError" in alarms.report("acme")[0]["what"]


def spent(usd, passed, limit=10.0):
    return Spending("acme", "day", usd, limit, passed)


def test_a_budget_burns_where_it_is_spent_faster_than_its_period_passes():
    assert burning([spent(6.0, 0.25)], pace=1.5, share=0.25)
    assert not burning([spent(3.0, 0.25)], pace=1.5, share=0.25)
    assert not burning([spent(2.0, 0.01)], pace=1.5, share=0.25), "a burst is no alarm yet"
    assert not burning([spent(0.0, 0.5, limit=0.0)], pace=1.5, share=0.25)


def test_an_alarm_that_goes_on_says_the_same_words():
    assert burning([spent(6.1, 0.21)], 1.5, 0.25) == burning([spent(6.4, 0.22)], 1.5, 0.25)


def test_a_tenants_alarm_is_told_to_that_tenant_alone():
    alarms = Alarms()
    alarms.add("burn", lambda: burning([spent(6.0, 0.25)], 1.5, 0.25))
    alarms.look()
    assert "acme" in alarms.report("acme")[0]["what"]
    assert alarms.report("globex") == []
