"""A reload is validated first and swapped whole; what runs ends on what it began with."""

import threading

import httpx
import pytest

from router.errors import ConfigError, InputError
from router.gateway.gateway import Gateway
from router.gateway.parts import Part
from tests.router.conftest import fake_settings

ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hello there!"}]}
ADMIN = {"admin_key": "an-admin-key-of-ours"}
SIGNED = {"authorization": "Bearer an-admin-key-of-ours"}


@pytest.fixture
def reloaded(serve, fake_model, other_fake_model):
    """A gateway, and what its configuration says at the next reload."""
    following = {"gateway": ADMIN}

    def load():
        if "broken" in following:
            raise ConfigError("policy: unknown policy 'x'")
        return fake_settings(fake_model, other_fake_model, following)

    return serve(fake_model, other_fake_model, gateway=ADMIN, load=load), following


def ask(served, **kwargs):
    return httpx.post(f"{served.url}/v1/chat/completions", json=ASK, timeout=30, **kwargs)


def reload(served, headers=SIGNED):
    return httpx.post(f"{served.url}/ockham/reload", headers=headers, timeout=30)


def test_another_policy_takes_over_without_new_models(reloaded):
    served, following = reloaded
    assert ask(served).headers["x-ockham-route"] == "small"
    models = served.gateway.router.models
    following["policy"] = {"name": "always-large"}
    following["audits"] = {"at_once": 2}
    told = reload(served).json()
    assert (told["generation"], told["policy"]) == (2, "always-large")
    assert ask(served).headers["x-ockham-route"] == "large"
    assert served.gateway.router.models is models


def test_only_the_operator_may(reloaded):
    served, _ = reloaded
    assert reload(served, {}).status_code == 401
    assert reload(served, {"authorization": "Bearer wrong"}).status_code == 401


def test_a_bad_configuration_changes_nothing(reloaded):
    served, following = reloaded
    following["broken"] = True
    response = reload(served)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_configuration"
    assert served.gateway.generation.number == 1 and ask(served).status_code == 200


def test_what_only_a_restart_can_change_is_named(reloaded):
    served, following = reloaded
    following["gateway"] = {**ADMIN, "max_queue": 3}
    following["telemetry"] = {"most_tenants": 3}
    assert "gateway.max_queue, telemetry: cannot" in reload(served).json()["error"]["message"]


def test_keys_change_at_once(reloaded):
    served, following = reloaded
    following["gateway"] = {**ADMIN, "api_keys": ["new-key"]}
    assert reload(served).status_code == 200
    assert ask(served).status_code == 401
    assert ask(served, headers={"authorization": "Bearer new-key"}).status_code == 200


def test_a_running_request_ends_on_the_old_one(reloaded, fake_model):
    served, following = reloaded
    fake_model.mode = "slow"
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(served)))
    asking.start()
    while not served.gateway.running:
        pass
    following["policy"] = {"name": "always-large"}
    assert reload(served).status_code == 200
    asking.join(30)
    assert answers[0].json()["ockham"]["policy"].startswith("verifiability@")
    assert served.gateway.generation.number == 2


async def test_a_part_that_does_not_start_leaves_nothing_open(make_router, fake_model):
    stopped = []

    class Broken(Part):
        async def start(self, gateway):
            raise ConfigError("no such exporter")

        async def stop(self):
            stopped.append(True)

    router = make_router(fake_model)
    gateway = Gateway(router, parts=[Broken()])
    with pytest.raises(ConfigError, match="no such exporter"):
        await gateway.open()
    assert stopped
    with pytest.raises(InputError, match="not open"):
        _ = router.models


def test_a_longer_time_limit_holds_for_the_leases_too(reloaded):
    served, following = reloaded
    before = served.gateway.ledger._lease_s
    following["limits"] = {"timeout_s": 600}
    assert reload(served).status_code == 200
    assert served.gateway.ledger._lease_s > max(before, 600)
