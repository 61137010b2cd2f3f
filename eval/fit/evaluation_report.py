"""The report of `ockham signals eval`: a record, a file, and text for the terminal.

What this does not do: measure anything (see `evaluation`), draw (see `pictures`).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from eval.fit.families import Pair
from eval.fit.heldout_scores import Judged
from eval.fit.injected import Move
from eval.fit.measures import Figure
from eval.writing import write_files
from router.errors import InputError
from router.record import Record
from router.signals.head import AXES, LEARNED_NEEDS

__all__ = ["REPORT", "Report", "read_report", "text_of", "write_report"]

REPORT = "report.json"
WORST_PAIRS = 8
_SHORT = {"verifiability": "verifiability", "knowledge_demand": "knowledge"}
_PARTS = ("twins", "code", "science", "languages", "wrapped", "all")


class Report(Record):
    """All that was measured, and what was measured how. Figures of `ours` come first."""

    format: int = 1
    command: str
    quick: bool
    """True: samples of everything; the figures are no result."""
    seed: int
    seconds: float
    versions: Mapping[str, str]
    data: Mapping[str, str]
    """File name to a checksum."""
    rows: int
    written: int
    checksum: str
    """Of the training table (`eval.fit.journal.checksum`)."""
    featuriser: str
    head: str
    """Which head was judged live, and why."""
    contenders: tuple[str, ...]
    figures: tuple[Figure, ...]
    pairs: tuple[Pair, ...]
    prompts: tuple[Judged, ...]
    """The held-out prompts as the live featuriser sees them."""
    moves: tuple[Move, ...]
    """The injections that moved an axis most."""

    def find(self, contender: str, part: str, axis: str, metric: str) -> Figure | None:
        """One figure."""
        asked = (contender, part, axis, metric)
        found = (f for f in self.figures if (f.contender, f.part, f.axis, f.metric) == asked)
        return next(found, None)


def write_report(report: Report, folder: Path) -> Path:
    """Write `report.json`, whole or not at all; SetupError where that cannot be."""
    write_files(folder, {REPORT: (report.model_dump_json(indent=1) + "\n").encode()})
    return folder / REPORT


def read_report(path: Path) -> Report:
    """A written report; InputError naming the file where it is none."""
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        why = str(error).splitlines()[0]
        raise InputError(f"{path}: no report of `ockham signals eval`: {why}") from None


def text_of(report: Report) -> str:
    """The tables that people read: what stands in the file is more."""
    ours = report.contenders[0]
    parts = [
        _head(report),
        _families(report),
        _worst_pairs(report, ours),
        _worst_families(report, ours),
        _held_out(report, ours),
        _rest(report, ours),
        _flips(report, ours),
        _legend(report),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _head(report: Report) -> list[str]:
    lines = []
    if report.quick:
        lines = ["*** QUICK: samples of pairs, families and texts. A trial run, NOT a result. ***"]
    return [
        *lines,
        f"{report.rows:,} training rows ({report.written:,} written), checksum {report.checksum}, "
        f"seed {report.seed}, {report.seconds:.0f} s",
        f"head judged live: {report.head}",
    ]


def _families(report: Report) -> list[str]:
    metrics: tuple[str, ...] = (
        "macro-auroc", "accuracy", "family-accuracy", "macro-f1", "brier", "ece"
    )  # fmt: skip
    lines = ["Held-out families of benchmarks"]
    for axis in AXES:
        rows = [
            [
                name,
                *(cell(report.find(name, "families", axis, m)) for m in metrics),
                _count(report, name, axis),
            ]
            for name in report.contenders
        ]
        lines += _grid([_SHORT[axis], *metrics, "pairs, rows"], rows)
    lines.append("Written prompts, each by a fit that saw not its topic")
    metrics = ("auroc", "accuracy", "macro-f1", "brier", "ece")
    for axis in AXES:
        rows = [
            [name, *(cell(report.find(name, "written", axis, m)) for m in metrics)]
            for name in report.contenders
        ]
        lines += _grid([_SHORT[axis], *metrics], rows)
    return lines


def _count(report: Report, name: str, axis: str) -> str:
    found = [report.find(name, "families", axis, m) for m in ("macro-auroc", "accuracy")]
    return ", ".join(f"{f.n:,}" for f in found if f)


def _worst_pairs(report: Report, name: str) -> list[str]:
    lines = [f"Worst pairs of {name}"]
    for axis in AXES:
        own = [p for p in report.pairs if (p.contender, p.axis) == (name, axis)]
        own.sort(key=lambda p: p.auroc)
        rows = [
            [
                f"{p.positive} above {p.negative}",
                f"{p.auroc:.3f}",
                str(p.n_positive),
                str(p.n_negative),
                str(p.dropped),
            ]
            for p in own[:WORST_PAIRS]
        ]
        lines += _grid([_SHORT[axis], "auroc", "n+", "n-", "near twins dropped"], rows)
        dropped = sum(p.dropped for p in own)
        lines.append(f"  {len(own)} pairs, {dropped} near twins dropped from their training rows")
    return lines


def _worst_families(report: Report, name: str) -> list[str]:
    lines = [f"Worst families of {name}, calibrated without them"]
    for axis in AXES:
        own = [
            f
            for f in report.figures
            if f.contender == name
            and f.axis == axis
            and f.part.startswith("families/")
            and f.metric == "accuracy"
            and f.value is not None
        ]
        own.sort(key=lambda f: f.value or 0.0)
        rows = [
            [
                f.part.partition("/")[2],
                cell(f),
                cell(report.find(name, f.part, axis, "brier")),
                str(f.n),
            ]
            for f in own[:WORST_PAIRS]
        ]
        lines += _grid([_SHORT[axis], "accuracy", "brier", "n"], rows)
    return lines


def _held_out(report: Report, ours: str) -> list[str]:
    metrics = ("auroc", "accuracy", "macro-f1", "brier", "ece")
    lines = ["Held-out prompts, live"]
    for axis in AXES:
        rows = []
        for part in _PARTS:
            found = [report.find(ours, part, axis, m) for m in metrics]
            rows.append([part, *(cell(f) for f in found), str(found[1].n) if found[1] else "-"])
        lines += _grid([_SHORT[axis], *metrics, "n"], rows)
    if len(report.contenders) > 1:
        lines.append("The same prompts, AUROC")
        for axis in AXES:
            rows = [
                [name, *(cell(report.find(name, part, axis, "auroc")) for part in _PARTS)]
                for name in report.contenders
            ]
            lines += _grid([_SHORT[axis], *_PARTS], rows)
    return lines


def _rest(report: Report, ours: str) -> list[str]:
    lines = ["Twins ordered right, science seen as demanding, injections"]
    asked = [("twins", axis, "ordered") for axis in AXES]
    asked += [("science", "knowledge_demand", "share-high")]
    asked += [("injections", "", "steered"), ("innocent", "", "steered")]
    moves = ("max-move", "p95-move", "share-moved", "flips")
    asked += [("injections", axis, m) for axis in AXES for m in moves]
    lines += _grid(["part", "axis", "what", "value", "n"], list(_listed(report, ours, asked)))
    asked = [(part, "", m) for part in _PARTS for m in ("domain-accuracy", "form-accuracy")]
    said = ("both-right", "confidence-mean", "confidence-ece", "confidence-auroc")
    asked += [("all", "", m) for m in said]
    asked += [("all", "", f"{n}-{m}") for n in LEARNED_NEEDS for m in ("precision", "recall", "f1")]
    lines += ["Domain, form, confidence, needs"]
    lines += _grid(["part", "axis", "what", "value", "n"], list(_listed(report, ours, asked)))
    languages = list(
        dict.fromkeys(f.part for f in report.figures if f.part.startswith("languages/"))
    )
    rows = [
        [
            part.partition("/")[2],
            *(cell(report.find(ours, part, axis, "accuracy"), 2) for axis in AXES),
        ]
        for part in languages
    ]
    return [*lines, "Languages, accuracy", *_grid(["language", *_SHORT.values()], rows)]


def _listed(
    report: Report, name: str, asked: Sequence[tuple[str, str, str]]
) -> Iterator[list[str]]:
    for part, axis, metric in asked:
        found = report.find(name, part, axis, metric)
        if found:
            yield [part, _SHORT.get(axis, ""), metric, cell(found), str(found.n)]


def _flips(report: Report, ours: str) -> list[str]:
    parts = list(dict.fromkeys(f.part for f in report.figures if f.part.startswith("flips/")))
    lines = ["Flips: share of decisions that another dress turns over, AUROC on the dressed texts"]
    for axis in AXES:
        rows = []
        for part in parts:
            flips = report.find(ours, part, axis, "flips")
            found = [report.find(ours, part, axis, m) for m in ("auroc", "auroc-before")]
            rows.append(
                [
                    part.partition("/")[2],
                    cell(flips),
                    *(cell(f) for f in found),
                    str(flips.n) if flips else "-",
                ]
            )
        lines += _grid([_SHORT[axis], "flips", "auroc", "auroc before", "n"], rows)
    return lines


def _legend(report: Report) -> list[str]:
    return [
        "[..]: 95 % bootstrap over whole families, topics, languages, base prompts; Wilson for "
        "shares of single rows, and for shares of 0 or 1.",
        "ECE: 10 bins of equal mass; resamples bias it upwards, so its interval may lie above it. "
        "macro-auroc: mean over pairs of a held-out positive and a held-out negative family.",
        *(["*** QUICK run: NOT a result. ***"] if report.quick else []),
    ]


def cell(figure: Figure | None, digits: int = 3) -> str:
    """`value [low, high]`, or a dash."""
    if figure is None or figure.value is None:
        return "-"
    text = f"{figure.value:.{digits}f}"
    if figure.low is None or figure.high is None:
        return text
    return f"{text} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def _grid(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of the width of their widest cell; the first to the left, the others to the right."""
    widths = [max(len(r[k]) for r in (titles, *rows)) for k in range(len(titles))]
    return [
        "  "
        + "  ".join(
            text.ljust(width) if k == 0 else text.rjust(width)
            for k, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (titles, *rows)
    ]
