"""The published table of VibeThinker-3B's report, and the effective sizes read off it.

Constants with their source stand in `published.yaml`. Number of questions as the benchmarks
have them; LiveCodeBench's is that of its v6 window as first published and may be another there.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from eval.hypothesis.grid import grid_of
from eval.hypothesis.populations import Population

__all__ = ["Published", "published", "published_grid"]

_FILE = Path(__file__).with_name("published.yaml")
WITH_SCALING = " + "
"""In the name of a row that is another row with test-time scaling."""


@dataclass(frozen=True)
class Published:
    """The table: model -> total and active parameters (billions), benchmark -> percent."""

    source: str
    benchmarks: Mapping[str, Mapping[str, Any]]
    sizes: Mapping[str, tuple[float | None, float | None]]
    scores: Mapping[str, Mapping[str, float]]
    checksum: str

    def on(self, axis: str) -> list[str]:
        """Benchmarks of an axis, in the table's order."""
        return [name for name, b in self.benchmarks.items() if b["axis"] == axis]


@cache
def published() -> Published:
    """The table as it stands in the repository."""
    raw = _FILE.read_bytes()
    data = yaml.safe_load(raw)
    names = list(data["benchmarks"])
    sizes, scores = {}, {}
    for model, (total, active, *cells) in data["models"].items():
        sizes[model] = (total, active)
        found = zip(names, cells, strict=True)
        scores[model] = {name: float(v) for name, v in found if v is not None}
    checksum = hashlib.sha256(raw).hexdigest()[:16]
    return Published(data["source"], data["benchmarks"], sizes, scores, checksum)


def published_grid() -> Population:
    """The table as a population: plain rows only, test-time scaling is another arm."""
    table = published()
    rows = []
    for model, scores in table.scores.items():
        if WITH_SCALING in model:
            continue
        for name, percent in scores.items():
            about = table.benchmarks[name]
            if about["axis"] is None:
                continue
            guess = 0.0 if about["options"] == 1 else 1 / about["options"]
            rows.append((model, "report", *table.sizes[model], name, about["axis"], guess,
                         percent / 100, float(about["questions"])))  # fmt: skip
    sizeless = [m for m, (total, _) in table.sizes.items() if total is None]
    notes = (
        f"no published size, never fitted: {', '.join(sizeless)}",
        "one knowledge benchmark, GPQA-Diamond, which mixes reasoning in",
        "scores chosen and partly run by the authors of one model: no random sample of models",
    )
    return Population("published_table", grid_of(rows), table.checksum, notes)
