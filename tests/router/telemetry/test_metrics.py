"""What Prometheus is told: right counts, bounded labels, no text of a request."""

from prometheus_client.parser import text_string_to_metric_families

from router.ledger.records import Principal
from router.telemetry.metrics import Metrics

from .conftest import SECRET_ANSWER, SECRET_PROMPT


def samples(metrics):
    text = metrics.text().decode()
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def value(metrics, name, **labels):
    return samples(metrics)[name, tuple(sorted(labels.items()))]


def test_a_request_is_counted_with_its_tokens_and_its_usd(ended):
    metrics, seen = Metrics(10), ended()
    metrics.see(seen)
    metrics.see(seen)
    answer = seen.answer
    told = {
        "endpoint": "chat", "status": "200", "ending": "answered", "policy": answer.trace.policy,
        "arm": "small", "verdict": answer.verdict.status,
    }  # fmt: skip
    assert value(metrics, "ockham_requests_total", **told) == 2
    of = {"arm": "small", "basis": "reported"}
    tokens = value(metrics, "ockham_tokens_total", kind="completion", **of)
    assert tokens == 2 * answer.completion_tokens > 0
    assert value(metrics, "ockham_usd_total", **of) == 2 * answer.cost_usd > 0
    assert value(metrics, "ockham_tenant_usd_total", tenant="acme") == 2 * answer.cost_usd
    assert value(metrics, "ockham_first_token_seconds_count", endpoint="chat") == 2
    assert value(metrics, "ockham_queue_seconds_sum") == 1.0


def test_a_failed_request_has_no_arm_and_no_cost(ended):
    metrics = Metrics(10)
    metrics.see(
        ended(
            answer=None, trace=None, bills=(), status=503, ending="failed",
            first_token_seconds=None,
        )
    )  # fmt: skip
    told = {"endpoint": "chat", "status": "503", "ending": "failed"}
    none = {"policy": "", "arm": "", "verdict": ""}
    assert value(metrics, "ockham_requests_total", **told, **none) == 1
    assert "ockham_tenant_usd_total{" not in metrics.text().decode()


def test_what_a_failed_request_tried_and_cost_is_counted(failed):
    metrics = Metrics(10)
    metrics.see(failed)
    told = {"endpoint": "chat", "status": "503", "ending": "failed", "arm": "", "verdict": ""}
    assert value(metrics, "ockham_requests_total", policy="always-small@1", **told) == 1
    assert value(metrics, "ockham_upstream_errors_total", arm="small") == 1
    assert value(metrics, "ockham_usd_total", arm="small", basis="estimated") == 0.25
    assert value(metrics, "ockham_tenant_usd_total", tenant="acme") == 0.25


def test_tenants_beyond_the_bound_are_one_label(ended):
    metrics = Metrics(2)
    for i in range(5):
        metrics.see(ended(principal=Principal(f"t{i}", None)))
        metrics.budget(f"t{i}", {"day": 1.0})
    tenants = {dict(k[1])["tenant"] for k in samples(metrics) if k[0] == "ockham_tenant_usd_total"}
    assert tenants == {"t0", "t1", "other"}
    assert ("ockham_budget_left_usd", (("period", "day"), ("tenant", "t4"))) not in samples(metrics)


def test_neither_ids_nor_texts_get_in(ended):
    metrics = Metrics(10)
    metrics.see(ended(id="deadbeefcafe"))
    text = metrics.text().decode()
    for hidden in ("deadbeefcafe", "key-1", SECRET_PROMPT, SECRET_ANSWER, "zanzibar"):
        assert hidden not in text


def test_gauges_are_read_when_they_are_asked_for():
    metrics, depth = Metrics(1), [3]
    metrics.watch("queue_depth", "Requests that wait.", lambda: depth[0])
    assert value(metrics, "ockham_queue_depth") == 3
    depth[0] = 5
    assert value(metrics, "ockham_queue_depth") == 5


def test_alarms_are_gauges():
    metrics = Metrics(1)
    metrics.alarms({"burn": True, "bound": False})
    assert value(metrics, "ockham_alarm", alarm="burn") == 1
    assert value(metrics, "ockham_alarm", alarm="bound") == 0
