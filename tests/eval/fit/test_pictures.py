"""The pictures: PNGs that show something, labels apart, bins that agree with the ECE."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from eval.compare import Interval
from eval.fit.examples import Example
from eval.fit.linear import Reals
from eval.fit.pictures import contenders, draw, spots_of
from eval.fit.plane import Spot, labels_of, plane
from eval.fit.reliability import BINS, Series, bins_of, reliability
from eval.fit.spread import MARKER, overlaps, spread
from eval.fit.table import Table, row_weights
from eval.metrics.calibration import ece
from policies.verifiability import Verifiability
from router.signals.head import AXES
from router.state import Message, Query

CORNER = [
    Spot(name, x, y, (1, 0))
    for name, x, y in (
        ("gsm8k", 0.981, 0.025), ("gym math", 0.988, 0.02), ("humaneval", 0.969, 0.037),
        ("livecodebench", 0.973, 0.033), ("math", 0.991, 0.053), ("mbpp", 0.964, 0.069),
        ("olympiad", 0.989, 0.039), ("cruxeval", 0.981, 0.052), ("gym logic", 0.918, 0.046),
        ("written (1, 0)", 0.981, 0.025),
    )
]  # fmt: skip
"""The crowd of the real figure, two of them in one place."""


@dataclass
class FakeReport:
    """What `draw` reads."""

    held_out: dict[str, Reals]
    seed: int = 7
    contenders: dict[str, dict[str, Interval]] = field(default_factory=dict)


def pixels_of(data: bytes) -> np.ndarray:
    """Decoded; neither blank nor cut off at the border."""
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("L"), dtype=np.float64)
    assert pixels.std() > 5
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert (border == 255).all()
    return pixels


def toy() -> tuple[Table, dict[str, Reals]]:
    """Families at three corners, one without a label on an axis, and written prompts."""
    rng = np.random.default_rng(0)
    plain = {"sums": (1, 0), "who": (0, 1), "poems": (0, 0), "moral_maze": (0, None)}
    rows = [(g, at, False) for g, at in plain.items() for _ in range(20)]
    rows += [("written:a", at, True) for at in ((1, 0), (0, 1), (0, 0), (1, 1)) for _ in range(8)]
    query = Query(id="q", messages=(Message(role="user", content="x"),))
    examples = [Example(query, g, g, None, v, k, written=w) for g, (v, k), w in rows]
    n = len(rows)
    x = np.zeros((n, 2), dtype=np.float32)
    table = Table(
        tuple(examples), x, row_weights(examples), x, ("en",) * n, np.zeros(n, dtype=bool)
    )
    held = {}
    for column, axis in enumerate(AXES):
        labels = np.array([np.nan if r[1][column] is None else r[1][column] for r in rows])
        held[axis] = np.clip(0.8 * labels + 0.1 + rng.normal(0, 0.04, n), 0, 1)
    return table, held


def test_draw_writes_three_pictures(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    table, held = toy()
    rows = {"ours": 0.9, "plain head": 0.8, "prompt length": float("nan")}
    by = {
        name: {axis: Interval(v, v - 0.1, v + 0.05, 12) for axis in AXES}
        for name, v in rows.items()
    }
    by["half"] = {AXES[0]: Interval(0.3, 0.2, 0.4, 12)}
    paths = draw(FakeReport(held, contenders=by), table, tmp_path / "new")
    assert [p.name for p in paths] == ["plane.png", "reliability.png", "contenders.png"]
    sizes = {p.stem: pixels_of(p.read_bytes()).shape for p in paths}
    assert sizes["plane"] == (1533, 1477)
    assert sizes["reliability"] == (1077, 1677)
    assert sizes["contenders"] == (int((27 * 4 + 90) / 72 * 160), int(800 / 72 * 160))
    assert dict(matplotlib.rcParams) == before
    again = draw(FakeReport(held, contenders=by), table, tmp_path / "again")
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in again]


def test_spots_are_means_of_held_out_rows() -> None:
    table, held = toy()
    spots, missing = spots_of(table, np.column_stack([held[a] for a in AXES]))
    assert missing == ["moral_maze"]
    by = {s.name: s for s in spots}
    assert list(by) == [
        "poems", "sums", "who", "written (1, 0)", "written (0, 1)", "written (0, 0)",
        "written (1, 1)",
    ]  # fmt: skip
    sums = table.groups == "sums"
    assert by["sums"].x == pytest.approx(held["verifiability"][sums].mean())
    assert by["sums"].y == pytest.approx(held["knowledge_demand"][sums].mean())
    assert by["sums"].place == (1, 0) and not by["sums"].written
    assert by["written (1, 1)"].written and by["written (1, 1)"].y > 0.8


def test_a_place_is_only_what_all_labels_say() -> None:
    table, held = toy()
    mixed = Table(
        (*table.examples[:19], table.examples[25], *table.examples[20:]), table.x, table.weights,
        table.embedding, table.languages, table.leaning,
    )  # fmt: skip
    first = Example(
        mixed.examples[19].query, "sums", "sums", None, verifiability=0, knowledge_demand=1
    )
    mixed = Table(
        (*mixed.examples[:19], first, *mixed.examples[20:]), table.x, table.weights,
        table.embedding, table.languages, table.leaning,
    )  # fmt: skip
    spots, _ = spots_of(mixed, np.column_stack([held[a] for a in AXES]))
    assert {s.name: s.place for s in spots}["sums"] is None


def test_labels_of_the_crowded_corner_are_apart() -> None:
    centres, sizes = labels_of(CORNER)
    assert overlaps(centres, sizes) == 0
    assert (centres - sizes / 2 >= 0).all() and (centres + sizes / 2 <= 590).all()


def test_spread_clears_markers_and_blocked_boxes() -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform(100, 500, (25, 2))
    sizes = np.column_stack([rng.uniform(20, 80, 25), np.full(25, 12.0)])
    blocked = np.array([[300.0, 300.0, 120.0, 40.0]])
    centres = spread(points, sizes, (600.0, 600.0), blocked)
    assert overlaps(centres, sizes) == 0
    fixed = np.concatenate([points, blocked[:, :2]])
    half = np.concatenate([np.full((25, 2), MARKER), blocked[:, 2:] / 2])
    over = (np.abs(centres[:, None] - fixed) < sizes[:, None] / 2 + half - 1e-6).all(axis=2)
    assert not over.any()
    np.testing.assert_array_equal(centres, spread(points, sizes, (600.0, 600.0), blocked))


def test_a_lone_label_stands_above_its_point() -> None:
    (at,) = spread(np.array([[50.0, 50.0]]), np.array([[30.0, 10.0]]), (100, 100), np.empty((0, 4)))
    assert at[0] == 50 and at[1] - 5 > 50 + MARKER and at[1] < 70


def test_spread_without_room_still_answers() -> None:
    points = np.full((6, 2), 10.0)
    centres = spread(points, np.full((6, 2), 30.0), (40.0, 40.0), np.empty((0, 4)))
    assert np.isfinite(centres).all() and overlaps(centres, np.full((6, 2), 30.0)) > 0


def test_overlaps_counts_pairs() -> None:
    sizes = np.full((3, 2), 10.0)
    assert overlaps(np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]), sizes) == 0
    assert overlaps(np.array([[0.0, 0.0], [9.0, 9.0], [18.0, 0.0]]), sizes) == 2


def test_the_plane_without_spots_or_rows() -> None:
    pixels_of(plane([], np.empty((0, 2)), "nothing"))


def test_the_regions_are_the_policys(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = plane([], np.empty((0, 2)), "x")
    moved = Verifiability(tau_verifiability=0.3, tau_knowledge=0.7)
    monkeypatch.setattr("eval.fit.plane.Verifiability", lambda: moved)
    assert plane([], np.empty((0, 2)), "x") != usual


def test_bins_agree_with_the_ece() -> None:
    rng = np.random.default_rng(1)
    p = np.round(rng.uniform(0, 1, 700), 2)
    series = Series("s", p, (rng.uniform(0, 1, 700) < p**2).astype(float))
    bins = bins_of(series)
    assert sum(b.n for b in bins) == 700 and len(bins) == BINS
    gap = sum(b.n * abs(b.probability - b.share) for b in bins) / 700
    assert gap == pytest.approx(ece(series.probabilities, series.labels, BINS))
    assert all(b.low - 1e-9 <= b.share <= b.high + 1e-9 for b in bins)


def test_equal_probabilities_share_a_bin() -> None:
    (only,) = bins_of(Series("s", np.full(9, 0.25), np.array([1.0, 0, 0, 0, 0, 0, 0, 0, 1])))
    assert (only.probability, only.n) == (0.25, 9) and only.share == pytest.approx(2 / 9)


def test_one_panel_and_an_empty_one() -> None:
    series = Series("s", np.array([0.2, 0.9]), np.array([0.0, 1.0]))
    one = pixels_of(reliability([("a", [series])], "x"))
    two = pixels_of(reliability([("a", [series]), ("b", [])], "x"))
    assert two.shape[1] > one.shape[1] and two.shape[0] == one.shape[0]


def test_contenders_grow_by_the_row() -> None:
    cell = Interval(0.8, 0.7, 0.9, 5)
    few = pixels_of(contenders([("ours", [cell])], ["a"], "x"))
    more = pixels_of(contenders([("ours", [cell]), ("b", [None])], ["a"], "x"))
    assert more.shape[0] - few.shape[0] == pytest.approx(27 / 72 * 160, abs=1)
