"""The policies that learn from recorded outcomes, by name: a table of training rows -> a policy.

A fit sees the rows that it is given and nothing else. It reads `table.features` (all texts
known), `table.score` (n, A) and, where it is one, what attempts showed; never the rows that
the policy will be scored on.
"""

from collections.abc import Callable, Mapping

from eval.fit.answer_gain import fit_answer_gain
from eval.fit.carrot import fit_carrot
from eval.fit.cascade_routing import fit_cascade_routing
from eval.fit.form_logistic import fit_form_logistic
from eval.fit.irt import fit_irt
from eval.fit.kernel_logistic import fit_kernel_logistic
from eval.fit.knn import fit_knn
from eval.fit.knn_gain import fit_knn_gain
from eval.fit.ladder import fit_check_cascade, fit_logprob_cascade, fit_self_consistency
from eval.fit.matrix_factorisation import fit_matrix_factorisation
from eval.fit.retrieval_value import fit_retrieval_value
from eval.fit.text_logistic import fit_text_logistic
from eval.fit.usable import checked_fit, known_features
from eval.table import Table
from policies.policy import Policy
from policies.threshold import ThresholdPolicy

__all__ = ["CASCADES", "FITTED", "Fit"]

Fit = Callable[[Table], ThresholdPolicy]


def _text_logistic(table: Table) -> ThresholdPolicy:
    """Of the first small arm and the first large one: the pair that the policy decides between."""
    features = known_features(table, "text-logistic")
    small, large = table.pair
    return fit_text_logistic(features, table.score[:, small], table.score[:, large])


def _cascade_routing(table: Table) -> Policy:
    known = table.features is not None and bool(table.features.known.all())
    return fit_cascade_routing(table, _text_logistic if known else None)


_FITTED: Mapping[str, Fit] = {
    "text-logistic": _text_logistic,
    "kernel-logistic": fit_kernel_logistic,
    "knn": fit_knn,
    "carrot": fit_carrot,
    "irt": fit_irt,
    "matrix-factorisation": fit_matrix_factorisation,
    "form-logistic": fit_form_logistic,
    "knn-gain": fit_knn_gain,
}

_CASCADES: Mapping[str, Callable[[Table], Policy]] = {
    "self-consistency": fit_self_consistency,
    "logprob-cascade": fit_logprob_cascade,
    "check-cascade": fit_check_cascade,
    "cascade-routing": _cascade_routing,
    "answer-gain": fit_answer_gain,
    "retrieval-value": fit_retrieval_value,
}

FITTED: Mapping[str, Fit] = {name: checked_fit(name, fit) for name, fit in _FITTED.items()}

CASCADES: Mapping[str, Callable[[Table], Policy]] = {
    name: checked_fit(name, fit, priced=True) for name, fit in _CASCADES.items()
}
"""Those that look at answers: they have a `price`, and no score before a call."""
