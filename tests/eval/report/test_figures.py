"""Figures: PNGs that show something, labels clear of each other, JSON that plotly accepts."""

import io
import json
import math
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image

from eval.report import data as report_data
from eval.report.data import Section, load
from eval.report.figures import alt_texts, pictures, scene
from eval.report.plotly_figures import figures, script
from eval.report.style import FAINT, Frame, Style, caption, place, styles

from .report_results import record, routed, single, stamp, usual, write

NAMES = {"cost-quality", "apgr", "prices"}
HOSTILE = "</script><script>alert(1)</script> $x_1$ 混合 %{x} & <b>"


def made(tmp_path: Path, lines: list[dict[str, Any]]) -> tuple[Section, list[Style]]:
    """The only section of a file, with its styles."""
    _, sections = load([write(tmp_path / "r.jsonl", lines)])
    assert len(sections) == 1
    return sections[0], styles(sections)[0]


def check(png: bytes) -> None:
    """Decodes, is of a size to be read, and is neither blank nor solid."""
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("L"), dtype=np.float64)
    assert 700 <= pixels.shape[1] <= 4000 and 250 <= pixels.shape[0] <= 6000
    assert pixels.std() > 5 and 0.8 < (pixels > 250).mean() < 0.995
    # Nothing is cut off: the border is white.
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert (border == 255).all()


def test_pictures(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    drawn = pictures(*made(tmp_path, usual()))
    assert set(drawn) == NAMES
    for png in drawn.values():
        check(png)
    assert dict(matplotlib.rcParams) == before


def test_pictures_repeat(tmp_path: Path) -> None:
    section, looks = made(tmp_path, usual())
    assert pictures(section, looks) == pictures(section, looks)


def test_published_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section, looks = made(tmp_path, usual())
    plain = pictures(section, looks)["apgr"]
    others = {"hand": {"b": {"theirs": {"apgr": 0.61}}, "source": "Somebody"}}
    monkeypatch.setattr(report_data, "published", lambda: others)
    assert section.published() == {"theirs": 0.61}
    png = pictures(section, looks)["apgr"]
    check(png)
    with Image.open(io.BytesIO(png)) as new, Image.open(io.BytesIO(plain)) as old:
        assert new.height > old.height
    drawn = json.loads(figures(section, looks)["apgr"])
    hollow = [t for t in drawn["data"] if t["marker"]["symbol"] == "circle-open"]
    assert [t["x"] for t in hollow] == [[0.61]]
    assert "published, not ours" in hollow[0]["hovertemplate"]
    assert any("theirs<br>published, not ours" in t for t in drawn["layout"]["yaxis"]["ticktext"])


def test_points_only_and_one_policy(tmp_path: Path) -> None:
    drawn = pictures(*made(tmp_path, [stamp(), *single("mine", 2.0, 0.7)]))
    assert set(drawn) == {"cost-quality", "prices"}
    for png in drawn.values():
        check(png)
    check(pictures(*made(tmp_path, [stamp(), *routed("only", 0.6)]))["cost-quality"])


def test_nothing_to_draw(tmp_path: Path) -> None:
    section, looks = made(tmp_path, [record("p", "apgr", None), record("p", "accuracy", 0.5)])
    assert pictures(section, looks) == {}
    assert figures(section, looks) == {}


@pytest.mark.slow
def test_thirty_policies_and_hostile_names(tmp_path: Path) -> None:
    names = [HOSTILE, "x" * 300, *(f"policy-{i}" for i in range(28))]
    many = [
        line
        for i, name in enumerate(names)
        for line in routed(
            name, 0.45 + i / 200, protocol="transfer from a-benchmark-with-a-name", labels=9
        )
    ]
    section, looks = made(tmp_path, [*usual(), *many])
    assert len(section.contestants) == 37
    assert sum(not s.faint for s in looks) == 10
    assert {s.colour for s in looks if s.faint} == {FAINT}
    for png in pictures(section, looks).values():
        check(png)
    for text in figures(section, looks).values():
        assert "<" not in text and ">" not in text and "&" not in text
        for trace in json.loads(text)["data"]:
            told = trace["hovertemplate"]
            assert "<script" not in told and "$x_1$" not in told and "%{x}" not in told
    assert (
        "&lt;script&gt;"
        in json.loads(figures(section, looks)["apgr"])["layout"]["yaxis"]["ticktext"][-1]
    )


def test_plotly_carries_the_records(tmp_path: Path) -> None:
    section, looks = made(tmp_path, usual())
    drawn = {name: json.loads(text) for name, text in figures(section, looks).items()}
    assert set(drawn) == {"cost-quality", "apgr", "prices-cost-apgr", "prices-utility",
                          "prices-cost-at-accuracy"}  # fmt: skip
    lines = {t["name"]: t for t in drawn["cost-quality"]["data"] if t["mode"] == "lines"}
    fitted = lines["text-logistic<br>in-distribution, 400 labels"]
    line = next(c.line for c in section.contestants if c.policy == "text-logistic")
    assert line is not None
    assert (tuple(fitted["x"]), tuple(fitted["y"])) == (line.usd, line.accuracy)
    assert tuple(fitted["customdata"]) == line.share
    assert lines["oracle (sees the scores)"]["line"]["dash"] == "dash"
    straight = lines["random mix"]
    slope = np.diff(straight["y"]) / np.diff(straight["x"])
    assert np.allclose(slope, slope[0])
    dots = [t for t in drawn["cost-quality"]["data"] if t["mode"] == "markers"]
    assert {t["hovertemplate"].split("<")[1].removeprefix("b>") for t in dots} == {
        "all-small", "all-large", "best-single", "random", "prompt-length", "text-logistic"
    }  # fmt: skip
    assert [t["x"][0] for t in drawn["apgr"]["data"]] == [0.66, 0.58, 0.5]
    ends = drawn["apgr"]["data"][0]["error_x"]
    assert ends["array"][0] == pytest.approx(0.02)
    assert len(drawn["prices-cost-at-accuracy"]["data"]) == 9


def test_script_ends_no_element() -> None:
    assert "</script" not in script() and len(script()) > 10**6


def test_alt_texts(tmp_path: Path) -> None:
    section, _ = made(tmp_path, usual())
    texts = alt_texts(section)
    assert set(texts) == NAMES
    assert "text-logistic 0.660, prompt-length 0.580, random 0.500" in texts["apgr"]


def test_colours_hold_across_sections(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", [*routed("mine", 0.6), *routed("random", 0.5)])
    two = write(
        tmp_path / "2.jsonl",
        [{**r, "benchmark": "c"} for n in ("yours", "mine") for r in routed(n, 0.6)],
    )
    _, sections = load([one, two])
    first, second = styles(sections)
    assert first[0].colour == second[1].colour != second[0].colour


def test_protocols_differ_by_dash(tmp_path: Path) -> None:
    lines = routed("p", 0.6, protocol="in-distribution", labels=5)
    lines += routed("p", 0.5, protocol="transfer from c", labels=5)
    _, (a, b) = made(tmp_path, lines)
    assert a.colour == b.colour and a.dash != b.dash


def test_captions_name_the_labels(tmp_path: Path) -> None:
    section, _ = made(
        tmp_path, routed("q" * 90, 0.6, protocol="transfer from " + "t" * 90, labels=12)
    )
    name, protocol, labels = caption(section.contestants[0]).split("\n")
    assert len(name) <= 28 and len(protocol) <= 28 and labels == "12 labels"


def test_labels_do_not_overlap(tmp_path: Path) -> None:
    more = [line for i in range(3) for line in routed(f"p{i}", 0.5 + i / 20)]
    seen = scene(*made(tmp_path, [*usual(), *more]))
    assert seen is not None
    boxes = []
    for label in seen.labels:
        (at,) = seen.frame.points([label.x], [label.y])
        rows = label.text.split("\n")
        width, height = 0.5 * 9 * max(map(len, rows)), 1.2 * 9 * len(rows)
        left = at[0] + label.dx - (width if label.dx < -1 else 0 if label.dx > 1 else width / 2)
        down = at[1] + label.dy - (height if label.dy < -1 else 0 if label.dy > 1 else height / 2)
        boxes.append((left, down, left + width, down + height))
    for i, (l1, b1, r1, t1) in enumerate(boxes):
        assert l1 >= 0 and b1 >= 0 and r1 <= seen.frame.width and t1 <= seen.frame.height
        for l2, b2, r2, t2 in boxes[:i]:
            assert r1 <= l2 or r2 <= l1 or t1 <= b2 or t2 <= b1
    assert {"all-small", "random mix", "oracle (sees the scores)"} <= {s.text for s in seen.labels}
    assert "all-large\n= best-single (in-distribution, 400 labels)" in {s.text for s in seen.labels}


def test_place_without_room_still_places() -> None:
    frame = Frame((0.0, 1.0), (0.0, 1.0), 50.0, 30.0)
    (label,) = place([("a text that is too long by far", "#000", [0.5], [0.5])], frame, 9.0)
    assert math.isfinite(label.dx) and math.isfinite(label.dy)
