"""The metrics of routing: arrays in, numbers out; one family a file."""

from eval.metrics.curves import apgr, cost_apgr, cpt, oracle_score, pgr_curve
from eval.metrics.pair import PairCurve, PgrCurve
from eval.metrics.routellm import RouteLLMPoints, apgr_routellm, cpt_routellm, routellm_points

__all__ = [
    "PairCurve",
    "PgrCurve",
    "RouteLLMPoints",
    "apgr",
    "apgr_routellm",
    "cost_apgr",
    "cpt",
    "cpt_routellm",
    "oracle_score",
    "pgr_curve",
    "routellm_points",
]
