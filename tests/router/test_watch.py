"""The running router's alarms: what they count, when they ring, where they show."""

import logging

import pytest

from policies.alarms import ShareAlarm
from router import ConfigError
from router.config import load_settings
from router.state import Signals
from router.watch import Watch, WatchSettings, calibrated_share

MATH = "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."


class Served:
    """As much of an answer as a watch reads."""

    def __init__(self, route, verifiability=0.5):
        self.route = route
        self.signals = Signals(
            verifiability=verifiability,
            knowledge_demand=0.5,
            domains={"math": 1.0},
            chars=1,
            featuriser="f",
        )


def watch(**more):
    facts = {"calibrate": 20, "window": 20, "every": 100, **more}
    return Watch(WatchSettings(**facts), frozenset({"large", "large+index"}))


def feed(w, n, route=("small",), values=None):
    for i in range(n):
        w.see(Served(route, i % 10 / 10 if values is None else values[i % len(values)]))


def test_the_first_requests_calibrate_and_an_escalation_is_a_large_call():
    w = watch()
    feed(w, 5, ("small", "large"))
    feed(w, 14)
    assert w.report() == {"requests": 19, "alarms": [], "calibrating": 1}
    feed(w, 1)
    assert w.report() == {"requests": 20, "alarms": [], "calibrated_share": 5.5 / 21}


def test_a_stated_share_is_not_measured():
    w = watch(share=0.4)
    feed(w, 20)
    assert w.report()["calibrated_share"] == 0.4


def test_the_share_alarm_is_that_of_the_policies(caplog):
    """Request by request, the same as the pure alarm over the requests after the first 20."""
    w = watch(share=0.3)
    feed(w, 20)
    with caplog.at_level(logging.WARNING, "router.watch"):
        feed(w, 60, ("large+index",))
    pure = ShareAlarm(share=0.3, every=100).update([True] * 60)
    assert pure.raised
    said = f"has left 0.300 (request {pure.raised_at + 20})"
    assert [said in alarm for alarm in w.report()["alarms"]] == [True]
    assert sum(said in r.getMessage() for r in caplog.records) == 1


def test_the_score_alarm_rings_on_another_distribution_and_not_on_the_same(caplog):
    facts = {"calibrate": 400, "window": 200, "share": 0.01, "every": 1e9}
    same = watch(**facts)
    feed(same, 2000)
    assert same.report()["alarms"] == []
    moved = watch(**facts)
    feed(moved, 400)
    with caplog.at_level(logging.WARNING, "router.watch"):
        feed(moved, 400, values=[0.8, 0.9])
    (said,) = moved.report()["alarms"]
    assert said.startswith("the distribution of verifiability") and said.endswith("(request 600)")
    assert [r.getMessage() for r in caplog.records] == [said]


def test_another_signal_can_be_watched():
    w = watch(score="knowledge_demand", calibrate=400, window=200, share=0.01, every=1e9)
    feed(w, 400)
    feed(w, 400, values=[0.8, 0.9])
    assert w.report()["alarms"] == [], "knowledge demand never moved"


def test_a_share_of_nothing_can_be_watched():
    assert calibrated_share(0, 499) == 0.001 and calibrated_share(499, 499) == 0.999


def test_it_is_off_unless_configured(make_router, fake_model):
    assert make_router(fake_model).watch is None


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"shares": 0.3}, "watch.shares: unknown key"),
        ({"share": 1.0}, "watch.share"),
        ({"score": "length"}, "watch.score"),
    ],
)
def test_a_wrong_key_is_named(clean_env, section, said):
    with pytest.raises(ConfigError, match=said):
        load_settings(watch=section)


def test_the_router_feeds_it_its_own_policys_answers_alone(
    make_router, fake_model, other_fake_model
):
    fake_model.answer = other_fake_model.answer = lambda _: RIGHT
    router = make_router(fake_model, other_fake_model, watch={"share": 0.2})
    assert router.ask(MATH).route == ("small",)
    router.ask(MATH, policy="always-large")
    assert router.watch.report()["requests"] == 1


def test_the_gateway_shows_it(make_router, fake_model):
    from starlette.testclient import TestClient

    from router.gateway.app import create_app

    with TestClient(create_app(make_router(fake_model)), base_url="http://localhost") as client:
        assert client.get("/health").json() == {"status": "ok"}
    watched = make_router(fake_model, watch={"calibrate": 20})
    with TestClient(create_app(watched), base_url="http://localhost") as client:
        body = client.get("/health").json()
    assert body == {"status": "ok", "watch": {"requests": 0, "alarms": [], "calibrating": 20}}


@pytest.mark.parametrize("key", ["every", "shift", "share", "alpha"])
def test_an_endless_number_is_refused_before_a_request_meets_it(key, tmp_path, monkeypatch):
    """The alarms refuse it too, but they are made while somebody waits for an answer."""
    path = tmp_path / "own.yaml"
    path.write_text(f"watch: {{{key}: .inf}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"watch.{key}"):
        load_settings(path)


@pytest.mark.parametrize("key", ["window", "calibrate"])
def test_what_a_watch_keeps_in_memory_is_bounded(key):
    with pytest.raises(ValueError, match=key):
        WatchSettings(**{key: 20_001})


def test_a_watch_holds_no_more_than_a_window_after_its_calibration():
    w = watch(window=30)
    feed(w, 20 + 30 * 4 + 29)
    assert (w._first, len(w._score.pending)) == ([], 29)
