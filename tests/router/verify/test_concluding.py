"""The number that a worked solution ends on (all texts are made up)."""

import pytest

from router.verify.concluding import conclusion


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8 * $5 = $40.\nTom pays $40 for the 16 glasses.", "$40"),
        ("He walked 3 + 4 = 7 miles in 2 hours.", "7"),
        ("x = 480 / 1.2\nx = 400\n\nSet it to 400 degrees to reach 480 degrees.", "400"),
        ("12 + 12 = 24 pieces.\nSince a box holds exactly 24 pieces, they need 1 box.", "1"),
        ("5 + 5 = 10 dollars left. As a ticket costs $10, so he can see 1 more film.", "1"),
        ("6 / 20 = $0.30.\nAs $1 is 100 cents, so $0.30 per pen is 30 cents per pen.", "30"),
        ("It is 3 + 4 = <<3+4=7>>7 apples for 2 days.", "7"),
        ("5:00 pm - 3 hours = 2:00 pm. To be ready at 5:00 pm the latest time is 2:00 pm.", "2"),
        ("2 + 3 = 5.\nNothing else matters.", "5"),
        ("The mixture costs $12 - $9 = $3. It is $3 more with 1/2 pound of nuts.", "$3"),
        ("She has 20 apples and 4 pears.", "4"),
        ("so he owes 160 - (paid) = 160 - y dollars by 5 pm.", None),
        ("No number.", None),
        ("", None),
    ],
)
def test_conclusions(text: str, number: str | None) -> None:
    assert conclusion(text) == number


def test_a_result_that_goes_on_is_no_result() -> None:
    assert conclusion("y = 3 * 2 hats and 9 caps") == "9"
