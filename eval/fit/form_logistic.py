"""Fit `policies.form_logistic` on recorded outcomes of any number of arms.

Columns and penalty were chosen between groups of subjects of MMLU-Pro (fitted on 1,500 rows of one
group, scored on another: quantitative, law and humanities, the rest; four pairs of models), by the
mean APGR. MMLU and GSM8K had no part in it. The penalty is by the row, so that more labels do not
mean a bolder model: what must travel is the direction, not the detail.
"""

import numpy as np
from scipy.sparse import csr_array

from eval.fit.kernel_logistic import logistic
from eval.fit.usable import known_features
from eval.table import Table
from policies.form_logistic import FORM_CUT, FormLogistic, counts_matrix
from policies.utility import fitted_arms
from router.errors import InputError
from router.signals.cues import CUES

__all__ = ["COUNTS", "fit_form_logistic"]

COUNTS = ("digits", "numbers", "names", "punctuation", "uppercase", "non_latin", "words", "lines")
"""The cues that are shares and counts; flags of single words are a benchmark's own."""
STRENGTH = 4.5
"""Inverse penalty over all rows: 0.003 a row at 1,500 rows."""
TINY = 1e-9


def fit_form_logistic(table: Table) -> FormLogistic:
    """A policy fitted on all rows of the table."""
    features = known_features(table, "form-logistic")
    blocks = features.blocks
    if blocks["cues"].shape[1] != len(CUES):
        raise InputError(
            f"form-logistic: the block cues has {blocks['cues'].shape[1]} columns, this version "
            f"makes {len(CUES)}: replay once more to make the features anew"
        )
    columns = tuple(CUES.index(name) for name in COUNTS)
    raw = counts_matrix(blocks["lengths"], blocks["cues"], columns)
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > TINY)
    form = np.clip((raw - mean) * scale, -FORM_CUT, FORM_CUT)
    nothing = csr_array((len(table), 0))
    c = STRENGTH / len(table)
    fits = [logistic(nothing, form, table.score[:, k], c) for k in range(len(table.arms))]
    return FormLogistic(
        arms=fitted_arms(table.arms),
        fingerprint=features.fingerprint,
        cue_columns=columns,
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(tuple(w.tolist()) for w, _ in fits),
        bias=tuple(b for _, b in fits),
    )
