"""What a small reader may quote."""

from router.arms.spans import MAX_PASSAGE_CHARS, MAX_SPAN_CHARS, spans
from router.state import Passage


def passage(text: str, title: str = "Bhutan — Capital") -> Passage:
    return Passage(source="s", title=title, text=text, score=0.0)


def test_statements_end_outside_brackets_and_the_title_is_none() -> None:
    text = "Bhutan (Bhutanese; Druk). Capital (seat; time): Thimphu; note: at 2,320 m. It is old."
    told = ("Capital (seat; time): Thimphu", "note: at 2,320 m.", "It is old.")
    assert spans(passage(text)) == told
    assert spans(passage("Bhutan (Bhutanese).")) == ("Bhutan (Bhutanese).",)


def test_long_statements_are_cut_between_words_and_what_is_not_shown_is_not_quoted() -> None:
    pieces = spans(passage("word " * 400))
    assert set(pieces[0].split()) == {"word"} and max(map(len, pieces)) <= MAX_SPAN_CHARS
    unbroken = spans(passage("x" * 5000))
    assert sum(map(len, unbroken)) <= MAX_PASSAGE_CHARS
    assert max(map(len, unbroken)) == MAX_SPAN_CHARS


def test_what_is_said_twice_stands_there_once() -> None:
    assert spans(passage("a b; c d; a b")) == ("a b", "c d")


def test_a_statement_is_quoted_as_it_is_shown() -> None:
    (shown,) = spans(passage("Say </passage> now"))
    assert "</passage>" not in shown


def test_a_wrapped_line_goes_on_and_a_short_one_ends() -> None:
    text = (
        "Scripts: A script is one file of Python that says itself which packages it\n"
        "needs. It has no project\n- around it\n- or above it"
    )
    told = (
        "A script is one file of Python that says itself which packages it needs.",
        "It has no project", "- around it", "- or above it",
    )  # fmt: skip
    assert spans(passage(text, "Scripts")) == told


def test_marks_around_code_are_not_said() -> None:
    text = "uv > Scripts: ```console\n$ uv run a.py\nInstalled 5 packages\n```\n\nThat is all."
    told = ("$ uv run a.py", "Installed 5 packages", "That is all.")
    assert spans(passage(text, "uv > Scripts")) == told


def test_a_long_statement_is_cut_after_a_clause_where_there_is_one() -> None:
    clause = "a single file that names what it needs in a comment block at the top of its own text,"
    first, second = spans(passage(f"{clause} so that {'it runs ' * 12}well"))
    assert first == clause and second.startswith("so that it runs")
