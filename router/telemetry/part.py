"""Telemetry as a part of the gateway: fed by finished requests, read at GET /metrics.

Every `EVERY_S` seconds it asks the ledger what the tenants that were seen have left, and those
whose budget burns, and all alarms whether they are raised.
"""

import asyncio
import calendar
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from router.gateway.errors import Refused
from router.gateway.parts import Finished, Part
from router.telemetry.alarms import Alarm, Alarms, Spending, burning
from router.telemetry.logs import log_access
from router.telemetry.metrics import Metrics
from router.telemetry.settings import TelemetrySettings

if TYPE_CHECKING:
    from router.gateway.exchange import Exchange
    from router.gateway.gateway import Gateway
    from router.gateway.openapi import Operation
    from router.telemetry.tracing import Tracing

__all__ = ["TelemetryPart"]

_LOG = logging.getLogger(__name__)
EVERY_S = 15.0
PUBLISH_S = 1.0
"""How old what one worker tells of another's queue may be."""


class TelemetryPart(Part):
    """Metrics, traces, the access line, alarms."""

    name: ClassVar[str] = "telemetry"

    def __init__(self) -> None:
        self._own = TelemetrySettings()
        self._metrics = Metrics(self._own.most_tenants)
        self._tracing: Tracing | None = None
        self._alarms = Alarms()
        self._spendings: dict[tuple[str, str], Spending] = {}
        self._seen: set[str] = set()
        self._day: date | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, gateway: "Gateway") -> None:
        """Read the settings, name what is watched, begin to look."""
        self._own = own = gateway.generation.settings.telemetry
        self._metrics = Metrics(own.most_tenants)
        if own.otlp_endpoint is not None:
            from router.telemetry.tracing import Tracing

            headers = {name: secret.get_secret_value() for name, secret in own.otlp_headers.items()}
            self._tracing = Tracing(own.otlp_endpoint, headers, own.otlp_sample)
        places = gateway.places
        watch = self._metrics.watch
        watch("in_flight", "Requests that run.", lambda: float(places.running))
        watch("queue_depth", "Requests that wait for a place.", lambda: float(places.waiting))
        watch("ledger_backlog", "Changes that wait to be written.",
              lambda: float(gateway.ledger.backlog))  # fmt: skip
        watch("tasks", "asyncio's tasks.", lambda: float(len(asyncio.all_tasks())))
        self._alarms.add("collapse", lambda: _of_watch(gateway))
        self._alarms.add("bound", lambda: _of_parts(gateway))
        self._alarms.add("burn", self._burning)
        self._tasks.append(asyncio.create_task(self._keep_looking(gateway)))
        if self._metrics.shared:
            self._tasks.append(asyncio.create_task(self._keep_publishing()))

    async def stop(self) -> None:
        """Stop looking; send the last spans."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)

    def finished(self, request: Finished) -> None:
        """Count, trace and log it. Never raises: the client has its answer."""
        try:
            self._seen.add(request.principal.tenant)
            self._metrics.see(request)
            log_access(request)
            if self._tracing is not None:
                self._tracing.see(request, request.traceparent)
        except Exception:
            _LOG.exception("telemetry of request %s failed", request.id)

    def operations(self) -> "Sequence[Operation]":
        """GET /metrics."""
        from router.gateway.answers import Free
        from router.gateway.openapi import Operation

        return (
            Operation(
                "GET", "/metrics", self._answer_metrics, "Prometheus metrics (admin key).",
                Free, name="metrics", errors=(403, 404), content="text/plain",
            ),
        )  # fmt: skip

    async def status(self, tenant: str) -> dict[str, Any]:
        """The alarms that a tenant may know of."""
        self._alarms.look()
        return {"alarms": self._alarms.report(tenant)}

    async def _answer_metrics(self, exchange: "Exchange") -> None:
        if not self._own.metrics:
            raise Refused(404, "telemetry.metrics is off", "not_found")
        if not self._own.metrics_open:
            await _check_reader(exchange)
        headers = [(b"content-type", self._metrics.content_type.encode())]
        await exchange.send_bytes(self._metrics.text(), 200, headers)

    async def _keep_looking(self, gateway: "Gateway") -> None:
        while True:
            try:
                await self.look(gateway)
            except Exception as error:  # a ledger that is gone is told by /ready
                _LOG.warning("alarms could not be looked at: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)

    async def _keep_publishing(self) -> None:
        while True:
            self._metrics.publish()
            await asyncio.sleep(PUBLISH_S)

    async def look(self, gateway: "Gateway") -> None:
        """Read the budgets that may have changed, and ask all alarms."""
        now = datetime.now(UTC)
        for tenant in sorted(self._due(now.date())):
            self._seen.discard(tenant)
            self._see_usage(tenant, await gateway.ledger.usage(tenant), now)
        self._day = now.date()
        self._metrics.alarms(self._alarms.look())

    def _due(self, today: date) -> set[str]:
        """Who was seen; whose budget burns, so that the alarm ends when it should; on a new day
        everybody."""
        burns = {alarm.tenant for alarm in self._burning() if alarm.tenant is not None}
        known = {tenant for tenant, _ in self._spendings} if today != self._day else set()
        return self._seen | burns | known

    def _see_usage(self, tenant: str, used: Mapping[str, Any], now: datetime) -> None:
        left = {}
        for period in ("day", "month"):
            told = used[period]
            if told["limit_usd"] is None:
                self._spendings.pop((tenant, period), None)
                continue
            left[period] = told["left_usd"]
            self._spendings[tenant, period] = Spending(
                tenant, period, told["spent_usd"], told["limit_usd"], _passed(period, now)
            )
        self._metrics.budget(tenant, left)

    def _burning(self) -> list[Alarm]:
        own = self._own
        return burning(self._spendings.values(), own.burn_pace, own.burn_share)


async def _check_reader(exchange: "Exchange") -> None:
    """The operator's key; without keys, on loopback, anybody here. Raises `Refused`."""
    gateway = exchange.gateway
    if gateway.generation.settings.gateway.admin_key is not None:
        gateway.check_admin(exchange.headers)
    elif (await gateway.authenticate(exchange.headers)).key is not None:
        # A tenant's key must not read what others spend.
        raise Refused(403, "set gateway.admin_key, or telemetry.metrics_open", "admin_closed")


def _of_watch(gateway: "Gateway") -> list[Alarm]:
    watch = gateway.router.watch
    return [] if watch is None else [Alarm(said) for said in watch.report()["alarms"]]


def _of_parts(gateway: "Gateway") -> list[Alarm]:
    return [Alarm(said) for part in gateway.parts for said in part.alarms]


def _passed(period: str, now: datetime) -> float:
    """The share of the UTC day or month that is over."""
    day = (now.hour * 3600 + now.minute * 60 + now.second) / 86400
    if period == "day":
        return day
    return (now.day - 1 + day) / calendar.monthrange(now.year, now.month)[1]
