"""Does a response have the form that was asked for: a JSON schema, a regular expression?

What: the response is one JSON value (bare, or in one fenced block) that the schema takes; the
whole response matches the pattern. Both run in a process that can be killed: a pattern, in a
schema too, may take for ever. What not: whether the content is right, hence the low confidence
of a pass; `format` keywords (annotations by the standard); schemas elsewhere: a `$ref` that
leaves the schema is never fetched.
"""

import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any

from router.state import Verdict
from router.verify.finding import Finding, as_verdict
from router.verify.text import strip_thinking
from router.verify.workers import Workers

__all__ = ["check_json", "check_regex", "prepare", "schema_fault"]

SECONDS = 0.7
MAX_CHARS = 1_000_000
SURE = 0.99
FORM_ONLY = 0.6
"""Uncalibrated: the right form may hold a wrong answer."""

_DIGITS = 4000
_FENCE = re.compile(r"```[a-zA-Z0-9]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)


def prepare() -> None:
    """For the worker: imports are not on the clock."""
    import jsonschema  # noqa: F401
    import referencing  # noqa: F401


def check_json(schema: Mapping[str, Any] | bool, response: str, workers: Workers) -> Verdict:
    """Is the response a JSON value that the schema takes?"""
    given = dict(schema) if isinstance(schema, Mapping) else schema
    return _checked(response, workers, json_finding, given)


def check_regex(pattern: str, response: str, workers: Workers) -> Verdict:
    """Does the whole response, without spaces around it, match the pattern?"""
    return _checked(response, workers, regex_finding, pattern)


def _checked(response: str, workers: Workers, finding: Any, rule: Any) -> Verdict:
    started = time.perf_counter()
    text = strip_thinking(response)
    if not text:
        found = Finding(False, "no_answer", 1 - SURE, ("The response is empty.",))
    elif len(text) > MAX_CHARS:
        found = Finding(None, "too_long", evidence=(f"More than {MAX_CHARS} characters.",))
    else:
        done = workers.submit(finding, rule, text, seconds=SECONDS).result()
        lost = Finding(None, done.lost or "ended", evidence=("The check did not finish.",))
        found = done.value or lost
    return as_verdict("format", found, started)


def json_finding(schema: Any, text: str) -> Finding:
    """In the worker."""
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    if fault := schema_fault(schema):
        return Finding(None, "bad_schema", evidence=(fault,))
    try:
        value = json.loads(
            _json_text(text.removeprefix("\ufeff")),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_no_twins,
        )
    except (ValueError, RecursionError) as error:
        return Finding(False, "unparsed", 1 - SURE, (f"The response is no JSON: {error}"[:200],))
    try:
        misfit = best_match(_validator(schema).iter_errors(value))
    except (Unresolvable, re.error, RecursionError) as broken:
        told = f"The schema cannot be followed: {broken}"[:200]
        return Finding(None, "bad_schema", evidence=(told,))
    if misfit is None:
        return Finding(True, "passed", FORM_ONLY, ("The schema takes the response.",))
    return Finding(False, "failed", 1 - SURE, (f"{misfit.json_path}: {misfit.message}"[:300],))


def schema_fault(schema: Any) -> str | None:
    """What is wrong with a schema, or None. Bounded only inside a worker.

    Which draft it is of, its own `$schema` says, where that is one that is known.
    """
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    if not isinstance(schema, dict | bool):
        return "A schema is a JSON object, true or false."
    if isinstance(schema, dict) and not isinstance(schema.get("$schema", ""), str):
        return "The schema is wrong at $.$schema: it must be a text."
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"The schema is wrong at {error.json_path}: {error.message}"[:300]
    except RecursionError:
        return "The schema is nested too deeply."
    return None


def regex_finding(pattern: str, text: str) -> Finding:
    """In the worker."""
    try:
        found = re.compile(pattern).fullmatch(text)
    except (re.error, OverflowError) as error:
        return Finding(None, "bad_pattern", evidence=(f"The pattern is wrong: {error}"[:200],))
    if found:
        return Finding(True, "passed", FORM_ONLY, ("The pattern matches the response.",))
    return Finding(False, "failed", 1 - SURE, ("The pattern does not match the whole response.",))


def _validator(schema: Any) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    # An empty registry: jsonschema's own would fetch what a `$ref` names.
    kind = validator_for(schema, default=Draft202012Validator)
    return kind(schema, registry=Registry())


def _json_text(text: str) -> str:
    """The one fenced block, where there is exactly one and the rest is no JSON."""
    blocks = _FENCE.findall(text)
    return blocks[0] if len(blocks) == 1 and text.lstrip()[:1] not in '{["' else text


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is too large for a number")
    return number


def _whole(digits: str) -> int | float:
    """Python refuses to read very long integers; their size is all that a schema can ask."""
    return int(digits) if len(digits) <= _DIGITS else _finite(digits)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that stands twice means what each reader makes of it: refused."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
