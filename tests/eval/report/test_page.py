"""The page: whole, valid, escaped, and alone."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from eval.report import data as report_data
from eval.report import page as report_page
from eval.report.data import load
from eval.report.figures import pictures
from eval.report.page import page
from eval.report.style import styles

from .report_results import record, routed, single, stamp, usual, write

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Reader(HTMLParser):
    """Tags with their attributes; every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)

    @property
    def words(self) -> str:
        """All visible text, with single spaces."""
        return " ".join(" ".join(self.text).split())


def build(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *files: list[dict[str, Any]],
    draw: bool = False,
) -> str:
    """The page of files, without plotly's four megabytes."""
    monkeypatch.setattr(report_page, "script", lambda: "/* plotly */")
    paths = [write(tmp_path / f"r{i}.jsonl", lines) for i, lines in enumerate(files)]
    sources, sections = load(paths)
    looks = styles(sections)
    both = zip(sections, looks, strict=True)
    drawn = [pictures(s, look) if draw else {} for s, look in both]
    return page(sources, sections, looks, drawn)


def test_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = build(tmp_path, monkeypatch, usual(), draw=True)
    reader = Reader(text)
    words = reader.words
    assert ("html", {"lang": "en"}) in reader.tags
    assert "<title>Routing on b (hand)</title>" in text
    for wanted in (
        "text-logistic (in-distribution, 400 labels) has an APGR of 0.660 [0.640, 0.680]; it beats",
        "500 questions; tiny -> huge; incomplete queries left out: 7.",
        "Operating point: large for 50%",
        "ockham replay --source hand --out r.jsonl",
        "checksum 0123456789abcdef",
        "numpy 2.4.6",
        "CC0-1.0",
        "ab" * 32,
        "needs-verdicts: it has no checks",
        "two-sided, Holm over 3 tests",
        "0.0123",
    ):
        assert wanted in words, wanted
    assert words.count("in-distribution, 400 labels") > 3
    images = [attrs for tag, attrs in reader.tags if tag == "img"]
    assert len(images) == 3 and all(i["alt"] for i in images)
    labelled = [a for t, a in reader.tags if t == "div" and a.get("role") in ("img", "region")]
    assert len(labelled) >= 6 and all(a["aria-label"] for a in labelled)
    assert all(a.get("tabindex") == "0" for a in labelled if a["role"] == "region")


def test_numbers_are_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = build(tmp_path, monkeypatch, usual())
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)<small>.*?</th>(.*?)</tr>", text, re.S)
    unrounded = {}
    for policy, cells in rows:
        found = re.findall(r"<td[^>]*>(.*?)</td>", cells, re.S)
        if len(found) == 7:
            unrounded[policy, found[0]] = tuple(found[1:4])
    shown = [r for r in usual() if r["kind"] == "record" and r["metric"] != "not-replayable"]
    assert len(unrounded) == len(shown)
    for r in shown:
        told = [("–" if r[k] is None else repr(r[k])) for k in ("value", "low", "high")]
        assert unrounded[r["policy"], r["metric"]] == tuple(told)
    headline = next(cells for policy, cells in rows if policy == "text-logistic")
    assert re.search(r"<td>0\.660<small>\[0\.640, 0\.680\]</small></td>", headline)


def test_figures_are_in_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = build(tmp_path, monkeypatch, usual())
    blocks = dict(
        re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', text, re.S)
    )
    places = set(re.findall(r'data-figure="([^"]+)"', text))
    assert places == set(blocks) and len(blocks) == 5
    for block in blocks.values():
        assert {"data", "layout", "height", "narrow"} <= set(json.loads(block))


def test_nothing_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = build(tmp_path, monkeypatch, usual(), draw=True)
    for tag, attrs in Reader(text).tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attrs.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)
    assert "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text and "http" not in text.replace("http-equiv", "")


def test_hostile_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = "</script><script>alert(1)</script><b onclick='x'>\"&{{ 7*7 }}"
    lines = [
        stamp(command=bad, licence=bad, files={bad: bad}, versions={bad: bad}),
        *routed(bad, 0.6, protocol=bad, labels=3, note=bad, pair=bad, source=bad, benchmark=bad),
        record(bad, "not-replayable", None, note=bad, source=bad, benchmark=bad, pair=bad),
    ]
    text = build(tmp_path, monkeypatch, lines)
    reader = Reader(text)
    assert "<script>alert" not in text
    assert not [t for t, a in reader.tags if t == "b" or "onclick" in a]
    assert sum(t == "script" for t, _ in reader.tags) == 2 + 5
    assert unescape(text).count("{{ 7*7 }}") and bad in reader.words


def test_faint_policies_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [line for i in range(12) for line in routed(f"p{i}", 0.5 + i / 100)]
    words = Reader(build(tmp_path, monkeypatch, [*usual(), *many])).words
    assert "In grey: 9 more policies." in words


def test_several_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        *usual(),
        *routed("text-logistic", 0.68, protocol="in-distribution", labels=400, seed=1),
    ]
    lines[-1]["value"] = 0.05
    words = Reader(build(tmp_path, monkeypatch, lines)).words
    assert "Numbers over several seeds are means" in words
    assert "0.670 [0.650, 0.690] SD 0.014, 2 seeds" in words
    assert "0.0123 to 0.0500" in words


def test_nulls_and_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = "the large arm is no better"
    lines = [*single("mine", 2.0, 0.7), record("mine", "apgr", None, note=note)]
    words = Reader(build(tmp_path, monkeypatch, lines)).words
    assert f"No APGR can be stated ({note}). The best accuracy is mine's" in words
    assert f"apgr: {note}." in words
    assert "This file has no stamp" in words
    assert "incomplete queries left out: not recorded" in words
    assert "None: every policy asked for was replayed." in words


def test_sections_and_citations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"hand": {"b": {"theirs": {"apgr": 0.61}}, "source": "Somebody, 2024"}}
    monkeypatch.setattr(report_data, "published", lambda: others)
    monkeypatch.setattr(report_page, "published", lambda: others)
    more = [{**r, "benchmark": "c"} for r in routed("random", 0.5)]
    reader = Reader(build(tmp_path, monkeypatch, usual(), more))
    assert "Published figures: Somebody, 2024." in reader.words
    assert "Hollow: published, not ours" in reader.words
    targets = {a["href"] for t, a in reader.tags if t == "a"}
    ids = {f"#{a['id']}" for _, a in reader.tags if "id" in a}
    assert targets == {"#s1", "#s2", "#made"} and targets <= ids
    seen = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(seen) == len(set(seen))


def test_what_is_odd_about_a_table_is_said_and_is_no_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = record("", "note", None, note="30 of 90 rows have no cost")
    text = build(tmp_path, monkeypatch, [*usual(), odd])
    assert "30 of 90 rows have no cost" in Reader(text).words
    bare = build(tmp_path, monkeypatch, usual())
    assert text.count('<th scope="row">') == bare.count('<th scope="row">')
