"""The vocabulary of deciding: cases in, choices out, arrays only.

Own policy: subclass `Policy`, decorate with `register`, name it in the configuration.
"""

from policies.always import AlwaysLarge, AlwaysSmall
from policies.case import (
    NEEDS,
    STOP,
    Arm,
    AttemptBlock,
    CaseBatch,
    ChoiceBatch,
    Need,
    Outcome,
    PolicyError,
)
from policies.policy import (
    Needs,
    Policy,
    available_policies,
    best_attempt,
    choose_from,
    create,
    first_open,
    register,
)
from policies.random import Random
from policies.text_logistic import TextLogistic
from policies.threshold import PromptLength, ThresholdPolicy, VerifiabilityThreshold
from policies.verifiability import Verifiability

__all__ = [
    "NEEDS",
    "STOP",
    "AlwaysLarge",
    "AlwaysSmall",
    "Arm",
    "AttemptBlock",
    "CaseBatch",
    "ChoiceBatch",
    "Need",
    "Needs",
    "Outcome",
    "Policy",
    "PolicyError",
    "PromptLength",
    "Random",
    "TextLogistic",
    "ThresholdPolicy",
    "Verifiability",
    "VerifiabilityThreshold",
    "available_policies",
    "best_attempt",
    "choose_from",
    "create",
    "first_open",
    "register",
]
