"""Many rows: order, bad lines, and memory that does not grow with the file."""

import io
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from router.verify import batch
from router.verify.batch import Row, results

FIELDS = ("gold", "answer")


def echo(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{"id": row.id, "said": row.texts["answer"]} for row in rows]


def told(data: bytes) -> list[Any]:
    return list(results(io.BytesIO(data), FIELDS, echo))


def line(id: object, **fields: object) -> bytes:
    return json.dumps({"id": id, "gold": "1", "answer": "a", **fields}).encode() + b"\n"


def test_the_order_is_kept_across_pieces_and_bad_lines() -> None:
    data = b"".join(b"{\n" if n % 7 == 0 else line(n) for n in range(1000))
    found = told(data)
    assert [one["id"] for one in found] == ["" if n % 7 == 0 else n for n in range(1000)]


@pytest.mark.parametrize(
    ("bad", "told_of"),
    [
        (b"{", "line 2: no JSON"),
        (b"\xff\xfe", "line 2: no JSON in UTF-8"),
        (b"[1]", "line 2: no JSON object"),
        (b"[" * 100_000, "line 2: no JSON"),
        (b'{"gold": "1", "answer": "1"}', "line 2: field 'id'"),
        (b'{"id": true, "gold": "1", "answer": "1"}', "line 2: field 'id'"),
        (b'{"id": 1, "gold": "1"}', "line 2: field 'answer' must be a text"),
        (b'{"id": 1, "gold": 1, "answer": "1"}', "line 2: field 'gold' must be a text"),
        (b'{"id": 1, "gold": " ", "answer": "1"}', "line 2: field 'gold' is empty"),
        (b'{"id": 1, "gold": "' + b"9" * batch.MAX_LINE + b'"}', "line 2: longer than"),
    ],
)
def test_a_bad_line_is_a_result_and_the_others_go_on(bad: bytes, told_of: str) -> None:
    first, refused, last = told(line("x") + bad + b"\n" + line("y"))
    assert (first["id"], last["id"]) == ("x", "y")
    assert (refused["passed"], refused["status"]) == (None, "bad_input")
    assert refused["evidence"][0].startswith(told_of)


def test_blank_lines_are_skipped_and_count_as_lines() -> None:
    assert [one["id"] for one in told(b"\n \n" + line(1) + b"\n" + line(2))] == [1, 2]
    assert told(b"\n{")[0]["evidence"] == ["line 2: no JSON in UTF-8"]
    assert told(b"") == []


def test_line_separators_of_unicode_are_text() -> None:
    data = '{"id": 1, "gold": "1", "answer": "a\u2028b"}\n'.encode()
    assert told(data)[0]["said"] == "a\u2028b"


def test_results_come_while_the_input_is_still_open() -> None:
    class Endless(io.RawIOBase):
        def readline(self, size: int | None = -1) -> bytes:
            return line("again")

    tracemalloc.start()
    stream: Iterator[Any] = results(Endless(), FIELDS, echo)  # type: ignore[arg-type]
    for _ in range(20_000):
        next(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
