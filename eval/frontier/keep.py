"""Is the cheap arm right often enough that any policy could keep its answers?"""

from eval.table import Table

__all__ = ["LEAST", "nothing_to_keep"]

LEAST = 0.05
"""Accuracy of the small arm below which a curve is noise between nothing and the large arm."""


def nothing_to_keep(table: Table) -> str:
    """The sentence to print beside the figures; "" where there is something to keep."""
    small = next(i for i, arm in enumerate(table.arms) if arm.tier == "small")
    right = float(table.score[:, small].mean())
    if right >= LEAST:
        return ""
    return (
        f"nothing to keep: {table.arms[small].name} is right on {right:.2%} of the rows, "
        f"below {LEAST:.0%}"
    )
