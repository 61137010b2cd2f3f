"""JSON schemas and patterns: what is taken, what is refused, and what may not take for ever."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from router.verify.format import check_json, check_regex, prepare, schema_fault
from router.verify.workers import Workers

POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"$ref": "#/$defs/y"}},
    "required": ["x"],
    "additionalProperties": False,
    "$defs": {"y": {"enum": [1, 2]}},
}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    one = Workers(1, prepare)
    yield one
    one.close()


@pytest.mark.parametrize(
    ("schema", "response"),
    [
        (POINT, '{"x": 1}'),
        (POINT, '{"x": 1, "y": 2}'),
        (POINT, 'Here it is:\n```json\n{"x": 1}\n```\nDone.'),
        (POINT, '<think>{"x": "a"}</think>{"x": 1}'),
        ({}, "null"),
        (POINT, '\ufeff{"x": 1}'),
        ({"type": "number"}, "1e300"),
        ({"type": "string"}, '"```json\\n1\\n```"'),
        ({"pattern": "^a+$"}, '"aa"'),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "array"}, "[]"),
    ],
)
def test_json_that_the_schema_takes(workers: Workers, schema: Any, response: str) -> None:
    verdict = check_json(schema, response, workers)
    assert (verdict.kind, verdict.passed, verdict.status) == ("format", True, "passed")
    assert verdict.confidence is not None and verdict.confidence < 0.7


@pytest.mark.parametrize(
    ("schema", "response", "status", "told"),
    [
        (POINT, '{"x": "1"}', "failed", "$.x"),
        (POINT, '{"y": 1}', "failed", "'x' is a required property"),
        (POINT, '{"x": 1, "y": 3}', "failed", "$.y"),
        (POINT, '{"x": 1, "z": 3}', "failed", "z"),
        (POINT, "x is 1", "unparsed", "no JSON"),
        (POINT, '{"x": 1} {"x": 1}', "unparsed", "no JSON"),
        (POINT, '```json\n{"x": 1}\n```\n```json\n{"x": 1}\n```', "unparsed", "no JSON"),
        ({}, "NaN", "unparsed", "NaN"),
        ({"type": "number"}, "1e999", "unparsed", "too large"),
        (POINT, '{"x": "a", "x": 1}', "unparsed", "twice"),
        ({}, "[" * 100_000, "unparsed", "no JSON"),
        (POINT, "<think>{}", "no_answer", "empty"),
        (False, "1", "failed", "$"),
    ],
)
def test_json_that_it_does_not(
    workers: Workers, schema: Any, response: str, status: str, told: str
) -> None:
    verdict = check_json(schema, response, workers)
    assert (verdict.passed, verdict.status) == (False, status)
    assert told in verdict.evidence[0]


def test_a_bad_schema_decides_nothing(workers: Workers) -> None:
    for schema in ({"type": "nothing"}, {"$ref": "#/nowhere"}, {"pattern": "("}):
        verdict = check_json(schema, '"a"', workers)
        assert (verdict.passed, verdict.status) == (None, "bad_schema")
    assert schema_fault({"type": "object"}) is None
    assert "$.type" in (schema_fault({"type": 3}) or "")
    assert schema_fault([]) is not None
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"not": deep}
    assert schema_fault(deep) == "The schema is nested too deeply."


def test_no_schema_is_fetched(workers: Workers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        place = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        verdict = check_json({"$ref": place}, "1", workers)
        with pytest.raises(TimeoutError):
            server.accept()
    assert (verdict.passed, verdict.status) == (None, "bad_schema")


@pytest.mark.parametrize(
    ("pattern", "response", "passed", "status"),
    [
        (r"\d{4}-\d\d", "2024-05", True, "passed"),
        (r"\d{4}-\d\d", " 2024-05\n", True, "passed"),
        (r"\d{4}-\d\d", "in 2024-05", False, "failed"),
        (r"yes|no", "yes", True, "passed"),
        (r"yes|no", "yes or no", False, "failed"),
        (r"(", "a", None, "bad_pattern"),
        (r"a{99999999999}", "a", None, "bad_pattern"),
        (r".*", "", False, "no_answer"),
        (r".*", "a" * 1_000_001, None, "too_long"),
    ],
)
def test_patterns(
    workers: Workers, pattern: str, response: str, passed: bool | None, status: str
) -> None:
    verdict = check_regex(pattern, response, workers)
    assert (verdict.passed, verdict.status) == (passed, status)


def test_hopeless_patterns_end_and_the_next_check_goes_on(workers: Workers) -> None:
    hopeless = "a" * 40 + "b"
    assert check_regex("(a+)+", hopeless, workers).status == "timeout"
    found = check_json({"pattern": "^(a+)+$"}, f'"{hopeless}"', workers)
    assert (found.passed, found.status) == (None, "timeout")
    assert found.seconds < 20
    assert check_regex("a+b", hopeless, workers).passed is True
