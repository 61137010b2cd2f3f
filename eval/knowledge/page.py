"""The page of a coverage experiment: one HTML file that loads nothing."""

import base64
from collections.abc import Mapping
from pathlib import Path

from eval.knowledge.pictures import ALT, SAYS
from eval.knowledge.report import Body, percent, usd
from eval.writing import render

__all__ = ["page"]

GLOSSARY = (
    ("knew it", "Right closed-book: the model's own parameters."),
    ("could read it", "Right with the passages that hold the answer in the prompt."),
    ("could find it", "The answer stands among the passages that the index returned."),
    ("gap", "The reference's accuracy, or 1 without one, minus closed-book."),
    ("gap closed by gold", "(gold minus closed-book) / gap."),
    (
        "gold gain kept by retrieval",
        "(retrieved minus closed-book) / (gold minus closed-book); the bar is 90 %.",
    ),
    ("distractors", "Near passages without the answer: right is to abstain, or to know it."),
    ("misled by distractors", "Known closed-book, and wrong with distractors in the prompt."),
    ("lost by reading", "Known closed-book, and wrong with the gold passage in the prompt."),
)


def page(made: Body, drawn: Mapping[str, bytes]) -> str:
    """The whole page; pictures are in it."""
    return render(
        Path(__file__).parent,
        models=made.models,
        stamp=made.data["stamp"],
        said=made.data["models"],
        pictures={name: base64.b64encode(data).decode() for name, data in drawn.items()},
        kinds=ALT,
        says=SAYS,
        glossary=GLOSSARY,
        percent=percent,
        usd=usd,
    )
