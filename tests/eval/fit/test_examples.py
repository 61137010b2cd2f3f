"""The training examples: the written prompts, and sampling that repeats itself."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from eval.fit import examples
from eval.fit.examples import PER_BENCHMARK, Example, gather, written
from eval.fit.prompts import HELDOUT, read_prompts
from eval.sources.shared import shared_data
from router.errors import SetupError
from router.signals.head import LEARNED_NEEDS
from router.state import DOMAINS, FORMS


@cache
def taught() -> list[Example]:
    """All written prompts, read once."""
    return written()


def test_the_written_prompts_are_many_and_different() -> None:
    prompts = taught()
    assert len(prompts) >= 2000
    said = Counter(tuple(m.content.lower() for m in p.query.messages) for p in prompts)
    assert max(said.values()) == 1
    assert len({p.group for p in prompts}) >= 200
    assert all(p.written and p.source.startswith("written:") for p in prompts)


def test_the_written_prompts_cover_the_plane() -> None:
    corners = Counter((p.verifiability, p.knowledge_demand) for p in taught())
    assert {(1, 0), (0, 1), (1, 1), (0, 0)} <= set(corners)
    assert min(corners[v, k] for v in (0, 1) for k in (0, 1)) >= 100
    assert {p.domain for p in taught()} >= set(DOMAINS)
    assert {p.form for p in taught()} >= set(FORMS)
    assert {n for p in taught() for n in p.needs} >= set(LEARNED_NEEDS)


def test_no_held_out_prompt_is_taught() -> None:
    known = {p.text.strip().lower() for p in taught()}
    assert not known & {p.query.text.strip().lower() for p in read_prompts(HELDOUT)}


def test_a_written_prompt_keeps_its_conversation(tmp_path: Path) -> None:
    (tmp_path / "talk.yaml").write_text(
        'ladders:\n  - [math, 1, ~, number, ["system: Be brief.", "user: And: why?"], [tools]]\n',
        encoding="utf-8",
    )
    (one,) = written(tmp_path)
    assert [(m.role, m.content) for m in one.query.messages] == [
        ("system", "Be brief."),
        ("user", "And: why?"),
    ]
    assert (one.text, one.group, one.source) == ("And: why?", "talk:ladders", "written:talk")
    assert (one.axis("verifiability"), one.axis("knowledge_demand")) == (1, None)
    assert (one.domain, one.form, one.needs) == ("math", "number", ("tools",))


@pytest.mark.slow
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
