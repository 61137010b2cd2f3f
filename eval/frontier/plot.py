"""The picture of `ockham policy frontier`: accuracy over cost, a line a policy, a dot an arm."""

from typing import Any

from eval.report.canvas import canvas, looks, png, title
from eval.report.style import FREE, GREY, INK

__all__ = ["picture"]

WIDE, HIGH = 420.0, 260.0
LEFT, RIGHT, BOTTOM, TOP = 52.0, 160.0, 44.0, 62.0
REFERENCE = {"random-mix": "--", "oracle": ":", "best-single": "--"}


def picture(facts: dict[str, Any]) -> bytes:
    """The PNG's bytes."""
    from eval.metrics import hull

    with looks():
        box = (LEFT, BOTTOM, WIDE, HIGH)
        figure, (axes,) = canvas(LEFT + WIDE + RIGHT, BOTTOM + HIGH + TOP, [box])
        cost = [a["cost"] for a in facts["arms"]]
        axes.plot(cost, [a["accuracy"]["value"] for a in facts["arms"]], "o", color=GREY,
                  markersize=3, label="one arm")  # fmt: skip
        colours = iter(FREE * (1 + len(facts["policies"])))
        for p in facts["policies"]:
            own = p["policy"] in REFERENCE
            line = hull(p["curve"]["cost"], p["curve"]["accuracy"])
            axes.plot(
                line.cost, line.quality, label=p["policy"], linewidth=1.2,
                marker="D" if len(line.cost) == 1 else None, markersize=4,
                color=(GREY if p["policy"] != "best-single" else INK) if own else next(colours),
                linestyle=REFERENCE.get(p["policy"], "-"),
            )  # fmt: skip
        axes.set_xlabel(facts["unit"])
        axes.set_ylabel("accuracy")
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.02, 1.0))
        title(
            figure,
            f"Cost and accuracy of routing {len(facts['arms'])} arms",
            f"{facts['source']} / {facts['benchmark']}, {facts['questions']:,} questions, "
            f"{len(facts['seeds'])} seeds; hulls of price sweeps; oracle sees the scores.",
        )
        return png(figure)
