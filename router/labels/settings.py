"""The sections `audits` and `shadow` of the configuration."""

from pydantic import Field

from router.section import Section

__all__ = ["AuditSettings", "ShadowSettings"]


class _Runs(Section):
    """What both kinds of background runs are bounded by."""

    share: float = Field(default=0.0, ge=0, le=1)
    """Mean share of the answers that are run again; 0: none."""
    max_usd_per_day: float = Field(default=1.0, ge=0)
    """Cap a UTC day, held in the ledger for all replicas together."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    at_once: int = Field(default=2, ge=1, le=64)
    """Runs at the same time."""
    waiting: int = Field(default=64, ge=0)
    """Drawn and not yet running; beyond, no answer is drawn."""


class AuditSettings(_Runs):
    """Kept answers that the reference arm answers too, after the caller has had his."""

    reference: str = "large"
    """The arm that they are compared with."""
    uncertain_weight: float = Field(default=3.0, ge=1, le=100)
    """How much likelier an answer is drawn whose P(right) is 1/2 or unknown than a sure one."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Largest share of wrong kept answers, where the policy is no gate with its own."""
    delta: float = Field(default=0.05, gt=0, lt=1)
    """Probability with which what is said of that may be false; of a gate its own."""


class ShadowSettings(_Runs):
    """Choices of a shadow policy that are really run, and never answered with."""
