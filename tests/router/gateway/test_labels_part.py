"""Labels behind the real gateway: a drawn answer is audited, and the status says what is known."""

import time

import httpx

from tests.router.conftest import fake_settings

from .test_money import get, post, tenant_with_key

ASK = {"model": "ockham/always-small", "messages": [{"role": "user", "content": "What is x in 7?"}]}
SAID = "The answer is \\boxed{7}."


def test_an_answer_is_audited_behind_the_callers_back(serve, fake_model, other_fake_model):
    fake_model.answer = other_fake_model.answer = lambda _: SAID
    served = serve(fake_model, other_fake_model, audits={"share": 1.0, "uncertain_weight": 1.0})
    answered = httpx.post(f"{served.url}/v1/chat/completions", json=ASK, timeout=30)
    assert answered.raise_for_status().json()["ockham"]["route"] == ["small"]
    trace = answered.json()["ockham"]["trace_id"]
    for _ in range(300):
        told = httpx.get(f"{served.url}/ockham/traces/{trace}", timeout=30).json()
        if any(one["score"] is not None for one in told["labels"]):
            break
        time.sleep(0.05)
    (label,) = told["labels"]
    assert (label["source"], label["arm"], label["score"]) == ("audit", "small", 1.0)
    assert label["probability"] == 1.0 and label["cost_usd"] > 0
    status = httpx.get(f"{served.url}/ockham/status", timeout=30).json()["labels"]
    assert status["audits"]["usage"]["day"]["spent_usd"] > 0
    assert status["bound"]["least"] == 59


def test_a_model_that_was_named_is_not_audited(serve, fake_model, other_fake_model):
    fake_model.answer = other_fake_model.answer = lambda _: SAID
    served = serve(fake_model, other_fake_model, audits={"share": 1.0, "uncertain_weight": 1.0})
    idents = [post(served, {**ASK, "model": m}).json()["ockham"]["trace_id"]
              for m in ("small", ASK["model"])]  # fmt: skip
    for _ in range(300):
        named, routed = (get(served, f"/ockham/traces/{one}").json()["labels"] for one in idents)
        if routed:
            break
        time.sleep(0.05)
    assert routed and not named


def test_a_tenant_sees_its_own_feedback_and_nobodys_spending(serve, fake_model, other_fake_model):
    fake_model.answer = other_fake_model.answer = lambda _: SAID
    served = serve(fake_model, other_fake_model, audits={"share": 1.0, "uncertain_weight": 1.0})
    ours, theirs = tenant_with_key(served, "ours"), tenant_with_key(served, "theirs")
    ident = post(served, ASK, ours).json()["ockham"]["trace_id"]
    label = {"trace_id": ident, "rating": 0.25}
    post(served, label, ours, "/ockham/feedback").raise_for_status()
    own = get(served, "/ockham/status", ours).json()["labels"]
    assert (own["feedback"]["labels"], own["feedback"]["mean"]) == (1, 0.25)
    told = get(served, "/ockham/status", theirs).json()["labels"]
    assert (told["feedback"]["labels"], told["feedback"]["mean"]) == (0, None)
    assert told["audits"] == {"share": 1.0} and told["shadow"] == {"share": 0.0}
    assert told["bound"]["least"] == 59, "the promise is to all"


def test_with_audits_off_the_status_says_that_nothing_is_monitored(serve, fake_model):
    status = httpx.get(f"{serve(fake_model).url}/ockham/status", timeout=30).json()["labels"]
    assert status["bound"]["said"].startswith("no labels: bound not monitored; 59 error-free")


def test_a_replaced_router_is_closed_when_its_last_audit_has_ended(
    serve, fake_model, other_fake_model
):
    fake_model.answer = other_fake_model.answer = lambda _: SAID
    audits = {"audits": {"share": 1.0, "uncertain_weight": 1.0}}
    following = {**audits, "gateway": {"admin_key": "an-admin-key-of-ours"}}
    served = serve(
        fake_model, other_fake_model, **following,
        load=lambda: fake_settings(fake_model, other_fake_model, following),
    )  # fmt: skip
    other_fake_model.mode = "hang"
    httpx.post(f"{served.url}/v1/chat/completions", json=ASK, timeout=30).raise_for_status()
    while len(other_fake_model.requests) < 2:  # the health check, then the audit
        time.sleep(0.01)
    signed = {"authorization": "Bearer an-admin-key-of-ours"}
    reload = httpx.post(f"{served.url}/ockham/reload", headers=signed, timeout=30)
    assert reload.raise_for_status().json()["generation"] == 2
    assert served.gateway._retiring, "the audit runs on it"
    other_fake_model.hung_up.set()
    for _ in range(200):
        if not served.gateway._retiring:
            break
        time.sleep(0.05)
    assert not served.gateway._retiring
