"""The training examples: the written prompts, and sampling that repeats itself."""

from collections import Counter
from pathlib import Path

import pytest

from eval.fit import examples
from eval.fit.examples import PER_BENCHMARK, contrastive, gather
from eval.sources.shared import shared_data
from router.errors import SetupError
from router.state import DOMAINS


def test_the_written_prompts_are_many_and_different() -> None:
    prompts = contrastive()
    assert len(prompts) >= 200
    assert max(Counter(p.text.lower() for p in prompts).values()) == 1
    assert len({p.group for p in prompts}) >= 60


def test_the_written_prompts_cover_the_plane() -> None:
    corners = Counter((p.verifiability, p.knowledge_demand) for p in contrastive())
    assert set(corners) == {(1, 0), (0, 1), (1, 1), (0, 0)}
    assert min(corners.values()) >= 20
    assert {p.domain for p in contrastive()} == set(DOMAINS)


def test_gathering_is_seeded_capped_and_free_of_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two tasks stand for all: making them takes longer than reading the data.
    tasks = {t: examples._TASKS[t] for t in ("gcd", "knights_knaves")}
    monkeypatch.setattr(examples, "_TASKS", tasks)
    try:
        data = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    rows = gather(data, seed=0)
    assert rows == gather(data, seed=0)
    assert rows != gather(data, seed=1)
    plain = [e for e in rows if not e.written and ":" not in e.source]
    sizes = Counter(e.source for e in plain if e.group != "mmlu")
    assert max(sizes.values()) <= PER_BENCHMARK
    assert "gpqa" not in {e.group for e in rows}


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        shared_data(tmp_path)
