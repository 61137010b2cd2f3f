"""The proxy for "the Factbook answers it", by hand; and reading the files."""

from pathlib import Path

import pytest

from eval.knowledge.outside import Outside, ask_outside, read_outside
from router.errors import InputError
from router.knowledge.answerability import Fit
from router.state import Passage

FLAT = Fit(("best",), (0.0,), (1.0,), (1.0,), 0.0)


class One:
    def __init__(self, text: str) -> None:
        self.passage = Passage(source="s", title="Bhutan — x", text=text, score=1.0, dense=0.0)

    def search(self, query: str, k: int) -> list[Passage]:
        return [self.passage]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("The highest mountain of Bhutan is Gangkar Puensum", True),
        ("Gangkar Puensum is holy", False),
        ("The highest mountain of Bhutan is Gangkar Puensumba", False),
        ("The highest mountain of Bhutan", False),
    ],
)
def test_held_needs_an_alias_and_two_words_of_the_question(text: str, held: bool) -> None:
    question = Outside("highest mountain of which kingdom", ("Gangkar Puensum", "GP"))
    (asked,) = ask_outside(One(text), [question], FLAT)
    assert (asked.held, asked.p) == (held, 0.5)


def test_a_line_separator_inside_a_question_does_not_end_its_row(tmp_path: Path) -> None:
    (tmp_path / "questions").mkdir()
    rows = [f'{{"id": "{i}", "question": "a\u0085b\u2028c", "answer": ["x"]}}' for i in range(5)]
    (tmp_path / "questions" / "triviaqa_550.jsonl").write_text("\n".join(rows) + "\n")
    assert len(read_outside(tmp_path, "TriviaQA", 10)) == 5
    assert read_outside(tmp_path, "TriviaQA", 2) == read_outside(tmp_path, "TriviaQA", 10)[:2]
    with pytest.raises(InputError, match="nq_open_dev"):
        read_outside(tmp_path, "NQ-open", 3)
