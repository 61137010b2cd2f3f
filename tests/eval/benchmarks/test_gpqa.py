"""GPQA, on questions of our own: nothing of a text gets out but to the model."""

import csv
import io
import traceback
from pathlib import Path

import pytest

from eval.benchmarks.benchmark import Question
from eval.benchmarks.gpqa import COLUMNS, Gpqa, read_letter
from eval.sources.labels import label_of
from policies.outcome import Status
from router.errors import InputError

from .hostile import HOSTILE, graded

ROWS = [
    ["Zebrafish, or\nwombat?", "quokka", "lemur", "okapi", "dingo", "recAlpha"],
    ["Kumquat count?", "seventeen", "eleven", "nineteen", "twenty", "recBeta"],
    ["Marimba?", "cedar", "birch", "willow", "hornbeam", "recGamma"],
]
SECRETS = [cell for row in ROWS for cell in row] + ["Zebrafish", "wombat"]


def written(path: Path, rows: list[list[str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    out = io.StringIO()
    csv.writer(out).writerows([["Subdomain", *columns], *(["Zoology", *row] for row in rows)])
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return written(tmp_path / "diamond.csv", ROWS)


def test_the_prompt_holds_all_and_the_gold_is_the_letter_of_the_right_option(copy: Path) -> None:
    for seed in range(8):
        for question, row in zip(Gpqa().questions(copy, seed), ROWS, strict=True):
            assert question.prompt.startswith(row[0])
            assert f"\n{question.gold}) {row[1]}\n" in question.prompt
            assert all(f") {option}\n" in question.prompt for option in row[1:5])


def test_the_order_comes_from_seed_and_record(copy: Path) -> None:
    assert Gpqa().questions(copy, 1) == Gpqa().questions(copy, 1)
    golds = {seed: "".join(q.gold for q in Gpqa().questions(copy, seed)) for seed in range(12)}
    assert len(set(golds.values())) > 4
    ids = [q.id for q in Gpqa().questions(copy, 1)]
    assert ids == [q.id for q in Gpqa().questions(copy, 2)]
    # A row's order does not hang on its neighbours.
    alone = written(copy.with_name("one.csv"), ROWS[2:])
    assert Gpqa().questions(alone, 1)[0] == Gpqa().questions(copy, 1)[2]


def test_nothing_but_the_prompt_holds_the_text(copy: Path) -> None:
    one = Gpqa()
    questions = one.questions(copy, 0)
    told = [repr(questions), str(questions[0]), repr(one), repr(vars(one)), one.protocol]
    told += [repr(one.checksums(copy))]
    for question in questions:
        assert question.keep_text is False
        told.append(question.model_dump_json(exclude={"prompt"}))
        for text in (question.prompt, f"Answer: {question.gold}", ROWS[0][1], ""):
            told.append(graded(one, question, text).model_dump_json())
    assert [s for s in SECRETS if s.lower() in "\n".join(told).lower()] == []


BROKEN = {
    "no column": lambda p: written(p, [r[:5] for r in ROWS], COLUMNS[:5]),
    "empty option": lambda p: written(p, [*ROWS, ["Kumquat?", "", "a", "b", "c", "recX"]]),
    "equal options": lambda p: written(p, [["Kumquat?", "okapi", "okapi", "b", "c", "recX"]]),
    "short row": lambda p: written(p, [["Kumquat?", "okapi"]]),
    "twice": lambda p: written(p, [*ROWS, ROWS[0]]),
    "no rows": lambda p: written(p, []),
    "not utf-8": lambda p: p.write_bytes(written(p, ROWS).read_bytes() + b"Kumquat\xff\xfe,okapi"),
    "open quote": lambda p: p.write_text(written(p, ROWS).read_text() + '"Kumquat,okapi'),
    "huge field": lambda p: written(p, [["Kumquat" * 50_000, *ROWS[0][1:]]]),
    "nothing": lambda p: p.write_text(""),
    "nul": lambda p: p.write_text(written(p, ROWS).read_text() + "Kumquat\0,okapi\n"),
    "no file": lambda p: None,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_and_never_quoted(tmp_path: Path, name: str) -> None:
    file = tmp_path / "broken.csv"
    BROKEN[name](file)
    with pytest.raises(InputError) as caught:
        Gpqa().questions(file, 0)
    error: BaseException | None = caught.value
    assert "broken.csv" in str(error) and "Record ID" in str(error)
    assert "line" in str(error) or name == "twice"
    told = "".join(traceback.format_exception(caught.value))
    chain = []
    while error is not None:
        chain.append(f"{error!r} {vars(error)} {getattr(error, 'object', '')!r}")
        error = error.__cause__ or error.__context__
    assert [s for s in [*SECRETS, "Kumquat"] if s in told + "".join(chain)] == []


def test_it_needs_the_users_copy() -> None:
    with pytest.raises(InputError, match=r"your own copy.*Record ID"):
        Gpqa().questions(None, 0)
    assert label_of(Gpqa.benchmark_id).knowledge_demand == 1


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Answer: B", "B"),
        ("**Answer: B**", "B"),
        ("**Answer:** (B)", "B"),
        ("Answer: $B$", "B"),
        ("answer: B.", "B"),
        ("A is wrong.\nThe answer is B", "B"),
        ("The correct answer is option (B).", "B"),
        ("Answer: A ... no.\nAnswer: B", "B"),
        ("\\boxed{B}", "B"),
        ("Answer: A, so \\boxed{\\text{B}}", "B"),
        ("\\boxed{(B) quokka}", "B"),
        ("B", "B"),
        ("(B).", "B"),
        ("<think>Answer: A</think>Answer: B", "B"),
        ("The answer is a matter of taste", None),
        ("Answer: Because", None),
        ("Answer: E", None),
        ("Answer: B's", None),
        ("I pick B", None),
        ("<think>Answer: A", None),
        ("Answer: В", None),  # Cyrillic
    ],
)
def test_reading(text: str, letter: str | None) -> None:
    assert read_letter(text) == letter


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    question = Question(id="q", prompt="p", gold="B", keep_text=False)
    result = graded(Gpqa(), question, HOSTILE[name])
    assert (result.score, result.answer, result.status) == (0.0, None, Status.UNPARSED)
