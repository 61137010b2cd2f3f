"""What the pictures of `ockham signals eval` share: canvas, title, labels, PNG.

Matplotlib's Agg in the looks of `eval/report/style.py`; nothing global is changed, and the
same arrays give the same bytes. Lengths are points.
"""

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from eval.report.style import GREY, INK, Label

__all__ = ["SIZE", "annotate", "canvas", "looks", "png", "title"]

SIZE = 9.0
"""Of the letters."""
_FAR = 12.0
"""From here on a label has a line to its point."""


def looks() -> AbstractContextManager[None]:
    """Matplotlib's settings, for the length of a `with`."""
    import matplotlib

    settings = {"font.family": "DejaVu Sans", "font.size": SIZE, "text.parse_math": False}
    settings |= {"text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": GREY}
    context: AbstractContextManager[None] = matplotlib.rc_context(settings)
    return context


def canvas(
    width: float, height: float, boxes: Sequence[tuple[float, float, float, float]]
) -> tuple[Any, list[Any]]:
    """A figure, and axes at (left, bottom, width, height)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    out = []
    for left, bottom, wide, tall in boxes:
        axes = figure.add_axes((left / width, bottom / height, wide / width, tall / height))
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(color=GREY, labelcolor=INK, length=3)
        out.append(axes)
    return figure, out


def title(figure: Any, text: str, caption: str) -> None:
    """A bold line, and the caption's lines in grey below it, at the top."""
    high = figure.get_figheight() * 72
    figure.text(0.02, 1 - 16 / high, text, weight="bold", size=SIZE + 2, va="baseline")
    figure.text(
        0.02, 1 - 22 / high, caption, color=GREY, size=SIZE - 1, va="top", linespacing=1.3
    )  # fmt: skip


def annotate(axes: Any, label: Label) -> None:
    """Text beside its point; a line joins them where they are far apart."""
    far = (label.dx**2 + label.dy**2) ** 0.5 > _FAR
    line = {"arrowstyle": "-", "color": GREY, "lw": 0.6, "shrinkA": 1, "shrinkB": 3}
    axes.annotate(
        label.text,
        (label.x, label.y),
        xytext=(label.dx, label.dy),
        textcoords="offset points",
        ha="right" if label.dx < -1 else "left" if label.dx > 1 else "center",
        va="top" if label.dy < -1 else "bottom" if label.dy > 1 else "center",
        color=label.colour,
        bbox={"color": "white", "alpha": 0.7, "pad": 0.4, "linewidth": 0},
        arrowprops=line if far else None,
        zorder=5,
    )


def png(figure: Any) -> bytes:
    """The figure's bytes."""
    out = io.BytesIO()
    figure.canvas.print_png(out, metadata={"Software": None})
    return out.getvalue()
