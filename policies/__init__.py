"""The vocabulary of deciding: cases in, choices out, arrays only.

Own policy: subclass `Policy`, decorate with `register`, name it in the configuration.
"""

from policies.always import AlwaysLarge, AlwaysSmall
from policies.answer_gain import AnswerGain
from policies.carrot import Carrot
from policies.cascade_routing import CascadeRouting
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
    Shadowed,
)
from policies.check_cascade import CheckCascade
from policies.conformal import ConformalGate
from policies.cost_cap import CostCap
from policies.explore import Explore
from policies.form_logistic import FormLogistic
from policies.irt import Irt
from policies.kernel_logistic import KernelLogistic
from policies.knn import Knn
from policies.knn_gain import KnnGain
from policies.logprob_cascade import LogprobCascade
from policies.matrix_factorisation import MatrixFactorisation
from policies.online import Feedback, OnlinePolicy
from policies.only import OnlyArm
from policies.paced import PacedBandit, PaceState
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
from policies.retrieval_value import KnowingArm, RetrievalValue
from policies.self_consistency import SelfConsistency
from policies.shadow import Shadow
from policies.sticky import Sticky
from policies.text_logistic import TextLogistic
from policies.threshold import PromptLength, ThresholdPolicy, VerifiabilityThreshold
from policies.utility import FittedArm, UtilityPolicy
from policies.verifiability import Verifiability

__all__ = [
    "NEEDS",
    "STOP",
    "AlwaysLarge",
    "AlwaysSmall",
    "AnswerGain",
    "Arm",
    "AttemptBlock",
    "Carrot",
    "CascadeRouting",
    "CaseBatch",
    "CheckCascade",
    "ChoiceBatch",
    "ConformalGate",
    "CostCap",
    "Explore",
    "Feedback",
    "FittedArm",
    "FormLogistic",
    "Irt",
    "KernelLogistic",
    "Knn",
    "KnnGain",
    "KnowingArm",
    "LogprobCascade",
    "MatrixFactorisation",
    "Need",
    "Needs",
    "OnlinePolicy",
    "OnlyArm",
    "Outcome",
    "PaceState",
    "PacedBandit",
    "Policy",
    "PolicyError",
    "PromptLength",
    "Random",
    "RetrievalValue",
    "SelfConsistency",
    "Shadow",
    "Shadowed",
    "Sticky",
    "TextLogistic",
    "ThresholdPolicy",
    "UtilityPolicy",
    "Verifiability",
    "VerifiabilityThreshold",
    "available_policies",
    "best_attempt",
    "choose_from",
    "create",
    "first_open",
    "register",
]
