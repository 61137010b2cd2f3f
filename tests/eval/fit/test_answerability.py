"""The fit learns from its own part alone, and the scores are what they say."""

import pytest

from eval.fit.answerability import Row, asked_of, fits_of, is_fit_field, probabilities, scores
from eval.knowledge.split import part_of
from router.knowledge.answerability import SIGNS


def row(part: str, held: bool, best: float, gone: str = "", code: str = "bt", read: int = 5) -> Row:
    found = dict.fromkeys(SIGNS, 0.0) | {"best": best, "names": best}
    return Row("q", code, "capital", False, part, gone, read, held, found)


def test_fit_and_score_share_no_country_and_no_field() -> None:
    fit, score = (asked_of(part, 10_000, 0, 0) for part in ("fit", "score"))
    assert len(fit) > 1000
    assert len(score) > 1000
    assert not {q.code for q in fit} & {q.code for q in score}
    assert not {q.field for q in fit} & {q.field for q in score}
    assert all(part_of(q.code) == "fit" and is_fit_field(q.field) for q in fit)


def test_the_fit_never_sees_the_scored_part() -> None:
    mine = [row("fit", i % 2 == 0, 0.8 if i % 2 == 0 else 0.2) for i in range(40)]
    contrary = [row("score", i % 2 == 1, 0.8 if i % 2 == 0 else 0.2) for i in range(400)]
    fit = fits_of(mine + contrary)["scored"]
    high, low = probabilities([row("score", True, 0.8), row("score", False, 0.2)], fit)
    assert high > 0.9
    assert low < 0.1


@pytest.mark.slow
def test_scores_by_hand() -> None:
    train = [row("fit", i % 2 == 0, 0.8 if i % 2 == 0 else 0.2) for i in range(40)]
    test = [
        *(row("score", True, 0.8, "", code) for code in ("bt", "us")),
        *(row("score", False, 0.2, "country", code) for code in ("bt", "us")),
        *(row("score", False, 0.8, "field", code) for code in ("bt", "us")),
        row("score", True, 0.8, read=3),
    ]
    by_name = {s.name: s for s in scores(test, fits_of(train)["scored"])}
    assert by_name["all, 5 read"].base == pytest.approx(1 / 3)
    assert by_name["all, 5 read"].held.value == pytest.approx(0.75), (
        "two ties of four pairs are half"
    )
    assert by_name["kept or country gone, 5 read"].indexed.value == 1.0
    assert by_name["kept or field gone, 5 read"].indexed.value == 0.5
    assert by_name["all, 5 read"].n == 6
    assert by_name["all, 3 read"].n == 1
