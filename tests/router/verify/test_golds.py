"""Every gold of MATH-500 and GSM8K, in several spellings, and near misses of each.

The data is read from the shared folder and skipped loudly where that is absent.
"""

import json
import re
from collections.abc import Iterator

import pytest

from eval.sources.shared import shared_data
from router.errors import SetupError
from router.verify.equivalence import EquivalenceChecker

SAME: dict[str, tuple[str, ...]] = {
    "52_8": ("52_{8}", "52 (base 8)", r"52_{\text{eight}}", "52"),
    r"1 \pm \sqrt{19}": (
        r"1+\sqrt{19}, 1-\sqrt{19}",
        r"x = 1 + \sqrt{19} \text{ or } x = 1 - \sqrt{19}",
    ),
    "1,-2": ("-2, 1", "x=1 or x=-2", r"\{1,-2\}", r"1 \text{ and } -2"),
    "3, 5, 7": ("5, 3, 7", "3, 5, and 7"),
    r"\{1\pm\sqrt{5},-2\}": (r"-2,1-\sqrt5,1+\sqrt5",),
    r"x \in [-2,7]": ("[-2,7]", r"-2 \le x \le 7"),
    r"(2,\infty)": ("x>2", "(2, ∞)"),
    r"(-\infty, 0]": (r"x \le 0", "(-inf, 0]"),
    r"(-\infty, 2) \cup (3, \infty)": (r"(3,\infty) \cup (-\infty,2)",),
    r"864 \mbox{ inches}^2": ("864", r"864 \text{ in}^2", "864 square inches"),
    r"15\mbox{ cm}^2": ("15 cm^2", r"15\,\text{cm}^2", "15 cm²"),
    r"\$32,\!348": ("32348", "$32,348", r"\$32,348.00"),
    r"\$18.90": ("18.9", "$18.90", "18.90 dollars"),
    r"11,\! 111,\! 111,\! 100": ("11111111100", "11,111,111,100"),
    r"1\frac{4}{5}": ("9/5", "1.8", "1 4/5"),
    r"137 \frac{1}{2}": ("137.5", r"\frac{275}{2}"),
    r"\frac{270}7\text{ degrees}": (r"\frac{270}{7}", "270/7 degrees", r"\frac{270}{7}^\circ"),
    r"90^\circ": ("90", "90 degrees", "90°", r"90^{\circ}"),
    r"\text{Evelyn}": ("Evelyn", "evelyn", "The answer is Evelyn."),
    r"\text{(C)}": ("C", "(C)", r"\textbf{(C)}", r"\mathrm{C}"),
    r"\text{even}": ("Even", "**even**"),
    "y = 2x + 3": ("2x+3", "y=3+2x"),
    "5x - 7y + 11z + 4 = 0": ("5x-7y+11z=-4",),
    r"\begin{pmatrix} -2 \\ -14 \\ -7 \end{pmatrix}": (
        r"\begin{bmatrix} -2 \\ -14 \\ -7 \end{bmatrix}",
    ),
    r"\left( 3, \frac{\pi}{2} \right)": ("(3, π/2)", "(3, pi/2)", r"(3, \frac{1}{2}\pi)"),
    r"3\sqrt{13}": ("3√13", "3*sqrt(13)", r"\sqrt{117}"),
    r"12\pi": ("12π", r"12 \pi \text{ square units}"),
    "58,500": ("58500", "58,500 people"),
    r"5.4 \text{ cents}": ("5.4",),
    r"\cot x": (r"\frac{1}{\tan x}",),
    r"\frac{\sqrt{3}}{3}": (r"\frac{1}{\sqrt{3}}",),
    r"-\frac{35}{9}": (r"\frac{-35}{9}", "-35/9"),
    "(a+5)(b+2)": ("ab+2a+5b+10",),
    "x=5": ("5", "x = 5.0"),
}
OTHER: dict[str, tuple[str, ...]] = {
    "52_8": ("52_9", "42", "25_8"),
    "1,-2": ("1", "1,-2,3", "(1,-2)"),
    r"1 \pm \sqrt{19}": (r"1+\sqrt{19}",),
    r"(2,\infty)": (r"x\ge 2", r"[2,\infty)", "x<2"),
    r"(0,9) \cup (9,36)": ("(0,36)", r"(0,9] \cup (9,36)"),
    r"1\frac{4}{5}": (r"\frac{4}{5}",),
    r"\text{Evelyn}": ("Navin", "Evelyn and Navin"),
    r"\text{(C)}": ("(B)", "E"),
    r"\text{even}": ("odd", "not even"),
    "p - q": ("q - p", "p"),
    r"12\pi": ("12", "37.7"),
    r"\cot x": (r"\tan x",),
    "x=5": ("y=5", "x=-5"),
}


def golds(name: str) -> list[str]:
    try:
        path = shared_data() / "questions" / name
    except SetupError as error:
        pytest.skip(f"no question sets: {error}")
    if not path.is_file():
        pytest.skip(f"no question set {path}")
    return [json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines()]


def spellings(gold: str) -> Iterator[str]:
    yield from (gold, f"\\boxed{{{gold}}}", f"${gold}$", f"\\( {gold} \\)", f"\\[{gold}\\]")
    yield from (
        f"{gold}.",
        f"**{gold}**",
        f"The answer is ${gold}$.",
        f"The final answer is {gold}",
    )
    yield f"<think>It may be 1.</think> So we get \\boxed{{{gold}}}."
    yield gold.replace("\\dfrac", "\\frac")
    yield re.sub(r"\\frac(?!\w)", r"\\dfrac", gold)
    if "\\left" not in gold and "\\text" not in gold:
        yield gold.replace("(", "\\left(").replace(")", "\\right)")
    if not re.search(r"\\(?:text|mbox)|\\[a-z]+ [a-z]", gold):
        yield gold.replace(" ", "")
    if re.fullmatch(r"-?\d+", gold):
        yield from (f"{int(gold):,}", f"{gold}.00", f"${gold}.00", f"{gold} dollars", f"x = {gold}")
        yield f"{gold}\\text{{ apples}}"


def near_misses(gold: str) -> Iterator[str]:
    for match in re.finditer(r"\d+", re.sub(r"\}\^\d", "}", gold)):  # no powers of units
        digits, before, after = match.group(), gold[: match.start()], gold[match.end() :]
        yield f"{before}{str(int(digits) + 1).zfill(len(digits))}{after}"
        if len(digits) > 1 and digits[0] != digits[1]:
            yield f"{before}{digits[1]}{digits[0]}{digits[2:]}{after}"
    if re.match(r"[1-9]", gold) and "_" not in gold:
        yield f"-{gold}"
    if gold.startswith("-") and "," not in gold:
        yield gold[1:]
    if gold[0] in "([\\" and gold[-1] in ")]" and "," in gold:
        yield gold[:-1] + ("]" if gold[-1] == ")" else ")")
    if pair := re.fullmatch(r"\((-?\w+),\s*(-?\w+)\)", gold):
        yield f"({pair[2]},{pair[1]})"
    if fraction := re.fullmatch(r"\\d?frac\{(\d+)\}\{(\d+)\}", gold):
        yield f"\\frac{{{fraction[2]}}}{{{fraction[1]}}}"
    yield from (gold.replace(a, b, 1) for a, b in ((" + ", " - "), (" - ", " + ")) if a in gold)
    yield from (gold.replace(lost, "") for lost in ("\\sqrt", "\\pi") if lost in gold)


@pytest.mark.parametrize("name", ["math500.jsonl", "gsm8k_test.jsonl"])
def test_every_gold_equals_itself_in_every_spelling(name: str) -> None:
    pairs = [(gold, one) for gold in dict.fromkeys(golds(name)) for one in spellings(gold)]
    with EquivalenceChecker() as checker:
        results = checker.equivalent_many(pairs)
    assert len(pairs) > 1000
    assert [(p, r.status) for p, r in zip(pairs, results, strict=True) if not r.equal] == []


@pytest.mark.parametrize("name", ["math500.jsonl", "gsm8k_test.jsonl"])
def test_no_gold_equals_a_near_miss(name: str) -> None:
    pairs = [(gold, one) for gold in dict.fromkeys(golds(name)) for one in near_misses(gold)]
    with EquivalenceChecker() as checker:
        results = checker.equivalent_many(pairs)
    assert len(pairs) > 400
    wrong = [(p, r) for p, r in zip(pairs, results, strict=True) if r.equal is not False]
    assert wrong == []


@pytest.mark.parametrize(("table", "equal"), [(SAME, True), (OTHER, False)])
def test_what_people_write(table: dict[str, tuple[str, ...]], equal: bool) -> None:
    pairs = [(gold, one) for gold, others in table.items() for one in others]
    with EquivalenceChecker() as checker:
        results = checker.equivalent_many(pairs)
    assert [p for p, r in zip(pairs, results, strict=True) if r.equal is not equal] == []


def test_the_tables_are_about_real_golds() -> None:
    assert (SAME.keys() | OTHER.keys()) <= set(golds("math500.jsonl"))
