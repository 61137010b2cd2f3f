"""The four conditions as live benchmarks: the same questions, other passages."""

import hashlib
import json

import pytest

from eval.benchmarks.benchmark import create
from eval.benchmarks.coverage import CONDITIONS, instruction
from eval.knowledge.drawn import draw_evenly, write_questions
from eval.knowledge.gold import Gold
from eval.knowledge.questions import checksum, holds
from eval.runs.manifest import Arguments, make_manifest
from eval.runs.subject import SubjectSpec
from eval.sources.labels import label_of
from policies import OnlyArm
from router.config import load_settings

from .hostile import HOSTILE, graded


@pytest.fixture(scope="module")
def asked():
    return draw_evenly(0, limit=6)


@pytest.fixture
def file(asked, tmp_path):
    write_questions(asked, tmp_path / "questions.jsonl")
    return tmp_path / "questions.jsonl"


def test_the_same_questions_in_every_condition(file, asked):
    every = {c: create(f"coverage-{c}").questions(file, 0) for c in CONDITIONS}
    first = every["closed"]
    assert [q.id for q in first] == [q.id for q in asked]
    for found in every.values():
        for a, b in zip(first, found, strict=True):
            assert (a.id, a.prompt, a.gold, a.cluster_id) == (b.id, b.prompt, b.gold, b.cluster_id)
    assert all(q.passages is None for c in ("closed", "retrieved") for q in every[c])
    for question, given in zip(asked, every["gold"], strict=True):
        assert all(holds(question, p.source, p.title, p.text) for p in given.passages)
    for question, given in zip(asked, every["distractors"], strict=True):
        assert not any(holds(question, p.source, p.title, p.text) for p in given.passages)
    assert first[0].prompt.startswith(asked[0].prompt + "\n\nAnswer with ")
    assert first[0].subject == asked[0].field and first[0].cluster_id.startswith("factbook:")


def test_every_condition_is_another_run_of_the_same_file(file, clean_env):
    """Passages are part of a run's identity, and so is the file's checksum."""
    settings, seen = load_settings(), {}
    for condition in CONDITIONS:
        benchmark = create(f"coverage-{condition}")
        arguments = Arguments(
            benchmark=benchmark.name, subject=SubjectSpec(arm="small"), path=str(file)
        )
        questions = benchmark.questions(file, 0)
        made = make_manifest(
            arguments, benchmark, questions, settings, OnlyArm(arm="small"), created=""
        )
        seen[condition] = made.same
        assert {"checksums.questions", "checksums.questions.jsonl", "checksums.corpus"} <= set(
            made.same
        )
    assert len({same["questions"] for same in seen.values()}) == 3
    assert seen["closed"]["questions"] == seen["retrieved"]["questions"]
    assert seen["closed"]["protocol"] != seen["retrieved"]["protocol"]
    away = create("coverage-distractors")
    by_seed = [away.questions(file, seed) for seed in (0, 1)]
    assert by_seed[0][0].passages != by_seed[1][0].passages
    arguments = Arguments(benchmark=away.name, subject=SubjectSpec(arm="small"), path=str(file))
    digests = {
        make_manifest(arguments, away, q, settings, OnlyArm(arm="small"), created="").same[
            "questions"
        ]
        for q in by_seed
    }
    assert len(digests) == 2
    # Without passages: what it was before questions could bring any.
    plain = hashlib.sha256()
    for q in away.questions(file, 0):
        plain.update(json.dumps([q.id, q.prompt, q.gold], ensure_ascii=False).encode())
    assert seen["closed"]["questions"].endswith(plain.hexdigest()[:32])


def test_the_checksum_is_the_generators(file, asked):
    assert create("coverage-gold").checksums(file)["questions"] == checksum(asked)
    assert set(create("coverage-gold").checksums(None)) == {"corpus"}


async def test_scored_and_clustered_by_what_is_right(file, asked):
    benchmark = create("coverage-closed")
    for question, live in zip(asked, benchmark.questions(file, 0), strict=True):
        right = question.gold.values[0]
        if question.gold.kind in ("name", "number"):
            assert (await benchmark.score(live, f"The answer is: {right}")).score == 1
        assert (await benchmark.score(live, "I do not know")).score == 0
        assert await benchmark.cluster(live, ["maybe", "May be", "no"]) == [0, 0, 1]
        if question.gold.kind in ("name", "number"):
            said = [right, f"It is {right}", "", "no"]
            assert await benchmark.cluster(live, said) == [0, 0, 1, 2], "nothing is not right"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name, file):
    benchmark = create("coverage-closed")
    for live in benchmark.questions(file, 0):
        assert graded(benchmark, live, HOSTILE[name]).score == 0.0


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        (
            Gold(kind="number", values=("1",), number=1, unit="km**2"),
            "alone, in square kilometres.",
        ),
        (
            Gold(kind="number", values=("1",), number=1, unit="count"),
            "Answer with the number alone.",
        ),
        (Gold(kind="date", values=("1949-08-08",)), "Answer with day, month and year alone."),
        (Gold(kind="date", values=("08-08",)), "Answer with day and month alone."),
        (Gold(kind="names", values=("a", "b"), needed=2), "separated by commas."),
        (Gold(kind="names", values=("a", "b")), "Answer with the name alone."),
        (Gold(kind="text", values=("a",)), "Answer in a few words."),
    ],
)
def test_the_instruction_says_form_and_unit(gold, said):
    assert instruction(gold).endswith(said)


def test_it_is_labelled():
    label = label_of(create("coverage-closed").benchmark_id)
    assert (label.verifiability, label.knowledge_demand) == (0, 1)
