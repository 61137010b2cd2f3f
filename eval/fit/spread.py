"""Labels apart: none lies on another, on a marker, or on a blocked box, where there is room.

Each label wants to stand beside its point, away from the points near it, so that leader lines
cross little. One after the other, the most crowded first, they take the free place nearest to
the one they want. (Boxes that push each other get stuck between markers and the frame.)
Lengths are points, from the lower left.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["MARKER", "overlaps", "spread"]

Points = NDArray[np.float64]

MARKER = 6.0
"""Half the side of the box that a marker keeps free."""
_REACH = 80.0
_GAP = 2.0
_STEP, _FARTHEST = 4.0, 240.0


def spread(points: Points, sizes: Points, frame: tuple[float, float], blocked: Points) -> Points:
    """(m, 2) centres of labels of these (m, 2) sizes, for (m, 2) points.

    blocked: (b, 4) boxes to keep clear of, as centre and size. A label without room stands
    where it wanted to. The same input gives the same places.
    """
    m = len(points)
    half = sizes / 2 + _GAP
    taken = np.concatenate([points, blocked[:, :2]])
    taken_half = np.concatenate([np.full((m, 2), MARKER), blocked[:, 2:] / 2])
    out = _homes(points, half)
    tries = _tries()
    for i in _crowded_first(points):
        at = out[i] + tries
        inside = ((at >= half[i]) & (at <= np.asarray(frame) - half[i])).all(axis=1)
        over = (np.abs(at[:, None] - taken) < half[i] + taken_half).all(axis=2).any(axis=1)
        free = np.flatnonzero(inside & ~over)
        if len(free):
            out[i] = at[free[0]]
        taken = np.concatenate([taken, out[i : i + 1]])
        taken_half = np.concatenate([taken_half, sizes[i : i + 1] / 2])
    return out


def overlaps(centres: Points, sizes: Points) -> int:
    """How many pairs of boxes overlap."""
    apart = np.abs(centres[:, None] - centres[None])
    room = (sizes[:, None] + sizes[None]) / 2
    crossed = (apart < room - 1e-9).all(axis=2)
    return int(np.triu(crossed, 1).sum())


def _tries() -> Points:
    """(k, 2) moves on a grid, near ones first; across counts half, as labels are wide."""
    steps = np.arange(-_FARTHEST, _FARTHEST + 1, _STEP)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    length = np.hypot(grid[:, 0] / 2, grid[:, 1])
    return np.asarray(grid[np.argsort(length, kind="stable")], dtype=np.float64)


def _crowded_first(points: Points) -> list[int]:
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    order: list[int] = np.argsort(-(apart < _REACH).sum(axis=1), kind="stable").tolist()
    return order


def _homes(points: Points, half: Points) -> Points:
    """Beside the point, away from the mean of the points near it; above it where it is alone."""
    apart = points[:, None] - points[None]
    near = np.hypot(apart[..., 0], apart[..., 1]) < _REACH
    away = (apart * near[..., None]).sum(axis=1)
    length = np.hypot(away[:, 0], away[:, 1])
    alone = length < 1.0
    way = np.divide(away, length[:, None], out=np.zeros_like(away), where=~alone[:, None])
    way[alone] = (0.0, 1.0)
    # As far as box and marker reach in that direction.
    reach = np.min((half + MARKER) / np.maximum(np.abs(way), 1e-9), axis=1)
    return np.asarray(points + way * (reach + 0.5)[:, None], dtype=np.float64)
