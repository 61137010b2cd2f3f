"""A coverage experiment in words: on the terminal, as JSON, and the files of its page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.benchmarks.coverage import CONDITIONS
from eval.compare import Interval
from eval.knowledge.drawn import read_questions
from eval.knowledge.experiment import QUESTIONS, Pair, Plan
from eval.knowledge.paired import Paired, join
from eval.knowledge.questions import checksum
from eval.knowledge.shares import Group, as_json, groups, numbers, verdicts
from eval.writing import write_files

if TYPE_CHECKING:
    from eval.runs.session import Prepared

__all__ = ["PROTOCOL_ONLY", "Body", "Model", "body", "percent", "show", "usd", "write"]

PROTOCOL_ONLY = "A 135M reader proves the protocol, not the hypothesis."
SMALL_ONLY = "A reader this small proves the protocol, not the hypothesis."
GROUPINGS = ("field", "category", "kind", "difficulty")
RESAMPLES = 2000
WIDE = 140


@dataclass(frozen=True)
class Model:
    """One pair of arms, and all that is said of it."""

    data: Paired
    found: Mapping[str, Interval]
    groups: Mapping[str, Sequence[Group]]
    says: Sequence[str]

    @property
    def title(self) -> str:
        """Arms and model."""
        return f"{self.data.arm} and {self.data.index_arm} ({self.data.columns['closed'].model})"

    @property
    def shown(self) -> list[str]:
        """Conditions in the order of the page."""
        names = [c for c in CONDITIONS if c in self.data.columns]
        return names + (["reference"] if "reference" in self.data.columns else [])


@dataclass(frozen=True)
class Body:
    """The models of an experiment, and the plain data of its JSON."""

    models: Sequence[Model]
    data: Mapping[str, Any]


def body(
    plan: Plan,
    pairs: Sequence[Pair],
    runs: "Mapping[str, Mapping[str, Prepared]]",
    command: Sequence[str],
) -> Body:
    """Everything that is counted. Raises `InputError` where nothing is finished yet."""
    questions = read_questions(plan.out / QUESTIONS)
    models, said = [], []
    for pair in pairs:
        own = runs[pair.arm]
        folders = {name: run.folder for name, run in own.items()}
        data = join(pair.arm, pair.index_arm, plan.reference, questions, folders)
        found = numbers(data, RESAMPLES, plan.seed)
        grouped = {by: groups(data, by) for by in GROUPINGS}
        model = Model(data, found, grouped, [*verdicts(data, found), *_small(pair, data)])
        models.append(model)
        said.append(_model(model, own))
    stamp = {
        "command": "ockham " + " ".join(command),
        "seed": plan.seed,
        "resamples": RESAMPLES,
        "questions": {"planned": len(questions), "checksum": checksum(questions)},
        "left_out_countries": list(plan.leave_out),
        "versions": {name: version(name) for name in ("ockham-router", "numpy", "polars", "pint")},
    }
    return Body(models, {"stamp": stamp, "models": said})


def _small(pair: Pair, data: Paired) -> list[str]:
    if not pair.is_small:
        return []
    return [PROTOCOL_ONLY if "135m" in data.columns["closed"].model.lower() else SMALL_ONLY]


def _model(model: Model, runs: "Mapping[str, Prepared]") -> dict[str, Any]:
    data = model.data
    return {
        "arm": data.arm,
        "index_arm": data.index_arm,
        "reference": data.reference,
        "model": data.columns["closed"].model,
        "questions": len(data.questions),
        "planned": data.planned,
        "countries": len(set(data.countries.tolist())),
        "says": list(model.says),
        "numbers": as_json(model.found),
        "failed": {name: int(c.failed.sum()) for name, c in data.columns.items()},
        "price": {name: list(c.basis) for name, c in data.columns.items()},
        "groups": {
            by: [
                {**g._asdict(), "accuracy": as_json(g.accuracy)}
                for g in found
            ]
            for by, found in model.groups.items()
        },
        "runs": {
            name: {
                "protocol": run.manifest.protocol,
                "checksums": {k: v for k, v in run.manifest.same.items() if "checksums" in k},
                "index": run.manifest.index,
                "created": run.manifest.created,
            }
            for name, run in runs.items()
        },
    }  # fmt: skip


def show(made: Body) -> None:
    """Print every model's table and sentences."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if Console().is_terminal else WIDE)
    for model in made.models:
        n = len(model.data.questions)
        grid = Table(
            title=f"{model.title}: {n} of {model.data.planned} questions", title_justify="left"
        )
        grid.add_column("condition", no_wrap=True)
        for name in ("accuracy", "abstained", "failed", "USD a correct answer"):
            grid.add_column(name, justify="right")
        for name in model.shown:
            column = model.data.columns[name]
            grid.add_row(
                name,
                Text(percent(model.found[f"accuracy {name}"])),
                f"{100 * column.abstained.mean():.0f}",
                str(int(column.failed.sum())),
                Text(usd(model.found[f"usd a correct answer {name}"])),
            )
        console.print(grid)
        for line in model.says:
            console.print(f"  {line}", highlight=False, markup=False)
    console.print(
        f"Accuracy in %; [..]: 95 % over whole countries, {RESAMPLES:,} resamples, paired.",
        highlight=False,
        markup=False,
    )


def percent(got: Interval) -> str:
    """`19.2 [13.1, 25.0]`."""
    if got.value != got.value:
        return "–"
    ends = "" if got.low != got.low else f" [{100 * got.low:.1f}, {100 * got.high:.1f}]"
    return f"{100 * got.value:.1f}{ends}"


def usd(got: Interval) -> str:
    """Four significant digits."""
    if got.value != got.value:
        return "–"
    ends = "" if got.low != got.low else f" [{got.low:.3g}, {got.high:.3g}]"
    return f"{got.value:.3g}{ends}"


def write(made: Body, out: Path) -> None:
    """Pictures, JSON and page, the page last.

    Raises:
        SetupError: the folder cannot be written.
    """
    from eval.knowledge.page import page
    from eval.knowledge.pictures import pictures

    drawn = {
        f"{kind}-{number}.png": picture
        for number, model in enumerate(made.models, start=1)
        for kind, picture in pictures(model).items()
    }
    files = {**drawn, "coverage.json": json.dumps(made.data, indent=1).encode()}
    files["index.html"] = page(made, drawn).encode()
    write_files(out, files)
