"""The metrics of routing: arrays in, numbers out; one family a file."""

from eval.metrics.calibration import auroc, auroc_statistic, brier, ece
from eval.metrics.curves import apgr, cost_apgr, cpt, oracle_score, pgr_curve
from eval.metrics.pair import PairCurve, PgrCurve
from eval.metrics.picks import (
    Regret,
    optimal_cost,
    optimal_pick_share,
    optimal_picks,
    oracle_cost_ratio,
    regret,
    robustness,
)
from eval.metrics.points import (
    Aiq,
    Hull,
    accuracy_at_budget,
    aiq,
    cost_at_accuracy,
    hull,
    routerarena_score,
)
from eval.metrics.routellm import RouteLLMPoints, apgr_routellm, cpt_routellm, routellm_points

__all__ = [
    "Aiq",
    "Hull",
    "PairCurve",
    "PgrCurve",
    "Regret",
    "RouteLLMPoints",
    "accuracy_at_budget",
    "aiq",
    "apgr",
    "apgr_routellm",
    "auroc",
    "auroc_statistic",
    "brier",
    "cost_apgr",
    "cost_at_accuracy",
    "cpt",
    "cpt_routellm",
    "ece",
    "hull",
    "optimal_cost",
    "optimal_pick_share",
    "optimal_picks",
    "oracle_cost_ratio",
    "oracle_score",
    "pgr_curve",
    "regret",
    "robustness",
    "routellm_points",
    "routerarena_score",
]
