"""Result files into sections: grouping, seeds, label budgets, what two files say twice."""

from pathlib import Path

import pytest

from eval.report.data import Cell, Contestant, Section, load, number
from router.errors import InputError

from .report_results import curve, record, routed, single, stamp, usual, write


def section(path: Path, lines: list[dict[str, object]]) -> Section:
    """The only section of a file."""
    _, sections = load([write(path / "r.jsonl", lines)])
    assert len(sections) == 1
    return sections[0]


def named(found: Section, policy: str) -> list[Contestant]:
    return [c for c in found.contestants if c.policy == policy]


def test_section(tmp_path: Path) -> None:
    found = section(tmp_path, usual())
    assert (found.title, found.questions, found.share) == ("hand / b", 500, 0.5)
    assert found.facts["incomplete"] == 7
    assert [r.note for r in found.refused] == ["needs-verdicts: it has no checks"]
    fitted = named(found, "text-logistic")[0]
    assert fitted.terms == "in-distribution, 400 labels"
    assert fitted.get("apgr") == Cell(0.66, 0.64, 0.68, 500, values=(0.66,))
    assert fitted.get("nothing").value is None
    assert not found.several
    ranked = [c.policy for c in found.ranked]
    assert ranked[:3] == ["text-logistic", "prompt-length", "random"]
    assert ranked[-1] == "oracle"


def test_curve_is_per_thousand(tmp_path: Path) -> None:
    line = named(section(tmp_path, usual()), "random")[0].line
    assert line is not None
    assert line.usd[-1] == pytest.approx(4.0)
    assert line.accuracy[-1] == pytest.approx(0.8)


def test_seeds_are_averaged(tmp_path: Path) -> None:
    lines = [
        stamp(),
        *(record("p", "apgr", v, seed=i) for i, v in enumerate((0.6, 0.7))),
        curve("p", 0.0, seed=0),
        curve("p", 0.4, seed=1),
    ]
    found = section(tmp_path, lines)
    (p,) = found.contestants
    assert found.several and p.seeds == (0, 1)
    cell = p.get("apgr")
    assert cell.value == pytest.approx(0.65)
    assert cell.sd == pytest.approx(0.1 / 2**0.5)
    assert (cell.low, cell.high) == (pytest.approx(0.63), pytest.approx(0.67))
    assert p.line is not None
    middle = p.line.accuracy[p.line.share.index(0.5)]
    assert middle == pytest.approx(0.7 + 0.2 * 0.4 * 0.25 / 2)


def test_an_interval_that_a_seed_lacks_is_none(tmp_path: Path) -> None:
    lines = [record("p", "apgr", 0.6), record("p", "apgr", 0.7, seed=1, low=None, high=None)]
    cell = section(tmp_path, lines).contestants[0].get("apgr")
    assert cell.seeds == 2 and cell.low is None and cell.high is None


def test_label_budgets_stand_apart_but_fold_sizes_do_not(tmp_path: Path) -> None:
    lines = [
        record("p", "apgr", 0.6, labels=count, seed=seed, protocol="in-distribution")
        for count, seed in ((500, 0), (11_230, 0), (11_229, 1))
    ]
    found = section(tmp_path, lines)
    assert [c.terms for c in found.contestants] == [
        "in-distribution, 500 labels",
        "in-distribution, 11,229 to 11,230 labels",
    ]


def test_files_about_one_table_share_a_section(tmp_path: Path) -> None:
    transfer = {"protocol": "transfer from c", "labels": 300}
    one = write(tmp_path / "one.jsonl", usual())
    two = write(
        tmp_path / "two.jsonl",
        [stamp(), *routed("random", 0.52), *routed("text-logistic", 0.55, **transfer)],
    )
    sources, sections = load([one, two])
    assert [s.name for s in sources] == ["one.jsonl", "two.jsonl"]
    (found,) = sections
    assert [c.protocol for c in named(found, "text-logistic")] == [
        "in-distribution",
        "transfer from c",
    ]
    # The first file's number stands, and the page says that there is another.
    assert named(found, "random")[0].get("apgr").value == 0.5
    assert len(found.notes) == 1 and "two.jsonl" in found.notes[0]
    assert str(tmp_path) not in found.notes[0]


def test_other_data_is_another_section(tmp_path: Path) -> None:
    other = stamp(tables=[{**stamp()["tables"][0], "checksum": "other"}])
    one = write(tmp_path / "one.jsonl", usual())
    two = write(tmp_path / "two.jsonl", [other, *single("all-small", 0.1, 0.6)])
    three = write(tmp_path / "three.jsonl", [record("p", "apgr", 0.5, source="elsewhere")])
    _, sections = load([one, two, three])
    assert [s.source for s in sections] == ["hand", "hand", "elsewhere"]


@pytest.mark.parametrize("made", [[], [{"kind": "stamp"}], [stamp(tables="x", plan=3, files=[])]])
def test_a_poor_stamp_is_no_error(tmp_path: Path, made: list[dict[str, object]]) -> None:
    found = section(tmp_path, [*made, record("p", "apgr", 0.5)])
    assert found.facts == {} and found.share is None


@pytest.mark.parametrize(
    "text",
    ["", "\n", "no json", "[1, 2]", "3", "null", '{"kind": "other"}', '{"policy": "p"}', "\xff"],
)
def test_no_result_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"r\.jsonl"):
        load([path])


def test_missing_file_and_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load([tmp_path / "none.jsonl"])
    with pytest.raises(InputError, match="cannot be read"):
        load([tmp_path])
    with pytest.raises(InputError, match="ockham replay --out"):
        load([])


def test_a_curve_with_gaps(tmp_path: Path) -> None:
    for broken in ({"share": [0.0]}, {"usd": [0.0, 1.0, float("nan"), 2.0, 3.0]}):
        path = write(tmp_path / "r.jsonl", [record("p", "apgr", 0.5), curve("p", **broken)])
        with pytest.raises(InputError, match="curve of p has gaps"):
            load([path])


def test_number() -> None:
    assert number(None) == "–"
    assert number(-0.0641) == "−0.064"
    assert number(0.0641, signed=True) == "+0.064"
    assert number(-0.00001, signed=True) == "0.000"
    assert number(1234.5678, "usd-per-1000") == "1,234.568"
    assert number(0.01499, "p-utility-vs-random") == "0.0150"
    assert number(4e-16, "utility-minus-random", signed=True) == "0.0000"


def test_sign() -> None:
    assert Cell(0.1, 0.01, 0.2, 1).sign() == 1
    assert Cell(-0.1, -0.2, -0.01, 1).sign() == -1
    assert Cell(0.1, -0.1, 0.2, 1).sign() == 0
    assert Cell(0.1, None, None, 1).sign() == 0
