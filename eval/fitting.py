"""A table wider than its terminal, as several tables one below the other.

Rich squeezes columns until names and figures are cut to their first letters. Here no cell is cut:
the columns are dealt to as many tables as it takes, and the first column, which says whose row it
is, stands in each.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.table import Column
from rich.table import Table as Grid

__all__ = ["fitting"]

FRAME = 3
"""Characters that a column takes beside its text: a space on either side, and a line."""


def fitting(grid: Grid, width: int) -> list[Grid]:
    """The table, or tables that hold its columns, none wider than `width` where that can be."""
    key, *others = grid.columns
    parts: list[list[Column]] = [[]]
    free = left = width - 1 - _needs(key)
    for column in others:
        need = _needs(column)
        if parts[-1] and need > left:
            parts.append([])
            left = free
        parts[-1].append(column)
        left -= need
    return [_of(grid, [key, *part], first=part is parts[0]) for part in parts]


def _needs(column: Column) -> int:
    texts = (str(column.header), *map(str, column.cells))
    return FRAME + max(cell_len(line) for text in texts for line in text.split("\n"))


def _of(grid: Grid, columns: Sequence[Column], first: bool) -> Grid:
    made = Grid(title=grid.title if first else None, title_justify=grid.title_justify)
    for column in columns:
        # A path or a long name breaks; an ellipsis would lose it.
        made.add_column(column.header, justify=column.justify, overflow="fold")
    for cells in zip(*(column.cells for column in columns), strict=True):
        made.add_row(*cells)
    return made
