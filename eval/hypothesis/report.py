"""The findings as plain data, on the terminal, and as the files of the page."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eval.hypothesis.judge import Findings, Plan
from eval.hypothesis.rules import Verdict
from eval.hypothesis.worlds import MOST_WRONG
from eval.writing import finite, write_files

__all__ = ["RESULT", "body", "headline", "in_short", "show", "write"]

RESULT = "hypothesis.json"
WORDS = ("supported", "refuted", "undecided")
PACKAGES = ("ockham-router", "numpy", "scipy", "statsmodels", "scikit-learn", "polars")
WIDE = 150


def body(found: Findings, plan: Plan, command: Sequence[str]) -> dict[str, Any]:
    """Everything, as JSON data. Holds no time and no path: the same seed gives the same digits."""
    registration = found.registration
    return {
        "stamp": {
            "command": "ockham " + " ".join(command),
            "seed": plan.seed,
            "resamples": plan.resamples or registration.resamples,
            "versions": {name: version(name) for name in PACKAGES},
            "data": dict(found.checksums),
        },
        "preregistration": {
            "sha256": registration.sha256,
            "commit": registration.commit,
            "committed": registration.committed,
            "sha256 at that commit": registration.first_sha256,
            "changed": registration.says,
            "diff": registration.diff,
        },
        "verdicts": [v.plain() for v in found.verdicts],
        "in short": in_short(found.verdicts),
        "headline": headline(found.verdicts),
        "families": {
            name: [finite(p._asdict()) for p in pairs] for name, pairs in found.pairs.items()
        },
        "frontier": {
            name: [
                {
                    "source": f.place,
                    "axis": f.axis,
                    "models": f.models,
                    "decades a logit": f.decades_a_logit.plain(),
                    "decades a year": f.decades_a_year.plain(),
                }
                for f in fronts
            ]
            for name, fronts in found.frontiers.items()
        },
        "score a decade over all models": {k: dict(v) for k, v in found.naive.items()},
        "worlds": {name: report.plain() for name, report in found.worlds.items()},
        "power with more families": {
            name: {str(n): power for n, power in steps.items()}
            for name, steps in found.needed.items()
        },
        "effective sizes": [
            {
                "model": e.model, "benchmark": e.benchmark, "score": e.score, "size": e.size,
                "effective": e.says, "low": e.low, "high": e.high,
                "censored": [w for w, is_ in (("below", e.below), ("above", e.above)) if is_],
                "peers": e.peers,
            }
            for e in found.effective
        ],
        "contrast": [
            {"rank": c.rank, "model": c.model, "verifiable": c.verifiable,
             "knowledge": c.knowledge, "difference": c.difference}
            for c in found.contrasts
        ],
        "points a decade": {k: {"points": p, "models": n} for k, (p, n) in found.points.items()},
        "gsm8k_gpt3": list(found.verifier),
        "claims": [dict(c) for c in found.claims],
        "missing": {k: {**m, "usd": cost_usd(m)} for k, m in found.missing.items()},
    }  # fmt: skip


def in_short(verdicts: Sequence[Verdict]) -> str:
    """What unseen data say, in one line; what was only explored supports and refutes nothing."""
    own = [v for v in verdicts if v.kind == "confirmatory"]
    said = []
    for word in WORDS[:2]:
        names = [f"{_plain(v.prediction)} on {v.population}" for v in own if v.word == word]
        said.append(f"{word}: {', '.join(names) or 'nothing'}")
    decided = {v.prediction for v in own if v.word != WORDS[2]}
    rest = dict.fromkeys(_plain(v.prediction) for v in verdicts if v.prediction not in decided)
    return f"Unseen data. {'; '.join(said)}; undecided: {', '.join(rest) or 'nothing'}."


def headline(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Prediction -> what is said of it where: on unseen populations first."""
    said = {}
    for name in dict.fromkeys(v.prediction for v in verdicts):
        own = [v for v in verdicts if v.prediction == name]
        parts = []
        for kind in ("confirmatory", "exploratory"):
            for word in WORDS:
                where = [v.population for v in own if (v.kind, v.word) == (kind, word)]
                if where:
                    parts.append(f"{word} on {', '.join(where)} ({kind})")
        said[name] = "; ".join(parts)
    return said


def _plain(prediction: str) -> str:
    """`P1 slopes`."""
    return prediction.replace("_", " ")


def cost_usd(missing: Mapping[str, Any]) -> float:
    """Models x questions x samples x tokens x price."""
    return float(
        sum(
            r["models"] * r["questions"] * r["samples"] * r["tokens"] * r["usd_per_million"] / 1e6
            for r in missing["runs"]
        )
    )


def show(found: Findings) -> None:
    """The table of verdicts, the verdict in a line, and what it rests on; whole at any width."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if Console().is_terminal else WIDE)
    grid = Table(title="The Compression-Coverage hypothesis", title_justify="left")
    for name in ("prediction", "population, kind", "verdict", "estimate [95 %]"):
        grid.add_column(name, overflow="fold")
    grid.add_column("models, families, questions", overflow="fold", justify="right")
    grid.add_column("rule met, or why not", overflow="fold", ratio=1)
    for v in found.verdicts:
        grid.add_row(
            _plain(v.prediction),
            f"{v.population}\n{v.kind}",
            v.word,
            Text(v.estimate.says()),
            f"{v.models}, {v.families}, {v.questions:,}",
            Text(v.reason),
        )
    console.print(grid)
    for line in (in_short(found.verdicts), *_grounds(found)):
        console.print(line, highlight=False, markup=False)


def _grounds(found: Findings) -> list[str]:
    """Which pre-registration was used, and what simulated worlds say of its rule."""
    registration = found.registration
    commit = (registration.commit or "unknown")[:12]
    said = [
        f"Pre-registration: SHA-256 {registration.sha256[:16]}, commit {commit} "
        f"({registration.committed or '?'}). {registration.says}"
    ]
    for name, report in found.worlds.items():
        power = ", ".join(f"{100 * p:.0f} % ({k})" for k, p in report.power.items())
        wrong = ", ".join(f"{100 * p:.1f} % ({k})" for k, p in report.wrong.items())
        weak = " UNDERPOWERED: an undecided says little." if report.underpowered else ""
        said.append(
            f"P1 on {name}, {report.worlds} simulated worlds of each kind: power {power}; wrong "
            f"{wrong}, at most {100 * MOST_WRONG:.0f} % allowed.{weak}"
        )
    return said


def write(found: Findings, data: Mapping[str, Any], out: Path) -> None:
    """Pictures, JSON and page, the page last.

    Raises:
        SetupError: the folder cannot be written.
    """
    from eval.hypothesis.page import page
    from eval.hypothesis.pictures import pictures

    drawn = pictures(found)
    files = {f"{name}.png": picture for name, picture in drawn.items()}
    files[RESULT] = json.dumps(data, indent=1).encode()
    files["index.html"] = page(found, data, drawn).encode()
    write_files(out, files)
