"""The spans of a request: their shape, their parent, and what they never hold."""

import json
import subprocess
import sys
from itertools import pairwise

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from router.telemetry.tracing import Tracing

from .conftest import SECRET_ANSWER, SECRET_PROMPT

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = PARENT[:-1] + "0"


def spans(ended, traceparent=None, sample=1.0, **more):
    exporter = InMemorySpanExporter()
    tracing = Tracing(None, {}, sample, exporter)
    tracing.see(ended(**more), traceparent)
    tracing.close()
    return exporter.get_finished_spans()


def test_one_span_a_step_under_the_requests(ended):
    *steps, request = spans(ended)
    assert [s.name for s in steps] == [
        "ockham.classify", "ockham.decide", "chat hosted_vllm/fake-large", "ockham.verify",
        "ockham.decide",
    ]  # fmt: skip
    assert request.name == "chat ockham" and request.parent is None
    assert {s.parent.span_id for s in steps} == {request.context.span_id}
    assert all(a.end_time <= b.start_time for a, b in pairwise(steps))
    assert request.end_time - request.start_time == 2_000_000_000
    said = request.attributes
    assert said["gen_ai.usage.output_tokens"] > 0 and said["ockham.tenant"] == "acme"
    assert steps[2].attributes["ockham.tokens_basis"] == "reported"


def test_a_callers_trace_is_continued_and_its_decision_holds(ended):
    *_, request = spans(ended, PARENT, sample=0.0)
    assert f"{request.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]
    assert spans(ended, NOT_SAMPLED) == ()
    assert len(spans(ended, "rubbish")) == 6
    assert spans(ended, sample=0.0) == ()


def test_a_failure_is_an_error(ended):
    ends = {"status": 503, "ending": "failed", "error": "no_answer"}
    (request,) = spans(ended, answer=None, trace=None, **ends)
    assert request.status.status_code is StatusCode.ERROR
    assert request.attributes["error.type"] == "no_answer"


def test_a_failed_request_has_its_steps_too(failed):
    *steps, request = spans(lambda: failed)
    assert request.status.status_code is StatusCode.ERROR
    assert request.attributes["ockham.policy"] == "always-small@1"
    (call,) = [s for s in steps if s.name.startswith("chat ")]
    assert call.status.status_code is StatusCode.ERROR
    assert call.parent.span_id == request.context.span_id


def test_no_text_of_the_request(ended):
    text = json.dumps([json.loads(s.to_json()) for s in spans(ended)])
    assert "ockham.reasons" in text
    for hidden in (SECRET_PROMPT, SECRET_ANSWER, "zanzibar", "fake-key", "key-1"):
        assert hidden not in text


def test_nothing_is_imported_when_off():
    code = (
        "import sys; import router, router.telemetry.tracing, router.telemetry.logs, router.config;"
        "sys.exit(any(m.startswith('opentelemetry') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
