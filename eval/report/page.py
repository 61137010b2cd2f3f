"""The page: verdicts, figures, tables and stamps in one HTML file that loads nothing."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.replay import RIVALS
from eval.replay_show import published
from eval.report.data import Cell, Contestant, Section, Source, number
from eval.report.figures import alt_texts
from eval.report.plotly_figures import figures, script
from eval.report.style import Style
from eval.report.verdict import verdicts
from eval.writing import render

__all__ = ["page"]

HEADLINE = (
    ("apgr", "APGR"),
    ("cpt50", "CPT50"),
    ("cpt80", "CPT80"),
    ("cost-apgr", "cost-APGR"),
    ("aiq", "AIQ"),
    ("accuracy", "accuracy"),
    ("usd-per-1000", "USD per 1,000"),
    ("large-share", "large share"),
    ("accuracy-at-budget", "accuracy at budget"),
    ("cost-at-accuracy", "USD at 95 % of the gap"),
    ("routerarena", "RouterArena"),
    ("utility", "utility"),
    ("regret-oracle", "regret to oracle"),
    ("regret-best-single", "regret to best single"),
    ("optimal-pick", "optimal picks"),
    ("apgr-routellm", "APGR, RouteLLM's ten thresholds"),
    ("auroc-small", "AUROC of P(small right)"),
    ("brier-small", "Brier"),
    ("ece-small", "ECE"),
    ("robustness", "same arm when perturbed"),
)
MONEY = (
    "usd-per-1000",
    "cost-apgr",
    "aiq",
    "accuracy-at-budget",
    "cost-at-accuracy",
    "routerarena",
    "optimal-pick",
    "cost-over-oracle",
    "utility",
)
GLOSSARY = (
    (
        "APGR",
        "Area under the share of the gap between all-small and all-large that is recovered, "
        "over the share of queries that go to the large model, all thresholds. Random: 0.5.",
    ),
    ("CPT50, CPT80", "Least share of large calls that recovers 50 % or 80 % of the gap."),
    ("cost-APGR", "The same area over cost instead of the share of calls."),
    ("AIQ", "Mean accuracy over the cost range from all-small's to all-large's."),
    ("accuracy at budget", "On the curve, half way between all-small's and all-large's cost."),
    ("USD at 95 % of the gap", "USD per 1,000 queries where the curve has recovered 95 %."),
    ("utility", "Accuracy minus cost, at the price at which all-small and all-large tie."),
    ("regret", "Accuracy lost against the oracle, or against the better single model."),
    (
        "in-distribution",
        "Fitted on other rows of the same benchmark, on so many labels: flatters what must travel.",
    ),
    ("transfer", "Fitted on another benchmark."),
    ("sees the scores", "Not a policy but the bound of all of them."),
    (
        "price ratio",
        "The dearer model's prices times a half or two, because prices move and are "
        "partly assumptions.",
    ),
)


@dataclass(frozen=True)
class _Figure:
    title: str
    alt: str
    caption: str
    parts: tuple[str, ...]
    png: str


@dataclass(frozen=True)
class _Pair:
    """One contestant against one rival."""

    c: Contestant
    rival: str
    apgr: Cell
    cost: Cell
    utility: Cell
    p: str


@dataclass(frozen=True)
class _View:
    section: Section
    headline: list[tuple[str, str]]
    verdicts: list[str]
    json: dict[str, str]
    figures: list[_Figure]
    pairs: list[_Pair]
    tests: str
    undefined: list[str]


def page(
    sources: Sequence[Source],
    sections: Sequence[Section],
    looks: Sequence[Sequence[Style]],
    drawn: Sequence[Mapping[str, bytes]],
) -> str:
    """The whole page; `drawn` are the sections' PNGs, for readers without scripts."""
    views = [_view(s, look, png) for s, look, png in zip(sections, looks, drawn, strict=True)]
    return render(
        Path(__file__).parent,
        title=_title(sections),
        sources=sources,
        sections=views,
        money=MONEY,
        glossary=GLOSSARY,
        cited=_cited(sections),
        number=number,
        raw=_raw,
        stamp_rows=_stamp_rows,
        checksums=_checksums,
        plotly=script(),
    )


def _title(sections: Sequence[Section]) -> str:
    names = list(dict.fromkeys(s.benchmark for s in sections))
    if len(names) > 4:
        return f"Routing on {len(names)} benchmarks"
    sources = ", ".join(dict.fromkeys(s.source for s in sections))
    return f"Routing on {' and '.join(names)} ({sources})"


def _view(section: Section, looks: Sequence[Style], png: Mapping[str, bytes]) -> _View:
    json = figures(section, looks)
    tests = [
        cell.note
        for c in section.contestants
        for metric, cell in c.cells.items()
        if metric.startswith("p-utility") and cell.note
    ]
    undefined = {
        f"{metric}: {c.cells[metric].note}": None
        for c in section.contestants
        for metric, _ in HEADLINE
        if metric in c.cells and c.cells[metric].value is None and c.cells[metric].note
    }
    return _View(
        section,
        [(m, title) for m, title in HEADLINE if any(m in c.cells for c in section.contestants)],
        verdicts(section),
        json,
        _figures(section, looks, json, png),
        _pairs(section),
        tests[0] if tests else "",
        list(undefined),
    )


def _figures(
    section: Section, looks: Sequence[Style], json: Mapping[str, str], png: Mapping[str, bytes]
) -> list[_Figure]:
    alts = alt_texts(section)
    faint = sum(s.faint for s in looks)
    captions = {
        "cost-quality": (
            "Accuracy over cost",
            "Each curve runs from all-small to all-large as the threshold moves; filled points "
            "are operating points with 95 % intervals. The random mix is the straight line "
            "between the ends. Point at a curve for its share of large calls."
            + (f" In grey: {faint} more policies." if faint else ""),
        ),
        "apgr": ("Area recovered, by policy", _apgr_caption(section)),
        "prices": (
            "If the price ratio were half, or double",
            "▽ half the price ratio, ● as it is, △ double; bars are 95 % intervals.",
        ),
    }
    out = []
    for name, (title, text) in captions.items():
        parts = tuple(p for p in json if p == name or p.startswith(f"{name}-"))
        if name == "cost-quality":
            parts = tuple(p for p in parts if p == name)
        if parts:
            data = base64.b64encode(png.get(name, b"")).decode()
            out.append(_Figure(title, alts[name], text, parts, data))
    return out


def _apgr_caption(section: Section) -> str:
    text = "Bars are 95 % intervals over questions; the dotted line is the random mix."
    for c in section.with_metric("apgr"):
        if c.sees:
            text += f" The {c.policy}, out of the frame: {number(c.get('apgr').value)}."
    if section.published():
        text += " Hollow: published, not ours, and by RouteLLM's ten thresholds."
    return text


def _pairs(section: Section) -> list[_Pair]:
    out = []
    for c in section.ranked:
        for rival in RIVALS:
            apgr, cost = c.get(f"apgr-minus-{rival}"), c.get(f"cost-apgr-minus-{rival}")
            utility, p = c.get(f"utility-minus-{rival}"), c.get(f"p-utility-vs-{rival}")
            if any(cell.value is not None for cell in (apgr, cost, utility, p)):
                out.append(_Pair(c, rival, apgr, cost, utility, _p_text(p)))
    return out


def _p_text(cell: Cell) -> str:
    """p-values of several seeds are not averaged."""
    ends = dict.fromkeys(number(f(cell.values), "p-utility") for f in (min, max) if cell.values)
    return " to ".join(ends) or number(None)


def _cited(sections: Sequence[Section]) -> list[str]:
    names = dict.fromkeys(s.source for s in sections if s.published())
    return [str(published()[name]["source"]) for name in names]


def _stamp_rows(stamp: dict[str, Any]) -> list[tuple[str, str]]:
    plan = stamp.get("plan") if isinstance(stamp.get("plan"), dict) else {}
    assert isinstance(plan, dict)
    seeds = plan.get("seeds")
    rows = [
        ("command", stamp.get("command")),
        ("source", stamp.get("source")),
        ("licence", stamp.get("licence")),
        ("seeds", ", ".join(map(str, seeds)) if isinstance(seeds, list) else seeds),
        ("resamples", plan.get("resamples")),
        ("folds", plan.get("folds")),
        ("labels asked for", plan.get("labels") or "all that the folds leave"),
    ]
    tables = stamp.get("tables")
    for t in tables if isinstance(tables, list) else []:
        if isinstance(t, dict):
            arms = t.get("arms") if isinstance(t.get("arms"), list) else []
            said = f"{t.get('questions')} questions, {t.get('incomplete')} incomplete left out; "
            said += f"arms {', '.join(map(str, arms or []))}; checksum {t.get('checksum')}; "
            said += f"features {t.get('features') or 'none'}"
            rows.append((f"data of {t.get('benchmark')}", said))
    versions = stamp.get("versions")
    if isinstance(versions, dict):
        rows.append(("versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    rows.append(("seconds", stamp.get("seconds")))
    return [(name, str(text)) for name, text in rows if text is not None]


def _checksums(stamp: dict[str, Any]) -> list[tuple[str, str]]:
    files = stamp.get("files")
    return [(str(k), str(v)) for k, v in files.items()] if isinstance(files, dict) else []


def _raw(value: float | None) -> str:
    return number(None) if value is None else repr(value)
