"""Wrapped policies from the configuration, on the real graph: the cap, the shadow, the draws."""

import json

import pytest
import yaml

from eval.play import play
from policies import AlwaysSmall, CostCap, Explore
from router import ConfigError
from router.config import make_policy
from router.explain import route_json, route_text
from router.presets import write_preset

from ..eval.hand import table_by_hand  # noqa: TID252  tests are no package

MATH = "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."


@pytest.fixture
def configured(make_router, monkeypatch, tmp_path, fake_model, other_fake_model):
    """A router whose `policy` section is this, on two fakes."""

    def make(section):
        fake_model.answer = other_fake_model.answer = lambda _: RIGHT
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump({"policy": section}), encoding="utf-8")
        monkeypatch.setenv("OCKHAM_CONFIG", str(path))
        return make_router(fake_model, other_fake_model)

    return make


def capped(cap):
    shadow = {"inner": "always-large", "shadow": {"name": "random", "params": {"large_share": 0}}}
    return {
        "name": "cost-cap",
        "params": {"cap": cap, "inner": {"name": "shadow", "params": shadow}},
    }


def test_the_cap_and_the_shadow_serve_and_stand_in_the_trace(
    configured, fake_model, other_fake_model
):
    wide = configured(capped(1.0))
    _, decision = wide.route(MATH)
    small, large = (decision.arms[name].worst_cost_usd for name in ("small", "large"))
    assert small < large
    answer = wide.ask(MATH)
    assert answer.route == ("large",)
    first = next(s.decision for s in answer.trace.steps if s.decision)
    (seen,) = first.shadow
    assert (seen.policy, seen.arm) == ("random", "small")
    assert seen.reasons == ("drawn at random: small",)
    assert "in the shadow random -> small (not run)" in route_text(answer.signals, first)
    assert json.loads(json.dumps(route_json(answer.signals, first)))["shadow"][0]["arm"] == "small"
    probe = 1
    assert len(other_fake_model.requests) == probe + 1 and len(fake_model.requests) == probe
    assert answer.cost_usd == sum(s.attempt.cost_usd for s in answer.trace.steps if s.attempt)


def test_between_the_worst_cases_only_the_small_arm_fits(configured):
    router = configured(capped(0.01))
    _, decision = router.route(MATH)
    small, large = (decision.arms[name].worst_cost_usd for name in ("small", "large"))
    assert small < 0.01 < large
    answer = router.ask(MATH)
    assert answer.route == ("small",)
    said = next(s.decision for s in answer.trace.steps if s.decision).reasons
    assert any("may cost at most USD 0.01: an arm was left out" in why for why in said)
    assert answer.cost_usd <= 0.01


def test_the_recorded_probability_is_exact_live(configured):
    section = {"name": "explore", "params": {"epsilon": 0.3, "inner": "always-large"}}
    _, decision = configured(section).route(MATH)
    chances = {name: arm.probability for name, arm in decision.arms.items()}
    runs = [name for name, arm in decision.arms.items() if arm.available]
    assert sum(chances.values()) == pytest.approx(1)
    assert chances["large"] == pytest.approx(0.7 + 0.3 / len(runs))
    assert chances["small"] == pytest.approx(0.3 / len(runs))


def test_a_preset_can_be_wrapped_and_a_wrapper_can_be_a_preset(tmp_path):
    inner = tmp_path / "inner.json"
    write_preset(inner, AlwaysSmall(), {"fitted_on": 0})
    policy = make_policy("cost-cap", {"cap": 0.5, "inner": str(inner)})
    assert policy == CostCap(cap=0.5, inner=AlwaysSmall())
    named = make_policy("explore", {"inner": {"name": str(inner)}})
    assert named == Explore(inner=AlwaysSmall())
    outer = tmp_path / "outer.json"
    write_preset(outer, policy, {"fitted_on": 0})
    loaded = make_policy(str(outer))
    assert loaded == policy
    # On recorded outcomes the mean cost of an arm is what is known of its worst.
    table = table_by_hand([1, 1], [1, 1], cost=(0.1, 0.9))
    dear = make_policy("cost-cap", {"cap": 0.5, "inner": "always-large"})
    assert play(dear, table, table.cost.mean(axis=0)).tried[:, 0].tolist() == [0, 0]
    wide = make_policy("cost-cap", {"cap": 0.9, "inner": "always-large"})
    assert play(wide, table, table.cost.mean(axis=0)).tried[:, 0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"cap": 1, "inner": "nowhere.json"}, "nowhere.json cannot be read"),
        ({"cap": 1, "inner": {"name": "randm"}}, "unknown policy 'randm'"),
        ({"cap": 1, "inner": {"name": "random", "param": {}}}, "unknown key 'param'"),
        ({"cap": 1, "inner": {"name": "random", "params": [1]}}, "params of a policy inside"),
    ],
)
def test_what_is_wrong_inside_is_named(params, said):
    with pytest.raises(ConfigError, match=said):
        make_policy("cost-cap", params)
