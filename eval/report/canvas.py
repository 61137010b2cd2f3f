"""What all pictures share: canvas, title, PNG.

Matplotlib's Agg in the looks of `eval/report/style.py`; nothing global is changed, and the
same arrays give the same bytes. Lengths are points.
"""

import io
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from eval.report.style import GREY, INK

__all__ = ["SIZE", "canvas", "looks", "png", "title"]

SIZE = 9.0
"""Of the letters."""


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
    """A bold line, and the caption in grey below it, broken to the width, at the top."""
    high, wide = figure.get_figheight() * 72, figure.get_figwidth() * 72
    caption = "\n".join(textwrap.wrap(caption, int(0.95 * wide / (0.56 * (SIZE - 1)))))
    figure.text(0.02, 1 - 16 / high, text, weight="bold", size=SIZE + 2, va="baseline")
    figure.text(
        0.02, 1 - 22 / high, caption, color=GREY, size=SIZE - 1, va="top", linespacing=1.3
    )  # fmt: skip


def png(figure: Any) -> bytes:
    """The figure's bytes."""
    out = io.BytesIO()
    figure.canvas.print_png(out, metadata={"Software": None})
    return out.getvalue()
