"""Prometheus metrics of the gateway.

Labels are bounded: endpoints, statuses, policies, arms, verdicts and bases come from the code and
the configuration, tenants up to `telemetry.most_tenants`. Never an id, a model that a client
made up, a prompt.

Several workers count in files of one folder, `PROMETHEUS_MULTIPROC_DIR`, which prometheus_client
adds up: whichever of them is asked tells of all. What it says of the process (memory, garbage)
is left out then.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.gc_collector import GCCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from router.purse import Bills
from router.samples import AttemptStatus
from router.state import Answer, Step
from router.telemetry.seen import Seen, policy_of

__all__ = ["FOLDER", "Metrics"]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's variable, read when it is first imported."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """One registry a process. Fed from its event loop alone.

    `shared`: other workers count with it, so `publish` has to be called now and then.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, most_tenants: int) -> None:
        self._most, self._tenants = most_tenants, set[str]()
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self.shared = FOLDER in os.environ
        self.registry = made = CollectorRegistry()
        ProcessCollector(registry=made)
        PlatformCollector(registry=made)
        GCCollector(registry=made)
        self._requests = Counter(
            "ockham_requests", "Requests that have ended.",
            ("endpoint", "status", "ending", "policy", "arm", "verdict"), registry=made,
        )  # fmt: skip
        self._seconds = Histogram(
            "ockham_request_seconds", "From arrival to the end.", ("endpoint", "stream"),
            buckets=_SECONDS, registry=made,
        )  # fmt: skip
        self._first = Histogram(
            "ockham_first_token_seconds", "From arrival to the first token of the answer.",
            ("endpoint",), buckets=_SECONDS, registry=made,
        )  # fmt: skip
        self._waited = Histogram(
            "ockham_queue_seconds", "Waiting for a place.", buckets=_SECONDS, registry=made
        )
        self._own = Histogram(
            "ockham_own_seconds", "A run outside its model calls.", buckets=_SECONDS, registry=made
        )
        self._tokens = Counter(
            "ockham_tokens", "Tokens of attempts.", ("arm", "kind", "basis"), registry=made
        )
        self._usd = Counter(
            "ockham_usd", "USD that requests were charged with, however they ended.",
            ("arm", "basis"), registry=made,
        )  # fmt: skip
        self._tenant_usd = Counter(
            "ockham_tenant_usd", "The same by tenant.", ("tenant",), registry=made
        )
        self._saved = Gauge(
            "ockham_saved_usd_estimate",
            "Since the start, against one call of the reference model each; an estimate, and "
            "negative where routing cost more.", registry=made, multiprocess_mode="sum",
        )  # fmt: skip
        self._failures = Counter(
            "ockham_upstream_errors", "Attempts whose call failed.", ("arm",), registry=made
        )
        self._left = Gauge(
            "ockham_budget_left_usd", "What a tenant may still spend.", ("tenant", "period"),
            registry=made, multiprocess_mode="mostrecent",
        )  # fmt: skip
        self._alarm = Gauge(
            "ockham_alarm", "1 while the alarm is raised.", ("alarm",), registry=made,
            multiprocess_mode="livemax",
        )  # fmt: skip

    def watch(self, name: str, what: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for: queue depth, requests in flight, lag."""
        gauge = Gauge(f"ockham_{name}", what, registry=self.registry, multiprocess_mode="livesum")
        self._watched.append((gauge, read))

    def publish(self) -> None:
        """Read what is watched, for whoever asks: another worker, perhaps."""
        for gauge, read in self._watched:
            gauge.set(read())

    def see(self, seen: Seen) -> None:
        """Count a finished request."""
        answer = seen.answer
        self._requests.labels(
            seen.endpoint, str(seen.status), seen.ending, policy_of(seen),
            answer.arm if answer else "", answer.verdict.status if answer else "",
        ).inc()  # fmt: skip
        self._seconds.labels(seen.endpoint, str(seen.stream).lower()).observe(seen.seconds)
        self._waited.observe(seen.waited_seconds)
        if seen.first_token_seconds is not None:
            self._first.labels(seen.endpoint).observe(seen.first_token_seconds)
        self._see_bills(seen.bills, self.tenant(seen.principal.tenant))
        if seen.trace is not None:
            self._see_steps(seen.trace.steps)
        if answer is not None:
            self._see_answer(answer)

    def _see_bills(self, bills: Bills, tenant: str) -> None:
        for arm, bill in bills:
            self._usd.labels(arm, bill.basis).inc(bill.usd)
            self._tenant_usd.labels(tenant).inc(bill.usd)

    def _see_answer(self, answer: Answer) -> None:
        self._own.observe(max(0.0, answer.trace.seconds - answer.trace.model_seconds))
        if answer.all_large_usd_estimate is not None:
            self._saved.inc(answer.all_large_usd_estimate - answer.cost_usd)

    def _see_steps(self, steps: Sequence[Step]) -> None:
        for step in steps:
            attempt = step.attempt
            if attempt is None:
                continue
            basis = attempt.tokens_basis
            self._tokens.labels(attempt.arm, "prompt", basis).inc(attempt.prompt_tokens)
            self._tokens.labels(attempt.arm, "completion", basis).inc(attempt.completion_tokens)
            if attempt.status is AttemptStatus.FAILED:
                self._failures.labels(attempt.arm).inc()

    def tenant(self, name: str) -> str:
        """The label of a tenant: its name, or `other` where there are too many."""
        if name not in self._tenants and len(self._tenants) >= self._most:
            return "other"
        self._tenants.add(name)
        return name

    def budget(self, tenant: str, left_usd: Mapping[str, float]) -> None:
        """What a tenant has left, by period (`day`, `month`)."""
        label = self.tenant(tenant)
        if label != "other":
            for period, usd in left_usd.items():
                self._left.labels(label, period).set(usd)

    def alarms(self, raised: Mapping[str, bool]) -> None:
        """Which alarms are raised, by kind."""
        for name, is_raised in raised.items():
            self._alarm.labels(name).set(float(is_raised))

    def text(self) -> bytes:
        """Prometheus's text format, of all workers."""
        self.publish()
        if not self.shared:
            return generate_latest(self.registry)
        everybody: Any = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)
