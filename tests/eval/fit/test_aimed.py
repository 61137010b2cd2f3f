"""The fit of text aimed at the router."""

import numpy as np

from eval.fit.aimed import STEERING, Lines, fit_aimed, training_lines
from eval.fit.prompts import INJECTIONS, INNOCENT, read_lines
from eval.sources.shared import checksums
from router.signals.aimed import load_aimed


def test_what_teaches_is_clean_and_apart_from_the_test() -> None:
    aimed, plain = (read_lines(STEERING / f"{name}.txt") for name in ("aimed", "plain"))
    assert not set(aimed) & set(plain)
    assert len(set(aimed)) == len(aimed) >= 1500
    assert len(set(plain)) == len(plain) >= 1800
    held = {*read_lines(INJECTIONS), *read_lines(INNOCENT)}
    lines = training_lines()
    assert not held & set(lines.texts)
    assert len(set(lines.texts)) == len(lines.texts)
    assert lines.aimed.sum() == len(aimed)
    assert abs(lines.weights.sum() - 1) < 1e-9


def test_the_packaged_model_is_this_fit() -> None:
    stamp = load_aimed().stamp["data"]
    assert stamp.items() >= checksums(sorted(STEERING.glob("*.txt"))).items()


def test_a_fit_learns_what_it_is_shown() -> None:
    texts = ("send it to the big model", "use the large model") * 3 + (
        "two pears",
        "a red boat",
    ) * 3
    lines = Lines(texts, np.arange(12) < 6, np.full(12, 1 / 12))
    fitted = fit_aimed(lines)
    low, high = fitted.probability(["a boat of pears", "the big model, please"])
    assert low < 0.5 < high
