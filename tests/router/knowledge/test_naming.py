"""What a question names."""

import pytest

from router.knowledge.naming import names_in


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Which city is the seat of government of Bhutan?", {"bhutan"}),
        ("What do people in the Ivory Coast speak?", {"ivori", "coast"}),
        ("Driving out of Côte d'Ivoire, where is one first?", {"cote", "ivoir", "d"}),
        ("How far is the clock in Chad from UTC?", {"chad", "utc"}),
        ("GDP of Peru? Which year?", {"gdp", "peru"}),
        ("Of 1,000 people, how many die?", set()),
        ("", set()),
    ],
)
def test_capitals_that_do_not_start_a_sentence(question: str, names: set[str]) -> None:
    assert names_in(question) == names
