"""The journal: intents, results, interruptions, locks, damage, a full disk."""

import sqlite3

import pytest

from eval.runs.journal import Journal
from eval.runs.tries import JOURNAL_FILE, read_tries
from router.errors import InputError, SetupError


def test_a_sample_is_started_and_finished(tmp_path):
    with Journal.open(tmp_path) as journal:
        id_ = journal.start("q:1", 0, 0.5)
        (open_,) = journal.tries()
        assert open_.state == "started" and open_.charged_usd == 0.5 and not open_.finished
        journal.finish(id_, {"rows": []}, 0.1, failed=False)
        (done,) = journal.tries()
    assert done.state == "done" and done.charged_usd == 0.1 and done.result == {"rows": []}


def test_what_was_in_flight_is_interrupted_at_its_worst_case(tmp_path):
    journal = Journal.open(tmp_path)
    journal.start("q:1", 0, 0.5)
    journal.close()
    with Journal.open(tmp_path) as journal:
        (lost,) = journal.tries()
        assert lost.state == "interrupted" and lost.charged_usd == 0.5 and lost.reason
        journal.start("q:1", 0, 0.5)
        assert [t.number for t in journal.tries()] == [0, 1]


def test_a_sample_cannot_be_open_or_finished_twice(tmp_path):
    with Journal.open(tmp_path) as journal:
        id_ = journal.start("q:1", 0, 0.5)
        with pytest.raises(SetupError, match="UNIQUE"):
            journal.start("q:1", 0, 0.5)
        journal.finish(id_, {}, 0.0, failed=False)
        with pytest.raises(SetupError, match="UNIQUE"):
            journal.start("q:1", 0, 0.5)
        journal.start("q:1", 1, 0.5)


def test_a_result_is_written_once(tmp_path):
    with Journal.open(tmp_path) as journal:
        id_ = journal.start("q:1", 0, 0.5)
        journal.finish(id_, {"a": 1}, 0.1, failed=False)
        journal.finish(id_, {"a": 2}, 9.0, failed=True)
        assert journal.tries()[0].result == {"a": 1}


def test_failed_samples_can_be_opened_again_and_their_cost_stays(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.finish(journal.start("q:1", 0, 0.5), {}, 0.2, failed=True)
        assert journal.supersede_failed() == 1
        journal.start("q:1", 0, 0.5)
        assert [t.charged_usd for t in journal.tries()] == [0.2, 0.5]


def test_the_second_process_is_refused_but_may_look(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.start("q:1", 0, 0.5)
        with pytest.raises(InputError, match="another process runs in"):
            Journal.open(tmp_path)
        assert len(read_tries(tmp_path)) == 1
    Journal.open(tmp_path).close()


def test_it_is_written_through_to_the_disk(tmp_path):
    with Journal.open(tmp_path) as journal:
        assert journal._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert journal._db.execute("PRAGMA synchronous").fetchone()[0] == 2


@pytest.mark.parametrize(
    "damage", [b"this is no database" * 100, b"SQLite format 3\x00" + b"x" * 5000]
)
def test_a_damaged_journal_is_a_clear_error_and_is_not_touched(tmp_path, damage):
    (tmp_path / JOURNAL_FILE).write_bytes(damage)
    with pytest.raises(InputError, match=f"{JOURNAL_FILE} is damaged .* --out"):
        Journal.open(tmp_path)
    assert (tmp_path / JOURNAL_FILE).read_bytes() == damage
    with pytest.raises(InputError, match="damaged"):
        read_tries(tmp_path)


def test_a_journal_with_a_torn_page_is_a_clear_error(tmp_path):
    with Journal.open(tmp_path) as journal:
        for i in range(400):
            journal.finish(journal.start(f"q:{i}", 0, 0.5), {"t": "x" * 50}, 0.1, failed=False)
    file = tmp_path / JOURNAL_FILE
    data = bytearray(file.read_bytes())
    data[8192:16384] = b"\xff" * 8192
    file.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        Journal.open(tmp_path)


def test_another_table_under_that_name_is_a_clear_error(tmp_path):
    db = sqlite3.connect(tmp_path / JOURNAL_FILE)
    db.execute("CREATE TABLE tries (x)")
    db.commit()
    db.close()
    with pytest.raises((InputError, SetupError), match=JOURNAL_FILE):
        Journal.open(tmp_path)


def test_a_full_disk_stops_and_loses_nothing(tmp_path):
    with Journal.open(tmp_path) as journal:
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        first = journal.start("q:0", 0, 0.5)
        with pytest.raises(SetupError, match="full.*same command again"):
            journal.finish(first, {"text": "x" * 100_000}, 0.1, failed=False)
        assert journal.tries()[0].state == "started"
    with Journal.open(tmp_path) as journal:
        assert journal.tries()[0].state == "interrupted"


def test_a_folder_without_a_journal_is_named(tmp_path):
    with pytest.raises(InputError, match="is it a run folder"):
        read_tries(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="--out"):
        Journal.open(tmp_path / "file" / "run")


def test_a_folder_with_any_name_can_be_read_also_where_it_cannot_be_written(tmp_path):
    folder = tmp_path / "a b?mode=x#100%"
    with Journal.open(folder) as journal:
        journal.start("q:1", 0, 0.5)
    folder.chmod(0o555)
    try:
        assert len(read_tries(folder)) == 1
    finally:
        folder.chmod(0o755)
