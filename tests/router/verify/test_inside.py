"""The inner half, run here as a plain process on programs of our own."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from router.verify import wire
from router.verify.inner import inner


def records(program: str, *calls: str, setup: str = "") -> list[dict[str, Any]]:
    asked = [{"call": i, "setup": setup, "source": call} for i, call in enumerate(calls)]
    return answers(program, *asked)


def answers(program: str, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    sent = [{"nonce": "n0nce", "program": program}, *calls]
    done = subprocess.run(
        [sys.executable, "-I", "-c", inner("inside")],
        input="".join(json.dumps(record) + "\n" for record in sent),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    lines = [line for line in done.stdout.split("\n") if line]
    assert all(line.startswith("n0nce") for line in lines)
    assert done.stderr == ""
    return [json.loads(line.removeprefix("n0nce")) for line in lines]


def test_calls_are_answered_in_order() -> None:
    assert records("def f(n): return n * n", "f(2)", "f(3)") == [
        {"compiled": True},
        {"call": 0, "value": ["int", "0x4"]},
        {"call": 1, "value": ["int", "0x9"]},
    ]


def test_errors_are_told_and_the_next_call_is_made() -> None:
    found = records("def f(n): return 1 / n", "f(0)", "f(1)")
    assert found[1]["error"] == "ZeroDivisionError: division by zero"
    assert found[1]["raised"][:2] == ["ZeroDivisionError", True]
    assert found[2]["value"] == ["float", "0x1.0000000000000p+0"]


def test_a_program_that_does_not_compile_or_load_is_told_apart() -> None:
    assert records("def f(", "f(1)")[0]["compiled"] is False
    assert records("import nothing_like_this", "f(1)")[1]["loaded"] is False


def test_without_calls_nothing_is_run() -> None:
    assert records("raise SystemExit(3)") == [{"compiled": True}]


def test_output_of_the_program_goes_to_the_void() -> None:
    assert len(records("print('x')\nimport sys\nsys.stderr.write('y')", "1")) == 2


def test_the_program_is_not_main_and_setup_is_run() -> None:
    found = records("x = __name__", "x", "y", setup="y = 5")
    assert [r["value"] for r in found[1:]] == [["plain", "solution"], ["int", "0x5"]]


def test_long_results_cross_in_one_piece() -> None:
    found = records("", "'x' * 200_000")
    assert len(found[1]["value"][1]) == 200_000


def test_it_keeps_to_old_syntax() -> None:
    """The system's interpreter runs it, and may be older than ours."""
    for half in ("inside", "inside_tests", "stubs", "wire"):
        source = (Path(wire.__file__).parent / f"{half}.py").read_text(encoding="utf-8")
        ast.parse(source, feature_version=(3, 8))


def call(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"call": 0, "name": name, "arguments": wire.encode([args, kwargs])}


def test_a_named_call_tells_of_its_arguments_only_what_changed() -> None:
    program = "def f(xs, n=0):\n    xs.append(n)\n    return xs\ndef g(xs): return 1.5"
    appended = answers(program, call("f", [1], n=2))[1]
    assert appended["value"] == wire.encode([1, 2])
    assert appended["after"] == wire.encode([([1, 2],), {"n": 2}])
    assert appended["argument"] == [0]
    assert answers(program, call("g", [1]))[1] == {"call": 0, "value": wire.encode(1.5)}


def test_names_come_with_their_kinds() -> None:
    program = "from math import gcd\nk = (1,)\nclass C: pass\ndef f(): pass\n_hidden = 1"
    found = answers(program, {"call": 0, "names": None})[1]["names"]
    assert {name: kind for name, (kind, _) in found.items()} == {
        "gcd": "function", "k": "value", "C": "class", "f": "function",
    }  # fmt: skip
    assert answers(program, {"call": 0, "names": ["f", "g"]})[1]["names"] == {
        "f": ["function", True]
    }


def test_an_error_names_its_nearest_builtin_type() -> None:
    program = (
        "class Own(KeyError):\n    def __str__(self): raise self\n"
        "def f(kind): raise {'own': Own, 'key': KeyError}[kind]('k', 1)"
    )
    own = answers(program, call("f", "own"))[1]
    assert own["raised"] == ["KeyError", False, wire.encode(("k", 1))]
    assert own["error"] == "Own, which cannot be shown"
    assert answers(program, call("f", "key"))[1]["raised"][:2] == ["KeyError", True]
