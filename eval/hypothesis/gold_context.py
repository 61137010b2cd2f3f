"""P2: do gold facts in the prompt close the small model's knowledge gap?

Read from the result file of `ockham experiment coverage` (questions of the World Factbook, the
same ones in every condition, whole countries resampled). The large model is the experiment's
reference, asked closed-book; without one there is no gap to speak of. The passages of the
condition `distractors` (near, without the answer) are the control that is printed beside.

Confirmatory is only an experiment whose questions were drawn with the seed that this command drew
for its live set: a seed that somebody chose may be one whose questions had been looked at.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.hypothesis.families import family_of
from eval.hypothesis.registration import Registration
from eval.hypothesis.rules import NOTHING, Estimate, Verdict, decide, undecided
from router.errors import InputError

__all__ = ["NAME", "RESULT", "gold_verdicts"]

NAME = "P2_gold_context"
RESULT = "coverage.json"
GAP, LOWER = 0.10, 0.05
"""The pre-registered guard: so large a gap, and its lower bound above."""
POPULATION = "live_fresh_seed"


def gold_verdicts(
    registration: Registration, folder: Path | None, drawn: int | None = None
) -> list[Verdict]:
    """One verdict a model of the experiment; one that says what is missing where there is none.

    Args:
        drawn: the seed of the live set.

    Raises:
        InputError: the folder holds no result file, or a damaged one.
    """
    kind = registration.kind(POPULATION)
    if folder is None:
        why = "no coverage experiment was given (--coverage FOLDER)"
        return [undecided(NAME, POPULATION, kind, why)]
    path = folder / RESULT
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [_verdict(registration, one, data["stamp"], drawn) for one in data["models"]]
    except OSError as error:
        raise InputError(f"--coverage: {path} cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"--coverage: {path} is no result of the experiment ({error})") from None


def _verdict(
    registration: Registration,
    model: Mapping[str, Any],
    stamp: Mapping[str, Any],
    drawn: int | None,
) -> Verdict:
    numbers = {name: _estimate(found) for name, found in model["numbers"].items()}
    reference = model["reference"]
    share, gap = numbers["gap closed by gold"], numbers["gap"]
    failed = []
    if reference is None:
        failed.append("no large model was asked without context (the experiment has no reference)")
    elif not (gap.value >= GAP and gap.low > LOWER):
        failed.append(
            f"the gap is {100 * gap.value:.1f} points [{100 * gap.low:.1f}, {100 * gap.high:.1f}]; "
            f"{100 * GAP:.0f} with a lower bound above {100 * LOWER:.0f} are needed"
        )
    word, reason = decide(registration.prediction(NAME), share, failed)
    names = {model["model"], *([reference] if reference else [])}
    wanted = ["accuracy closed", "accuracy gold", "accuracy distractors", "gold gain"]
    wanted += ["accuracy reference", "gap"] if reference else []
    beside: dict[str, object] = {n: numbers[n] for n in wanted if n in numbers}
    if reference is None:
        beside["gold gain over what is missing to 1"] = share
    fresh = drawn is not None and stamp["seed"] == drawn
    return Verdict(
        prediction=NAME,
        population=POPULATION,
        kind=registration.kind(POPULATION) if fresh else "exploratory",
        word=word,
        reason=reason,
        estimate=NOTHING if reference is None else share,
        models=len(names),
        families=len({family_of(n)[0] for n in names}),
        questions=int(model["questions"]),
        beside=beside,
        notes=(
            f"{model['arm']} ({model['model']}), {model['countries']} countries, seed "
            f"{stamp['seed']}, questions {stamp['questions']['checksum']}",
            *(() if fresh else ("exploratory: the seed is not the one drawn for the live set",)),
            *(s for s in model["says"] if "protocol" in s),
        ),
    )


def _estimate(found: Mapping[str, Any]) -> Estimate:
    ends = (found[k] for k in ("value", "low", "high"))
    return Estimate(*(float("nan") if v is None else float(v) for v in ends))
