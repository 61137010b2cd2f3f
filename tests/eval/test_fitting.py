"""Tables that are wider than a terminal: nothing cut, every row named."""

from io import StringIO

from rich.console import Console
from rich.table import Table

from eval.fitting import fitting


def grid(columns: int) -> Table:
    made = Table("policy", *(f"figure {i}" for i in range(columns)), title="all")
    made.add_row("verifiability-threshold", *(f"0.{i}00 [0.000, 0.{i}99]" for i in range(columns)))
    return made


def printed(tables: list[Table], width: int) -> str:
    console = Console(width=width, file=StringIO())
    for table in tables:
        console.print(table)
    text: str = console.file.getvalue()
    return text


def test_columns_that_do_not_fit_stand_below_with_the_name_of_their_row() -> None:
    parts = fitting(grid(6), 80)
    text = printed(parts, 80)
    assert [len(part.columns) for part in parts] == [3, 3, 3]
    assert text.count("verifiability-threshold") == 3
    for i in range(6):
        assert f"0.{i}00 [0.000, 0.{i}99]" in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert [part.title for part in parts] == ["all", None, None]


def test_a_table_that_fits_is_left_whole_and_exactly_so() -> None:
    whole = printed(fitting(grid(3), 200), 200)
    assert whole.count("verifiability-threshold") == 1
    width = max(map(len, whole.rstrip().splitlines()))
    assert len(fitting(grid(3), width)) == 1
    assert len(fitting(grid(3), width - 1)) == 2


def test_a_name_longer_than_the_terminal_is_folded_not_lost() -> None:
    made = Table("arm", "cost")
    made.add_row("provider/" + "x" * 40, "1.25")
    text = printed(fitting(made, 40), 40)
    assert text.count("x") == 40
    assert "1.25" in text
