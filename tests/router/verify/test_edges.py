"""Made-up inputs, and what programs do on them."""

import asyncio

import pytest

from router.verify.edges import at_the_edges, edge_inputs
from router.verify.sandbox import Sandbox
from router.verify.votes import ProgramVotes

STATE = asyncio.run(Sandbox().available())
needs_sandbox = pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")


@pytest.mark.parametrize(
    ("head", "examples", "expected"),
    [
        ("n: int", (), (0,)),
        ("n: float", (), (-1.5,)),
        ("s: str", (), ("Été 😀",)),
        ("s: str | None", (), ("",)),
        ("xs: list[int]", (), ([],)),
        ("xs: List[int]", (), ([3, 3, 3],)),
        ("xs: typing.Sequence[str], n: int", (), ([], 3)),
        ("d: Dict[str, int]", (), ({},)),
        ("t: tuple[int, ...]", (), ((3, 3, 3),)),
        ("s: set[int]", (), (set(),)),
        ("rows: list[list[int]]", (), ([[3, 0, 1]],)),
        ("n", ("f(2)",), (-1,)),
        ("a, b", ("f('x', [1.5])",), ("", [1.5, 0.0, -1.5])),
        ("xs", ("f([])",), ([3, 0, 1],)),
        ("n: int, base: int = 10", (), (1000,)),
    ],
)
def test_inputs(head: str, examples: tuple[str, ...], expected: tuple[object, ...]) -> None:
    found = edge_inputs(f"def f({head}): pass", "f", examples)
    assert expected in found or expected[0] in [args[0] for args in found]
    assert len(found) <= 24
    assert found == edge_inputs(f"def f({head}): pass", "f", examples)


@pytest.mark.parametrize(
    "program",
    ["def f(x): pass", "def g(n: int): pass", "def f(", "def f(): pass", "def f(x: Node): pass",
     "class f: pass", "def f(a: int, b): pass", "def f(x: list[Node]): pass"],
)  # fmt: skip
def test_no_inputs_where_a_type_is_unknown(program: str) -> None:
    assert edge_inputs(program, "f") == []


def test_the_seed_decides() -> None:
    program = "def f(a: int, b: str, c: list[int]): pass"
    assert edge_inputs(program, "f", seed=1) != edge_inputs(program, "f", seed=2)


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return xs[0]", "f([]) raised IndexError"),
        ("while not xs: pass", "f([]) did not end"),
    ],
)
async def test_crashes_and_loops_are_told(body: str, told: str) -> None:
    edges = await at_the_edges(f"def f(xs: list[int]):\n    {body}", "f", (), Sandbox())
    assert told in edges.faults
    assert edges.tried >= 5


@needs_sandbox
@pytest.mark.parametrize("body", ["return len(xs)", "return max(xs)", "assert xs"])
async def test_results_and_refusals_are_no_faults(body: str) -> None:
    edges = await at_the_edges(f"def f(xs: list[int]):\n    {body}", "f", (), Sandbox())
    assert edges.faults == ()


@needs_sandbox
async def test_programs_that_behave_alike_agree() -> None:
    programs = [
        "def f(s: str): return set(s)",
        "def f(s: str): return {c for c in reversed(s)}",
        "def f(s: str): return list(s)",
        "def f(s: str): return set(s) if s.isascii() else 1 / 0",
        "def f(s): return",
        "def f(s: str) return",
        "1 / 0",
        "def f(s: str):\n    while True: pass",
    ]
    assert await ProgramVotes("f", Sandbox()).numbers(programs) == [
        *(0, 0, 1, 2, None, None, None, None)
    ]
    by_example = ["def f(x): return x"] * 2
    assert await ProgramVotes("f", Sandbox(), examples=["f(2)"]).numbers(by_example) == [0, 0]


@needs_sandbox
@pytest.mark.parametrize(
    "answer",
    ["{'call': 0, 'raised': 5}", "{'call': 0, 'raised': []}", "{'call': []}",
     "{'call': 0, 'value': []}",
     "{'call': 0, 'error': []}", "{'call': eval('[' * 80 + ']' * 80)}"],
)  # fmt: skip
async def test_forged_records_are_only_another_behaviour(answer: str) -> None:
    program = (
        "import gc, os\n"
        "c = next(o for o in gc.get_objects() if type(o).__name__ == 'Channel')\n"
        f"def f(n: int): c.send({answer}); os._exit(0)"
    )
    await at_the_edges(program, "f", (), Sandbox())
    assert len(await ProgramVotes("f", Sandbox()).numbers([program] * 2)) == 2
