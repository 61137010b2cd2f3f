"""What is said to the inner half, and what is heard from it."""

import json

from router.verify.inner import inner, job, nonce_records


def test_a_job_is_a_line_and_a_line_for_each_call() -> None:
    nonce, stdin = job("x = 1", [{"name": "f"}, {"name": "g"}])
    lines = [json.loads(line) for line in stdin.splitlines()]
    assert lines[0] == {"nonce": nonce, "program": "x = 1"}
    assert lines[1:] == [{"call": 0, "name": "f"}, {"call": 1, "name": "g"}]
    assert job("", [])[0] != nonce


def test_only_records_behind_the_nonce_are_heard() -> None:
    said = [
        b"hello", b'{"call": 0}', b'n0{"call": 1}', b"n0{", b"n0[1]", b"n0" + b"[" * 5000,
        b'n0{"error": []}', b"n0\xff", b'  n0{"call": 2}', b'n0{"call": 3}',
    ]  # fmt: skip
    assert nonce_records(b"\n".join(said), "n0") == [{"call": 1}, {"call": 3}]


def test_the_halves_are_whole_programs() -> None:
    for half in ("inside", "inside_tests"):
        compile(inner(half), "main.py", "exec")
