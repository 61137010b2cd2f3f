"""Where an import may come from, and what the set says of its origin."""

import json
from pathlib import Path

import pytest

from eval.sources import importing
from eval.sources.fetch import Fetched, Progress
from eval.sources.importing import import_set
from eval.sources.shared import shared_data
from eval.sources.source import Source, source
from router.errors import InputError, SetupError


def zero_eval(folder: Path) -> Path:
    """A file that the loader reads, though it is not a listed one."""
    rows = [{"id": 0, "problem": "p", "answer": "6", "output": ['{"answer": "6"}']}]
    (folder / "math-l5_novel-1.json").write_text(json.dumps(rows))
    return folder


def test_the_public_home_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Progress | None]] = []

    def fake(known: Source, progress: Progress | None) -> Fetched:
        asked.append((known.name, progress))
        return Fetched(zero_eval(tmp_path), {"math-l5_novel-1.json": "abc"}, ())

    monkeypatch.setattr(importing, "fetch", fake)
    data = import_set("zeroeval")
    assert asked == [("zeroeval", None)]
    assert data.about["form"] == "published"
    assert data.about["checksums"] == {"math-l5_novel-1.json": "abc"}
    assert data.about["absent_files"] == [] and data.about["pairs"] == []
    assert data.about["notes"] == list(source("zeroeval").notes)


def test_a_mirror_without_a_listed_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no file of zeroeval"):
        import_set("zeroeval", mirror=zero_eval(tmp_path))


def test_origins_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not several"):
        import_set("zeroeval", mirror=tmp_path, file=tmp_path / "a.csv")
    for extra in ({"mapping": {"a": "query_id"}}, {"ignore": ["a"]}):
        with pytest.raises(InputError, match="belong to --file"):
            import_set("zeroeval", mirror=tmp_path, **extra)


def test_a_file_needs_no_known_source(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("query_id,arm,score,x\n1,s,1,9\n")
    data = import_set("brand-new", file=path, ignore=["x"])
    assert data.about["form"] == "file"
    assert data.outcomes["source"].to_list() == ["brand-new"]


@pytest.mark.parametrize(
    ("name", "folder", "absent"),
    [
        ("routellm", "routellm", 0),
        ("mmlupro", "mmlu_pro", 27),
        ("zeroeval", "zeroeval", 0),
        ("llmrouter", "llmrouter", 0),
        ("routerarena", "routerarena", 0),
    ],
)
def test_a_real_mirror_has_the_listed_sums(name: str, folder: str, absent: int) -> None:
    try:
        place = shared_data() / "raw" / folder
    except SetupError as error:
        pytest.skip(f"no real data: {error}")
    if not place.is_dir():
        pytest.skip(f"no raw files at {place}")
    about = import_set(name, mirror=place).about
    listed = {f.path: f.sha256 for f in source(name).files}
    assert about["checksums"].items() <= listed.items()
    assert len(about["absent_files"]) == absent


def test_a_public_sources_name_is_not_for_ones_own_file(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text('{"query_id": "1", "arm": "a", "score": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="'routellm' is a public source"):
        import_set("routellm", file=own)
