"""The registry, and what holds for every benchmark."""

import pytest

from eval.benchmarks.benchmark import Question, available_benchmarks, create
from router.errors import InputError

SHIPPED = {"gsm8k", "humaneval", "reasoning-gym", "reasoning-gym-small", "nq-open", "gpqa"}


def test_the_shipped_benchmarks_are_found() -> None:
    assert set(available_benchmarks()) >= SHIPPED


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_each_states_its_protocol(name: str) -> None:
    one = create(name)
    assert one.name == name
    assert "Read:" in one.protocol and "Score:" in one.protocol
    one.close()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"gsm9k.*gpqa, gsm8k"):
        create("gsm9k")


def test_a_prompt_that_may_not_be_kept_stays_out_of_a_repr() -> None:
    kept = Question(id="a", prompt="secret", gold="A")
    assert "secret" in repr(kept)
    hidden = kept.model_copy(update={"keep_text": False})
    assert "secret" not in f"{hidden!r} {hidden} {[hidden]}"
