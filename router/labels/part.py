"""Labels in the gateway: told of every answer, shown in `GET /ockham/status`.

After a reload new answers are drawn under the new configuration; a background run uses the
router of the moment, which is not closed before the run has ended.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from router.errors import OckhamError
from router.facade import Router
from router.gateway.parts import Finished, Part
from router.labels.labels import Labels

if TYPE_CHECKING:
    from router.gateway.gateway import Gateway

__all__ = ["LabelsPart"]

_log = logging.getLogger(__name__)
ENDPOINTS = frozenset({"chat", "responses"})
"""Whose answers are audited."""


class LabelsPart(Part):
    """One `Labels` for the gateway's process."""

    name: ClassVar[str] = "labels"

    def __init__(self) -> None:
        self._gateway: Gateway | None = None
        self._labels: Labels | None = None
        self._generation = 0

    async def start(self, gateway: "Gateway") -> None:
        made = gateway.generation

        @asynccontextmanager
        async def using() -> AsyncIterator[Router]:
            held = gateway.generation
            held.users += 1
            try:
                yield held.router
            finally:
                held.leave()

        self._gateway, self._generation = gateway, made.number
        self._labels = Labels(made.settings, made.router.policy, gateway.ledger, using)
        await self._labels.open()

    async def stop(self) -> None:
        if self._labels is not None:
            await self._labels.close()

    def finished(self, request: Finished) -> None:
        labels, gateway = self._labels, self._gateway
        if labels is None or gateway is None or request.endpoint not in ENDPOINTS:
            return
        if gateway.generation.number != self._generation:
            made = gateway.generation
            self._generation = made.number
            labels.use(made.settings, made.router.policy)
        if request.answer is not None and request.query is not None and not gateway.draining:
            labels.offer(request.query, request.answer)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The broken bound, in words."""
        return self._labels.alarms if self._labels is not None else ()

    async def status(self, tenant: str) -> dict[str, Any] | None:
        """The bound, and the tenant's own feedback; what audits spend is the operator's."""
        if self._labels is None or self._gateway is None:
            return None
        try:
            operator = await self._gateway.all_operate()
            return await self._labels.status(None if operator else tenant)
        except OckhamError as error:
            _log.warning("the labels could not be read: %s", type(error).__name__)
            return {"error": "the labels cannot be read now"}
