"""Audits and shadow runs of a serving router: whom the lot falls on, and what has come of it.

`offer` is told of every answered request once its row is written; it returns at once and never
raises. What is drawn runs in the background (`router.labels.runs`).

    audit    answers of any arm but the reference; `kept`: no arm of the reference's tier was run
    shadow   answers whose shadow policy would first have run an arm that was not run

An answer has no chance of an audit (it is `uncovered`, and counted) while the day's purse is
empty or more runs wait than `waiting`: labels then speak for the other answers.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from policies import ConformalGate, Policy
from policies.wrapper import layers
from router.config import Settings
from router.errors import InputError, OckhamError
from router.labels.bound import Bound, bound_of
from router.labels.draw import Lot
from router.labels.runs import Job, Runs, Source, Using, cut_off, today
from router.ledger.ledger import Ledger
from router.ledger.tenants import PURSES, Tenant, add_tenant, list_tenants, set_tenant
from router.state import Answer, Query

__all__ = ["Labels", "gate_of", "policy_id"]

_log = logging.getLogger(__name__)
SHADOW_STREAM = 0x736861646F77
"""("shadow" in ASCII): the two lotteries are independent."""


class Labels:
    """The background labels of one process. Open it in the loop that it is used in."""

    def __init__(self, settings: Settings, policy: Policy, ledger: Ledger, using: Using) -> None:
        self._ledger = ledger
        self._runs: Mapping[Source, Runs] = {
            "audit": Runs(ledger, using, "audit", settings.audits.at_once),
            "shadow": Runs(ledger, using, "shadow", settings.shadow.at_once),
        }
        self.uncovered = 0
        """Answers that had no chance of an audit, in this process."""
        self.bound: Bound | None = None
        self._stale = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._capping: asyncio.Task[None] | None = None
        self.use(settings, policy)

    def use(self, settings: Settings, policy: Policy) -> None:
        """Serve under this configuration from now on; lotteries begin anew, `at_once` stays."""
        self.settings, self.policy = settings, policy
        self._policy_id, self._served = policy_id(policy), f"{policy.name}@{policy.version}"
        audits, shadow = settings.audits, settings.shadow
        self._lot = Lot(audits.share, audits.uncertain_weight, audits.seed)
        self._shadow_lot = Lot(shadow.share, 1.0, shadow.seed, SHADOW_STREAM)
        if self._watching is not None:  # a reload: the caps may have changed
            self._capping = asyncio.get_running_loop().create_task(self._cap_again())

    async def open(self) -> None:
        """Set the purses' daily caps in the ledger, and look at the labels there are."""
        await self.cap()
        self._stale.set()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def cap(self) -> None:
        """Write the daily caps of the settings into the ledger."""
        caps = {
            PURSES["audit"]: self.settings.audits,
            PURSES["shadow"]: self.settings.shadow,
        }
        for name, own in caps.items():
            if own.share > 0:
                await asyncio.to_thread(_set_purse, self._ledger, name, own.max_usd_per_day)

    async def _cap_again(self) -> None:
        try:
            await self.cap()
        except OckhamError as error:
            _log.error("the caps of the new configuration do not count yet: %s", error)

    async def close(self, timeout_s: float = 10.0) -> None:
        """Let running labels end, cut off what takes longer; the ledger must still be open."""
        await asyncio.gather(*(runs.drain(timeout_s) for runs in self._runs.values()))
        if self._capping is not None:
            await asyncio.wait({self._capping})
        if self._watching is not None:
            await cut_off({self._watching})

    # -- drawing --------------------------------------------------------------------

    def offer(self, query: Query, answer: Answer) -> None:
        """One answered request, after its answer was given and its row written."""
        if answer.trace.query.as_it_is:
            return  # its caller chose the model: nothing was promised of it
        try:
            self._offer_audit(query, answer)
            self._offer_shadow(query, answer)
        except Exception:
            _log.exception("a label was not drawn for request %s", answer.trace.id)

    def _offer_audit(self, query: Query, answer: Answer) -> None:
        own = self.settings.audits
        if own.share <= 0 or answer.arm == own.reference:
            return
        if not self._room("audit", own.at_once + own.waiting):
            self.uncovered += 1
            return
        draw = self._lot.draw(answer.trace.id, answer.verdict.confidence)
        if draw.drawn:
            meta = {
                "kept": self._kept(answer),
                "policy": answer.trace.policy,
                "rule": self._policy_id if answer.trace.policy == self._served else None,
                "reference": own.reference,
                "floor": draw.floor,
            }
            self._start(
                Job(query, answer, own.reference, answer.arm, "audit", draw.probability, meta)
            )

    def _offer_shadow(self, query: Query, answer: Answer) -> None:
        own = self.settings.shadow
        first = next((s.decision for s in answer.trace.steps if s.decision is not None), None)
        told = first.shadow if first is not None else ()
        chosen = next((c for c in told if c.arm is not None and c.arm not in answer.route), None)
        room = self._room("shadow", own.at_once + own.waiting)
        if own.share <= 0 or chosen is None or chosen.arm is None or not room:
            return
        draw = self._shadow_lot.draw(answer.trace.id, None)
        if draw.drawn:
            meta = {
                "policy": chosen.policy,
                "served": answer.arm,
                "reference": self.settings.audits.reference,
                "floor": draw.floor,
            }
            job = Job(query, answer, chosen.arm, chosen.arm, "shadow", draw.probability, meta)
            self._start(job)

    def _kept(self, answer: Answer) -> bool:
        """No arm of the reference's tier was run for it."""
        settings = self.settings
        tier = {name: settings.models[a.model].tier for name, a in settings.arms.items()}
        reference = tier.get(settings.audits.reference)
        return all(tier.get(arm) != reference for arm in answer.route)

    def _room(self, source: Source, most: int) -> bool:
        runs = self._runs[source]
        return runs.pending < most and runs.refused_on != today()

    def _start(self, job: Job) -> None:
        self._runs[job.source].start(job, self._stale.set)

    # -- what has come of it --------------------------------------------------------

    async def look(self) -> Bound:
        """The monitored bound by all labels in the ledger, of every replica."""
        found = await self._ledger.labels(source="audit")
        gate, rule = gate_of(self.policy), self._policy_id
        # In a thread: ten thousand labels take a tenth of a second.
        self.bound = await asyncio.to_thread(bound_of, found, self.settings.audits, gate, rule)
        return self.bound

    @property
    def alarms(self) -> tuple[str, ...]:
        """What has gone wrong, in words; as last seen."""
        return (self.bound.said,) if self.bound is not None and self.bound.state == "broken" else ()

    async def status(self, tenant: str | None = None) -> dict[str, Any]:
        """Plain data for `GET /ockham/status`, as the tenant may see it; None: the operator.

        The bound and its alarm speak of all tenants' answers: it is the gateway's promise to
        every one of them. Feedback is the tenant's own. Of audits and shadow runs a tenant is
        told the share; what they spend, and how many run, is the operator's (here, and by
        `ockham labels status`).
        """
        bound = await self.look()
        return {
            "bound": bound.told(),
            "alarms": list(self.alarms),
            "audits": await self._purse("audit", tenant is None),
            "shadow": await self._purse("shadow", tenant is None),
            "feedback": await feedback_of(self._ledger, tenant),
        }

    async def _purse(self, source: Source, whole: bool) -> dict[str, Any]:
        own = self.settings.audits if source == "audit" else self.settings.shadow
        made: dict[str, Any] = {"share": own.share}
        if not whole:
            return made
        made["max_usd_per_day"] = own.max_usd_per_day
        if own.share <= 0:
            return made
        usage = await self._ledger.usage(PURSES[source])
        made |= {"usage": usage, "running": self._runs[source].pending}
        return made | ({"uncovered": self.uncovered} if source == "audit" else {})

    async def _watch(self) -> None:
        """Look again after labels have come in; an alarm is logged once."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            was = self.bound
            try:
                now = await self.look()
            except OckhamError as error:
                _log.warning("the labels could not be read: %s", error)
            except Exception:
                _log.exception("the labels could not be read")
            else:
                if now.state == "broken" and (was is None or was.state != "broken"):
                    _log.warning("%s", now.said)
            await asyncio.sleep(_EVERY_S)


_EVERY_S = 5.0
"""Labels are read at most so often."""


async def feedback_of(ledger: Ledger, tenant: str | None = None) -> dict[str, Any]:
    """What callers said, reported apart: they chose to say it. `tenant` None: all of them."""
    told = await ledger.labels(source="feedback", tenant=tenant)
    scores = [one.score for one in told if one.score is not None]
    mean = sum(scores) / len(scores) if scores else None
    note = "self-selected: in no bound and no estimate"
    return {"labels": len(scores), "mean": mean, "note": note}


def gate_of(policy: Policy) -> ConformalGate | None:
    """The conformal gate under whatever wraps it."""
    rule = layers(policy)[-1]
    return rule if isinstance(rule, ConformalGate) else None


def policy_id(policy: Policy) -> str:
    """12 hex digits of the rule that serves, without wrappers: labels of another are not its."""
    state = json.dumps(layers(policy)[-1].to_state(), sort_keys=True)
    return sha256(state.encode()).hexdigest()[:12]


def _set_purse(ledger: Ledger, name: str, daily_usd: float) -> None:
    """Blocks. Another replica may have made it in the meantime."""
    tenant = Tenant(name, daily_usd=daily_usd)
    known = ledger.read(lambda c: {t.name for t in list_tenants(c)})
    if name not in known:
        try:
            ledger.run(lambda c: add_tenant(c, tenant), f"the purse {name}")
            return
        except InputError:
            pass
    ledger.run(lambda c: set_tenant(c, tenant), f"the purse {name}")
