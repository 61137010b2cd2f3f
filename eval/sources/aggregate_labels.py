"""Labels and guess floors of the model x benchmark means (`aggregates.py`), by benchmark name.

The same axes as `labels.py`, and MMLU's subjects are read from there. Only what is asked
closed-book, or can be checked from the question alone, has a label; the rest is None on both
axes and enters no fit. Written from the benchmarks' own descriptions and the harness's prompts,
before a score of these tables was seen.

Left without a label on purpose: totals over mixed subjects (`mmlu`, `mmlu_stem`, `mmlu_redux`,
`leaderboard_mmlu_pro`), whose parts stand beside them or are not given; `sciq` (the harness
prints the supporting passage); truthfulness, common sense and language (`truthfulqa`, `piqa`,
`winogrande`, `boolq`, ...). Of the fifteen ways in which one source asks GPQA one stands for all.
"""

import re
from typing import NamedTuple

from eval.sources.labels import MMLU_SUBJECTS

__all__ = ["Placed", "placed"]


class Placed(NamedTuple):
    """Where a benchmark stands: its axis, its options (1: nothing to guess), its questions."""

    axis: str
    """`verifiable` or `knowledge`."""
    options: int
    questions: int | None
    """As published; what the table itself says goes first."""


VERIFIABLE, KNOWLEDGE = "verifiable", "knowledge"
_MMLU = re.compile(r"(?:mmlu_|hendrycksTest-)(.+)")
_BBH = re.compile(r"(?:bbh_cot_fewshot_|leaderboard_bbh_)(.+)")
_ITEMS: dict[str, Placed] = {
    "gsm8k": Placed(VERIFIABLE, 1, 1319),
    "math_asdiv": Placed(VERIFIABLE, 1, 2305),
    "mathqa": Placed(VERIFIABLE, 5, 2985),
    "arc_challenge": Placed(KNOWLEDGE, 4, 1172),
    "arc_easy": Placed(KNOWLEDGE, 4, 2376),
    "openbookqa": Placed(KNOWLEDGE, 4, 500),
    "headqa_en": Placed(KNOWLEDGE, 4, 2742),
    "triviaqa": Placed(KNOWLEDGE, 1, 11313),
    "nq_open": Placed(KNOWLEDGE, 1, 3610),
    "webqs": Placed(KNOWLEDGE, 1, 2032),
    "simpleqa_9topics": Placed(KNOWLEDGE, 1, 3851),
    "gpqa_main_n_shot": Placed(KNOWLEDGE, 4, 448),
    "leaderboard_gpqa_main": Placed(KNOWLEDGE, 4, 448),
}
# Hendrycks' MATH: the whole test, or its hardest level under another prefix.
_MATH_PARTS = {
    "algebra": 1187,
    "counting_and_prob": 474,
    "geometry": 479,
    "intermediate_algebra": 903,
    "num_theory": 540,
    "prealgebra": 871,
    "precalc": 546,
}
_MATH = re.compile(r"(?:math_|MATH_|leaderboard_math_)(.+?)(?:ulus)?(?:_hard)?")
_ARITHMETIC = re.compile(r"arithmetic_\d\w+")
# BIG-Bench Hard: options of the parts whose answer can be worked out from the question.
_BBH_VERIFIABLE = {
    "boolean_expressions": 2,
    "date_understanding": 6,
    "dyck_languages": 1,
    "formal_fallacies": 2,
    "geometric_shapes": 10,
    "logical_deduction_five_objects": 5,
    "logical_deduction_seven_objects": 7,
    "logical_deduction_three_objects": 3,
    "multistep_arithmetic_two": 1,
    "navigate": 2,
    "object_counting": 1,
    "penguins_in_a_table": 5,
    "reasoning_about_colored_objects": 18,
    "temporal_sequences": 4,
    "tracking_shuffled_objects_five_objects": 5,
    "tracking_shuffled_objects_seven_objects": 7,
    "tracking_shuffled_objects_three_objects": 3,
    "web_of_lies": 2,
    "word_sorting": 1,
}
_BBH_KNOWLEDGE = {"sports_understanding": 2}  # who plays what stands in no prompt


def placed(benchmark: str) -> Placed | None:
    """Axis, options and size of a benchmark of the means; None: it enters no fit."""
    if benchmark in _ITEMS:
        return _ITEMS[benchmark]
    if found := _MMLU.fullmatch(benchmark):
        return _of_mmlu(found[1])
    if found := _BBH.fullmatch(benchmark):
        return _of_bbh(found[1])
    if _ARITHMETIC.fullmatch(benchmark):
        return Placed(VERIFIABLE, 1, 2000)
    if (found := _MATH.fullmatch(benchmark)) and found[1] in _MATH_PARTS:
        hard = benchmark.endswith("_hard")
        return Placed(VERIFIABLE, 1, None if hard else _MATH_PARTS[found[1]])
    return None


def _of_mmlu(subject: str) -> Placed | None:
    label = MMLU_SUBJECTS.get(subject)
    axes = (label.verifiability, label.knowledge_demand) if label else (None, None)
    if axes == (1, 0):
        return Placed(VERIFIABLE, 4, None)
    return Placed(KNOWLEDGE, 4, None) if axes == (0, 1) else None


def _of_bbh(part: str) -> Placed | None:
    if part in _BBH_VERIFIABLE:
        return Placed(VERIFIABLE, _BBH_VERIFIABLE[part], 250)
    if part in _BBH_KNOWLEDGE:
        return Placed(KNOWLEDGE, _BBH_KNOWLEDGE[part], 250)
    return None
