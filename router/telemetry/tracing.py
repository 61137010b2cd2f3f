"""OpenTelemetry traces: one span a request, and one a step of its run, under it.

The spans are made from the finished trace, after the response has gone, so a request waits for
none of it. Names and attributes follow the GenAI semantic conventions. No prompt, no answer.
OpenTelemetry is imported by `Tracing` and by nothing else.
"""

import time
from collections.abc import Mapping
from typing import Any

from router.state import Attempt, Step
from router.telemetry.seen import Seen, policy_of

__all__ = ["Tracing"]

_NAMES = {"classify": "ockham.classify", "retrieve": "ockham.retrieve", "decide": "ockham.decide",
          "verify": "ockham.verify"}  # fmt: skip


class Tracing:
    """Sends spans to a collector, or to any `exporter`.

    Args:
        sample: share of the traces that are sent, where the caller has not decided.
    """

    def __init__(
        self,
        endpoint: str | None,
        headers: Mapping[str, str],
        sample: float,
        exporter: Any = None,
    ) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "ockham"}),
            sampler=ParentBased(TraceIdRatioBased(sample)),
            shutdown_on_exit=False,
        )
        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            sender = OTLPSpanExporter(endpoint=endpoint, headers=dict(headers), timeout=10)
            self._provider.add_span_processor(BatchSpanProcessor(sender))
        else:
            self._provider.add_span_processor(SimpleSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("ockham")
        self._propagator = TraceContextTextMapPropagator()

    def see(self, seen: Seen, traceparent: str | None = None) -> None:
        """Make the spans of a finished request; a sound `traceparent` is their parent."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        end = time.time_ns()
        start = end - int(seen.seconds * 1e9)
        parent = self._propagator.extract({"traceparent": traceparent} if traceparent else {})
        span = self._tracer.start_span(
            f"{seen.endpoint} ockham", context=parent, kind=SpanKind.SERVER,
            attributes=_request(seen), start_time=start,
        )  # fmt: skip
        if seen.status >= 500:
            span.set_status(Status(StatusCode.ERROR, seen.error or ""))
        if seen.trace is not None and span.is_recording():
            inside, at = set_span_in_context(span), start + int(seen.waited_seconds * 1e9)
            for step in seen.trace.steps:
                at = self._step(step, at, inside)
        span.end(end)

    def _step(self, step: Step, start: int, inside: Any) -> int:
        """One step's span; where the next one starts."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        end, attempt = start + int(step.seconds * 1e9), step.attempt
        if attempt is None:
            span = self._tracer.start_span(
                _NAMES.get(step.node, f"ockham.{step.node}"), context=inside,
                attributes=_attributes(step), start_time=start,
            )  # fmt: skip
        else:
            span = self._tracer.start_span(
                f"chat {attempt.model}", context=inside, kind=SpanKind.CLIENT,
                attributes=_call(attempt), start_time=start,
            )  # fmt: skip
            if attempt.error is not None:
                span.set_status(Status(StatusCode.ERROR, attempt.status))
        span.end(end)
        return end

    def close(self) -> None:
        """Send what is left, for at most some seconds."""
        self._provider.shutdown()


def _request(seen: Seen) -> dict[str, Any]:
    made: dict[str, Any] = {
        "gen_ai.operation.name": "embeddings" if seen.endpoint == "embeddings" else "chat",
        "gen_ai.provider.name": "ockham",
        "http.response.status_code": seen.status,
        "ockham.trace_id": seen.id,
        "ockham.tenant": seen.principal.tenant,
        "ockham.ending": seen.ending,
        "ockham.queued_seconds": seen.waited_seconds,
    }
    if seen.error is not None:
        made["error.type"] = seen.error
    if seen.trace is not None:
        made["ockham.policy"] = policy_of(seen)
    if seen.answer is not None:
        answer = seen.answer
        made |= {
            "gen_ai.response.model": answer.model,
            "gen_ai.usage.input_tokens": answer.prompt_tokens,
            "gen_ai.usage.output_tokens": answer.completion_tokens,
            "gen_ai.response.finish_reasons": (answer.finish,),
            "ockham.route": answer.route,
            "ockham.verdict": answer.verdict.status,
            "ockham.cost_usd": answer.cost_usd,
        }
    return made


def _attributes(step: Step) -> dict[str, Any]:
    if step.decision is not None:
        return {
            "ockham.policy": step.decision.policy,
            "ockham.arm": step.decision.arm or "stop",
            "ockham.reasons": step.decision.reasons,
        }
    if step.verdict is not None:
        return {"ockham.check": step.verdict.kind, "ockham.verdict": step.verdict.status}
    if step.lookup is not None:
        return {"ockham.passages": len(step.lookup.passages)}
    if step.broken is not None:
        return {"ockham.arm": step.broken, "ockham.broken": True}
    return {}


def _call(attempt: Attempt) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": attempt.model,
        "gen_ai.usage.input_tokens": attempt.prompt_tokens,
        "gen_ai.usage.output_tokens": attempt.completion_tokens,
        "ockham.arm": attempt.arm,
        "ockham.status": attempt.status,
        "ockham.cost_usd": attempt.cost_usd,
        "ockham.tokens_basis": attempt.tokens_basis,
    }
