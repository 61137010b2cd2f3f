"""The page of the verdict: one HTML file that loads nothing."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.hypothesis.effective import OWN, peers_spread
from eval.hypothesis.judge import Findings
from eval.hypothesis.pictures import ALT
from eval.hypothesis.rules import Estimate
from eval.writing import render

__all__ = ["THREATS", "page"]

LARGE = 10
"""From here on a figure has one decimal, like one in points."""

STATEMENT = (
    "Verifiable reasoning is parameter-dense: it compresses into few parameters. Open-domain "
    "knowledge is parameter-expansive: it keeps needing coverage. The two are only partly coupled."
)
THREATS = (
    (
        "Era and training data",
        "Newer models are better at every size, and their makers chose what to train on. Slopes "
        "are taken within family and era for that reason; how data were scaled with size is not "
        "published, and a small model trained on more mathematics bends its slope.",
    ),
    (
        "Guess floor",
        "Multiple choice pays for guessing: near the floor a slope is flat whatever the ability. "
        "Floors are in the link, cells at the floor are bounds, and the ratio without floors is "
        "printed beside. An option that can be ruled out lifts the true floor above ours.",
    ),
    (
        "Selection of published scores",
        "The report's table was chosen by the authors of one model; makers publish what looks "
        "good. Nothing confirmatory rests on it.",
    ),
    (
        "Contamination",
        "MMLU, GSM8K and MATH stand in training data. If larger models memorise more, both slopes "
        "rise, and not equally. P3 is the test, and needs models that cannot be run here.",
    ),
    (
        "Format failures",
        "The table of means has no flags for unread answers, and generative benchmarks without a "
        "chat template punish chat models. Zeros that look like a format were left out by the rule "
        "of `ockham outcomes check`, listed, and put back in the ratio beside.",
    ),
    (
        "What counts as knowledge or verifiable",
        "One label table, written before any score: MMLU subjects are both sides of most tables, "
        "so the verifiable side of multiple choice is not free-form reasoning. GPQA is labelled "
        "knowledge and mixes reasoning in.",
    ),
    (
        "Changed after a look",
        "The simulated worlds first counted each family's slope alike, however close its sizes "
        "(power 4 % at ratio 2 and 9 % at ratio 1, wrong at most 1 %); a family now counts by the "
        "spread of its sizes. No verdict rests on the worlds. P4 was first refuted by a negative "
        "coefficient alone; now, as its rule is written, only where there is a gain as well "
        "(lower bound above 0). No verdict differs for it.",
    ),
    (
        "Choices the pre-registration left open",
        "Era means generation and kind of post-training; a guard's family must have two sizes of "
        "one era; of several sources only models with both axes are fitted, with intercepts by "
        "source; a resample without a ratio counts against both rules; P4 also draws families. All "
        "were coded before the unseen tables were opened.",
    ),
)
POPULATIONS = {
    "outcomes_aggregates": "means of models on benchmarks, as three sources published them",
    "zeroeval": "ZeroEval: grade-school and competition mathematics, code to predict",
    "code_evalplus": "EvalPlus: HumanEval and MBPP, answers under more tests",
    "mmlupro": "MMLU-Pro, ten options, verifiable and knowledge subjects",
    "published_table": "the table of VibeThinker-3B's report",
    "qwen3_think": "Qwen3 of two sizes, mathematics and SimpleQA",
    "live_fresh_seed": "asked here, with a seed that was drawn when the code stood",
    "llmrouter": "LLMRouter: nine models, many tasks",
    "routellm": "RouteLLM: Mixtral-8x7B and GPT-4",
}
CHANGE = {
    "P1_slopes": "A ratio whose whole interval lies above 1.25, or below 1.10, over at least four "
    "families with two sizes each. More families narrow it; more questions do not.",
    "P2_gold_context": "A small and a large model on the coverage questions: gold facts closing "
    "60 % of a gap of 10 points or more supports it, less than half refutes it.",
    "P3_memorisation": "A small model that loses under 5 points more than the large one on "
    "renumbered problems supports it, one that loses over 5 more refutes it; both must be right "
    "on 10 to 95 % as published.",
    "P4_routing_value": "A gain in AUROC above 0 with a positive coefficient, over pairs of "
    "several families. A gain with a negative one refutes.",
    "P5_decoupling": "A corrected correlation whose whole interval lies on one side of .707. "
    "Models trained for one side only would lower it.",
}


def page(found: Findings, data: Mapping[str, Any], drawn: Mapping[str, bytes]) -> str:
    """The whole page; pictures are in it."""
    registration = found.registration
    own = next((c for c in found.contrasts if OWN in c.model), None)
    others = [c for c in found.contrasts if c is not own]
    return render(
        Path(__file__).parent,
        statement=STATEMENT,
        registration=registration,
        predictions=registration.data["predictions"],
        populations=registration.data["populations"],
        told=POPULATIONS,
        verdicts=found.verdicts,
        data=data,
        found=found,
        pictures={
            name: (ALT[name], base64.b64encode(drawn[name]).decode())
            for name in ALT
            if name in drawn
        },
        own=own,
        next=others[0] if others else None,
        spread=peers_spread(found.contrasts),
        threats=THREATS,
        change=CHANGE,
        shown=_shown,
        ticked=_ticked,
    )


def _shown(name: str, value: object) -> str:
    """What is printed beside a verdict, in figures."""
    if isinstance(value, Estimate):
        return value.says(1 if "points" in name or abs(value.value) >= LARGE else 3)
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _ticked(text: str) -> Any:
    """Text in which `...` is code; all else is escaped."""
    from markupsafe import Markup, escape

    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(marked)  # noqa: S704
