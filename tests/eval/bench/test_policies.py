"""The policy bench covers both registries and times real decisions. No time is asserted."""

import json
from dataclasses import fields

import numpy as np
import pytest
from typer.testing import CliRunner

from eval.bench import policies as bench
from eval.bench.commands import app
from eval.bench.live_shaped import WIDTHS, built, live_cases, one_case, training
from eval.fit import fitted
from policies.case import CaseBatch
from policies.policy import available_policies, register
from policies.random import Random
from router.errors import InputError

TABLE = 200


def test_every_name_of_both_registries_is_there() -> None:
    assert set(bench.to_measure(TABLE)) == {*available_policies(), *bench.fits()}


OURS = sorted(n for n in {*available_policies(), *bench.fits()} if not n.startswith("test"))
"""Other tests register policies of their own."""


@pytest.mark.parametrize("name", OURS)
def test_each_is_made_and_decides_a_batch_and_one_case(name: str) -> None:
    policy = bench.to_measure(TABLE)[name]()
    for cases in (
        live_cases(50),
        built(one_case()),
        built(one_case(tried=True)),
    ):
        choice = policy.choose(cases)
        choice.check(cases)
        new = ~cases.tried.any(axis=1)
        assert (choice.arm[new] >= 0).all(), "a new request is not stopped"


def test_a_registry_of_its_own_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(_: object) -> Random:
        return Random()

    monkeypatch.setattr(fitted, "LATER", {"later": made}, raising=False)
    assert bench.fits()["later"] is made and "later" in bench.to_measure(TABLE)
    assert isinstance(bench.to_measure(TABLE)["later"](), Random)


def test_half_of_the_batch_has_an_answer() -> None:
    assert live_cases(6).tried.tolist() == [[False] * 4, [True, False, False, False]] * 3


def test_what_needs_parameters_that_nobody_knows_is_listed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(Random):
        name = "test-needy"
        knob: float

    register(Own)
    try:
        made = list(bench.bench_policies(20, 1, TABLE, ("test-needy", "random")))
    finally:
        from policies.policy import _REGISTRY

        _REGISTRY.pop("test-needy")
    assert [m.policy for m in made] == ["reference: a comparison", "test-needy", "random"]
    assert "knob: Field required" in made[1].why_not and not made[1].met
    assert not made[2].why_not and made[2].per_second > 0 and made[2].one_ms > 0


def test_one_case_is_that_of_the_live_router() -> None:
    case = built(one_case())
    assert len(case) == 1 and len(case.arms) == 4
    assert {b.dtype for b in case.features.values()} == {np.dtype(np.float64)}
    assert set(case.features) == {*WIDTHS, "terms"}
    assert {f.name for f in fields(CaseBatch)} >= {"row_key", "attempts"}


def test_a_learned_rule_finds_what_is_in_the_made_up_table() -> None:
    """Else its vocabulary could be empty and the bench would time nothing."""
    policy = bench.fits()["text-logistic"](training(1000))
    assert len(policy.buckets) > 500


def test_the_command_says_who_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    args = ["policies", "--runs", "1", "--rows", "100", "--labels", "60", "--only", "random"]
    monkeypatch.setattr(bench, "BAR_MS", 1e9)
    monkeypatch.setattr(bench, "BAR_PER_SECOND", 0.0)
    done = CliRunner().invoke(app, [*args, "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["missed"] == []
    monkeypatch.setattr(bench, "BAR_MS", 0.0)
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 1
    assert "missed by: reference: a comparison, random" in done.stdout and "load" in done.stdout


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(InputError, match="no policy 'randm'"):
        list(bench.bench_policies(10, 1, TABLE, ("randm",)))
