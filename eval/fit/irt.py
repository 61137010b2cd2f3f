"""Fit `policies.irt` on the outcomes of all arms.

Strengths 15 here and 6 in `eval.fit.matrix_factorisation` were chosen by the squared error on
RouteLLM's MMLU pair (2,000 rows of one training fold) and on the 1,681 questions of MMLU-Pro that
lack a model, with the 26 others (500 held out): none of them is scored where all 27 are compared.
"""

import numpy as np

from eval.fit.low_rank import fit_low_rank
from eval.fit.many_arms import (
    first_price,
    fit_representation,
    fit_ridge,
)
from eval.fit.usable import known_features
from eval.table import Table
from policies.irt import Irt
from policies.packed import Packed
from policies.utility import fitted_arms

__all__ = ["fit_irt"]

DIMENSIONS = 8
STRENGTH = 15.0


def fit_irt(table: Table) -> Irt:
    """Discrimination, difficulty and abilities from the rows of a table."""
    features = known_features(table, "irt")
    form = fit_representation(features)
    x = form.of(features.blocks)
    start = fit_ridge(x, table.score)
    got = fit_low_rank(x - start.centre, table.score, start, DIMENSIONS, STRENGTH, common=True)
    # An arm's bias is an ability in one more dimension, of which every query asks the same.
    d = got.arms.shape[1]
    centre = float(got.bias.mean())
    ability = np.hstack([got.arms, (got.bias - centre)[:, None]])
    heads = np.hstack([got.heads, np.zeros((len(got.heads), 1))])
    return Irt(
        arms=fitted_arms(table.arms),
        price=first_price(table),
        fingerprint=features.fingerprint,
        representation=form,
        centre=Packed.of(start.centre),
        discrimination=Packed.of(heads),
        discrimination_bias=Packed.of([0.0] * d + [1.0]),
        difficulty=Packed.of(-got.common),
        difficulty_bias=-centre,
        ability=Packed.of(ability),
    )
