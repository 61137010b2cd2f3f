"""`ockham report`: files, refusals, and a real replay of a small table."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from eval.replay import Plan, replay
from eval.replay_files import stamp as real_stamp
from eval.replay_files import write_result
from eval.report.commands import write_report
from router.cli import build
from router.errors import InputError, SetupError

from ..hand import learnable  # noqa: TID252  no package
from .report_results import routed, usual, write

PNGS = {f"hand-b-{name}.png" for name in ("cost-quality", "apgr", "prices")}


def test_command(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", usual())
    out = tmp_path / "deep" / "report"
    done = CliRunner().invoke(build(), ["report", str(path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert {p.name for p in out.iterdir()} == {"index.html", *PNGS}
    assert done.output.split() == [str(out / n) for n in (*sorted(PNGS, key=_order), "index.html")]
    for name in PNGS:
        with Image.open(io.BytesIO((out / name).read_bytes())) as image:
            image.verify()
    text = (out / "index.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")
    assert "Plotly" in text and len(text) > 10**6


def _order(name: str) -> int:
    return ["cost-quality", "apgr", "prices"].index(name[7:-4])


def test_a_real_replay(tmp_path: Path) -> None:
    table, plan = learnable(80), Plan(seeds=(0, 1), resamples=20)
    path = tmp_path / "real.jsonl"
    made = real_stamp({"name": "hand"}, ["replay"], plan, [table], 0.1)
    write_result(path, made, list(replay(table, plan)))
    names = write_report([path], tmp_path / "out")
    assert set(names) == {"index.html", *PNGS}
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "Holm over" in text and "in-distribution, 64 labels" in text


def test_other_files_stay(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", usual())
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / "index.html").write_text("old")
    write_report([path], out)
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "index.html").read_text(encoding="utf-8") != "old"
    assert {p.name for p in out.iterdir()} == {"notes.txt", "index.html", *PNGS}


def test_sections_of_one_name_get_files_of_their_own(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", usual())
    two = write(tmp_path / "2.jsonl", [{**r, "pair": "a -> b"} for r in routed("random", 0.5)])
    names = write_report([one, two], tmp_path / "out")
    assert set(names) >= PNGS and "hand-b-2-cost-quality.png" in names


def test_names_make_no_paths(tmp_path: Path) -> None:
    lines = [{**r, "source": "../..", "benchmark": "/e\x00 tc/ü"} for r in routed("random", 0.5)]
    names = write_report([write(tmp_path / "r.jsonl", lines)], tmp_path / "out")
    assert "e-tc-cost-quality.png" in names
    assert {p.name for p in tmp_path.iterdir()} == {"r.jsonl", "out"}


@pytest.mark.parametrize("text", ["", "no json", '{"kind": "stamp"}'])
def test_a_bad_input_writes_nothing(tmp_path: Path, text: str) -> None:
    good = write(tmp_path / "good.jsonl", usual())
    bad = tmp_path / "bad.jsonl"
    bad.write_text(text)
    with pytest.raises(InputError, match=r"bad\.jsonl"):
        write_report([good, bad], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_out_is_a_file_or_below_one(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", usual())
    for out in (path, path / "below"):
        with pytest.raises(SetupError, match="cannot be written"):
            write_report([path], out)


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "r.jsonl", usual())
    out = tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("old")
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if "prices" in self.name:
            real(self, data[:10])
            raise OSError(28, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SetupError, match="No space left"):
        write_report([path], out)
    assert [p.name for p in out.iterdir()] == ["index.html"]
    assert (out / "index.html").read_text() == "old"


def test_light_import() -> None:
    code = (
        "import sys, eval.report.commands; "
        "heavy = {'numpy', 'matplotlib', 'plotly', 'pydantic', 'jinja2'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
