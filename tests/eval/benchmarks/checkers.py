"""Which functions a task's checker calls: none may evaluate what a model wrote."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from eval.benchmarks.reasoning_gym import dataset

EVALUATES = {"eval", "exec", "compile", "parse_expr", "sympify", "parse_latex", "S", "__import__"}


def calls_of_checker(task: str, settings: Mapping[str, Any]) -> set[str]:
    """Names called by the package's methods that are given an answer."""
    names: set[str] = set()
    for one in type(dataset(task, 1, 0, settings)).__mro__[:-1]:
        if one.__module__.startswith("reasoning_gym"):
            for method in [m for m in vars(one).values() if inspect.isfunction(m)]:
                if "answer" not in inspect.signature(method).parameters:
                    continue  # makes questions, reads no answer
                tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
                calls = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
                names |= {getattr(f, "id", getattr(f, "attr", "")) for f in calls}
    return names
