import numpy as np
import pytest

from eval.hypothesis.decoupling import coupling_verdict
from eval.hypothesis.grid import grid_of
from eval.hypothesis.populations import Population
from eval.hypothesis.registration import read_registration

REGISTRATION = read_registration()


def models(shared: float, count: int = 60, items: int = 16, noise: float = 0.0):
    """Levels beyond size whose correlation is `shared`; a family each."""
    rng = np.random.default_rng(2)
    rows = []
    for k in range(count):
        size = float(10 ** rng.uniform(0, 2))
        one = rng.normal()
        two = shared * one + np.sqrt(1 - shared**2) * rng.normal()
        for i in range(items):
            level = (one, two)[i % 2] + 0.8 * np.log10(size) + rng.normal(0, noise)
            rows.append((f"model {k}", "here", size, None, f"i{i}",
                         ("verifiable", "knowledge")[i % 2], 0.0,
                         1 / (1 + np.exp(-level)), 500.0))  # fmt: skip
    return Population("mmlupro", grid_of(rows), "0" * 16, ())


@pytest.mark.parametrize(("shared", "word"), [(0.98, "refuted"), (0.0, "supported")])
def test_what_is_shared_decides(shared, word):
    found = coupling_verdict(REGISTRATION, models(shared), 1, 150)
    assert found.word == word, found
    assert found.models == 60


def test_noise_alone_is_not_taken_for_decoupling():
    noisy = coupling_verdict(REGISTRATION, models(0.95, noise=1.2), 1, 100)
    raw = noisy.beside["correlation, not corrected for noise"]
    assert raw.value < 0.9
    assert noisy.estimate.value > raw.value + 0.03
    assert noisy.word != "supported"


def test_few_models_and_few_families_are_undecided():
    found = coupling_verdict(REGISTRATION, models(0.0, count=6), 1, 50)
    assert found.word == "undecided"
    assert "6 models, 12 are needed" in found.reason


def test_one_knowledge_benchmark_has_no_halves():
    from eval.hypothesis.published import published_grid

    found = coupling_verdict(REGISTRATION, published_grid(), 1, 50)
    assert found.word == "undecided"
    assert "no split-half reliability of the knowledge level" in found.reason
