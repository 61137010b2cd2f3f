"""Each trap on small made-up tables: found with its count where it is, silent where it is not."""

import random
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from eval.sources.check import Finding, check
from eval.sources.traps.options import count_options
from policies.outcome import OutcomeSet

ARMS = ("small", "middle", "large")
OPTIONS = "\nA. red\nB. green\nC. blue\nD. black"


def text(k: int) -> str:
    """A question of words that no other question has."""
    pick = random.Random(k)
    return " ".join(f"w{pick.randrange(10**6)}" for _ in range(12)) + "?"


def ability(arm: str, k: int, benchmark: str = "b") -> float:
    """Harder questions are missed by more arms: what an aligned table looks like."""
    hard = random.Random(f"{benchmark}{k}").random()
    return float(hard < {"small": 0.45, "middle": 0.65, "large": 0.8}.get(arm, 0.6))


def row(arm: str, k: int, benchmark: str = "b", **fields: Any) -> dict[str, Any]:
    """A complete row: no trap looks at it."""
    return {
        "source": "made_up",
        "benchmark": benchmark,
        "query_id": f"{benchmark}:{k}",
        "arm": arm,
        "status": "ok",
        "score": ability(arm, k, benchmark),
        "params_b": 7.0,
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "cost_usd": {"small": 0.1, "middle": 0.2}.get(arm, 0.3),
        "cost_basis": "billed",
        "answer": "an answer of some length",
        "response_chars": 24,
        "logprob_mean": -0.1,
        "latency_s": 1.0,
        **fields,
    }


def query(k: int, benchmark: str = "b", **fields: Any) -> dict[str, Any]:
    return {
        "source": "made_up",
        "benchmark": benchmark,
        "query_id": f"{benchmark}:{k}",
        "query": text(k),
        "gold": str(k),
        **fields,
    }


def table(outcomes: list[dict[str, Any]], queries: list[dict[str, Any]]) -> OutcomeSet:
    return OutcomeSet(
        pl.DataFrame(outcomes, infer_schema_length=None),
        pl.DataFrame(queries, infer_schema_length=None),
    )


def clean(n: int = 40, start: int = 0, **fields: Any) -> OutcomeSet:
    """A table without a trap: three arms, two samples each."""
    places = range(start, start + n)
    return table(
        [row(a, k, sample=s, **fields) for a in ARMS for k in places for s in (0, 1)],
        [query(k) for k in places],
    )


def only(found: list[Finding], code: str) -> Finding:
    (finding,) = [f for f in found if f.code == code]
    return finding


def codes(found: list[Finding]) -> set[str]:
    return {f.code for f in found}


def test_a_clean_table_has_no_finding() -> None:
    assert check(clean(150)) == []
    assert check(clean(), {"other": clean(start=1000)}, [text(5000)]) == []


def test_an_empty_table_has_no_finding() -> None:
    data = clean()
    assert check(OutcomeSet(data.outcomes.clear(), data.queries.clear())) == []


def test_findings_are_frozen_and_sorted_by_severity() -> None:
    outcomes = [row("small", k, domain="math" if k else "code") for k in range(20)]
    found = check(table(outcomes, [query(k, domain="math", query=text(0)) for k in range(20)]))
    order = [f.severity for f in found]
    assert order == sorted(order, key=("error", "warning", "note").index)
    assert set(order) == {"error", "warning", "note"}
    with pytest.raises(ValidationError):
        found[0].rows = 3  # type: ignore[misc]


def test_no_message_holds_a_score() -> None:
    """An unseen table stays unseen: the mean 0.123 must show in no word of any finding."""
    outcomes = [
        row(a, k, score=0.123, cost_usd=c)
        for a, c in zip(ARMS, (3, 2, 1), strict=True)
        for k in range(30)
    ]
    outcomes += [row(a, k, "other", score=0.9) for a in ARMS for k in range(30, 60)]
    queries = [query(k, query=text(k) + OPTIONS) for k in range(30)]
    found = check(table(outcomes, [*queries, *(query(k, "other") for k in range(30, 60))]))
    assert {"at_guess_floor", "low_everywhere"} <= codes(found)
    assert not [f for f in found if "0.12" in f.model_dump_json() or "0.9" in f.model_dump_json()]


# --- rows -----------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["domain", "subject", "cluster_id"])
def test_rows_of_one_query_that_disagree(column: str) -> None:
    outcomes = [row(a, k, **{column: "x"}) for a in ARMS for k in range(10)]
    queries = [query(k, **{column: "x"}) for k in range(10)]
    assert "row_conflict" not in codes(check(table(outcomes, queries)))
    for wrong in (3, 14):
        outcomes[wrong][column] = "y"
    finding = only(check(table(outcomes, queries)), "row_conflict")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 2, 6)
    assert finding.examples == ("b:3", "b:4") and column in finding.message


def test_a_row_that_says_nothing_conflicts_with_nothing() -> None:
    outcomes = [row(a, k) for a in ARMS for k in range(10)]
    queries = [query(k, subject="s", domain="math") for k in range(10)]
    assert "row_conflict" not in codes(check(table(outcomes, queries)))


def test_an_id_for_two_texts() -> None:
    queries = [query(0, query_id="q"), query(1, "c", query_id="q"), query(2)]
    outcomes = [row("small", 0, query_id="q"), row("small", 1, "c", query_id="q"), row("small", 2)]
    finding = only(check(table(outcomes, queries)), "id_reused")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 1, 2)
    queries[1]["query"] = queries[0]["query"].upper()
    assert "id_reused" not in codes(check(table(outcomes, queries)))


def test_texts_that_differ_between_sets() -> None:
    data, other = clean(), clean()
    texts = [text(k + (k >= 30)) for k in range(40)]  # ten ids slipped by one
    slipped = OutcomeSet(other.outcomes, other.queries.with_columns(query=pl.Series(texts)))
    finding = only(check(data, {"other": slipped}), "text_differs")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 10, 60)
    assert finding.examples[0] == "b:30" and "other" in finding.message
    same = OutcomeSet(
        other.outcomes, other.queries.with_columns(pl.col("query").str.to_uppercase() + " ")
    )
    assert codes(check(data, {"other": same})) == {"shared_ids", "set_overlap"}


def test_golds_that_differ_between_sets() -> None:
    data = clean()
    golds = [f"worked out\n#### {k}" if k != 7 else "8" for k in range(40)]
    other = OutcomeSet(data.outcomes, data.queries.with_columns(gold=pl.Series(golds)))
    finding = only(check(data, {"other": other}), "gold_differs")
    assert (finding.severity, finding.queries, finding.examples) == ("error", 1, ("b:7",))
    nothing = OutcomeSet(data.outcomes, data.queries.with_columns(gold=pl.lit(None, pl.String)))
    assert "gold_differs" not in codes(check(data, {"other": nothing}))


def slip(data: OutcomeSet, arm: str, benchmark: str = "b") -> OutcomeSet:
    """The arm's scores moved on by one row: same mean, other questions."""
    mine = (pl.col("arm") == arm) & (pl.col("benchmark") == benchmark)
    part = data.outcomes.filter(mine).sort("query_id", "sample")
    step = part["sample"].n_unique()
    moved = pl.concat([part["score"].tail(step), part["score"].head(len(part) - step)])
    moved_part = part.with_columns(score=moved)
    return OutcomeSet(pl.concat([data.outcomes.filter(~mine), moved_part]), data.queries)


@pytest.mark.parametrize("arm", ARMS)
def test_a_slipped_arm(arm: str) -> None:
    data = clean(400)
    assert "misaligned_arm" not in codes(check(data))
    finding = only(check(slip(data, arm)), "misaligned_arm")
    assert finding.severity == "error"
    assert finding.examples == (f"{arm}/b",) and finding.queries == 400


def test_of_two_arms_that_do_not_go_together_one_cannot_say_which() -> None:
    data = clean(400).only(arms=["small", "large"])
    assert "misaligned_arm" not in codes(check(data))
    found = [f for f in check(slip(data, "small")) if f.code == "misaligned_arm"]
    assert {f.examples[0] for f in found} == {"small/b", "large/b"}


def test_slipped_on_one_benchmark_of_three_is_a_warning() -> None:
    places = {"b": range(200), "c": range(200, 400), "d": range(400, 600)}
    data = table(
        [row(a, k, b) for b, ks in places.items() for a in ARMS for k in ks],
        [query(k, b) for b, ks in places.items() for k in ks],
    )
    assert only(check(slip(data, "large", "c")), "misaligned_arm").severity == "warning"


def test_an_arm_that_knows_nothing_is_not_called_misaligned() -> None:
    data = clean(300)
    score = pl.when(pl.col("arm") == "small").then(pl.lit(0.0)).otherwise("score")
    weak = OutcomeSet(data.outcomes.with_columns(score=score), data.queries)
    assert "misaligned_arm" not in codes(check(weak))


# --- texts ----------------------------------------------------------------------------


def test_one_text_under_two_ids() -> None:
    queries = [query(k, query=text(k % 8) if k < 10 else text(k)) for k in range(20)]
    outcomes = [row(a, k) for a in ARMS for k in range(20)]
    finding = only(check(table(outcomes, queries)), "duplicate_texts")
    assert (finding.severity, finding.queries, finding.rows) == ("warning", 4, 12)
    assert "2 texts" in finding.message
    for k in (0, 8):
        queries[k]["cluster_id"] = "twin"
    assert only(check(table(outcomes, queries)), "duplicate_texts").queries == 2


def test_near_duplicates_within_and_across_families() -> None:
    near = " ".join(["other", *text(0).split()[1:]])
    queries = [query(0, "gsm8k"), query(1, "gsm8k"), query(2, "mbpp", query=near), query(3, "mbpp")]
    outcomes = [row("small", k, b) for k, b in enumerate(("gsm8k", "gsm8k", "mbpp", "mbpp"))]
    found = check(table(outcomes, queries))
    assert only(found, "near_duplicates").queries == 2
    across = only(found, "family_overlap")
    assert across.queries == 2 and "gsm8k and mbpp" in across.message
    assert across.examples == ("gsm8k:0 ~ mbpp:2",)
    # One family of two benchmarks: still twins, no longer across.
    for records in (queries, outcomes):
        for record in records:
            record["benchmark"] = record["benchmark"].replace("mbpp", "agentverse-mgsm")
    found = check(table(outcomes, queries))
    assert only(found, "near_duplicates").queries == 2
    assert "family_overlap" not in codes(found)


def test_a_twin_in_another_set_by_opening_or_by_text() -> None:
    ten = "".join(f"\n({c}) {text(900 + k)}" for k, c in enumerate("ABCDEFGHIJ"))
    other = table(
        [row("small", k, "c") for k in (100, 101, 102)],
        [
            query(100, "c", query=text(3) + ten),
            query(101, "c", query="so " + text(4)),
            query(102, "c"),
        ],
    )
    data = clean()
    marked = data.queries.with_columns(pl.col("query") + OPTIONS)
    finding = only(check(OutcomeSet(data.outcomes, marked), {"pro": other}), "set_overlap")
    assert finding.examples == ("b:3 ~ c:100",)
    finding = only(check(data, {"pro": other}), "set_overlap")
    assert (finding.severity, finding.queries, finding.rows) == ("warning", 2, 12)
    assert "2 of 40 queries of b" in finding.message and "pro's c" in finding.message


def test_marked_as_contaminated() -> None:
    queries = [query(k, subject="s|contaminated" if k < 3 else "s") for k in range(10)]
    outcomes = [row(a, k) for a in ARMS for k in range(10)]
    finding = only(check(table(outcomes, queries)), "contaminated_marked")
    assert (finding.severity, finding.queries, finding.rows) == ("warning", 3, 9)


def test_listed_as_contaminated() -> None:
    long = " ".join(text(k) for k in range(3))
    queries = [query(0), query(1, query=long + " and more"), query(2)]
    data = table([row("small", k) for k in range(3)], queries)
    finding = only(check(data, contaminated=[text(0).upper(), long]), "contaminated_listed")
    assert finding.examples == ("b:0", "b:1")
    assert "1 queries are among the 2" in finding.message and "1 more" in finding.message
    assert "contaminated_listed" not in codes(check(data, contaminated=[text(77)]))


@pytest.mark.parametrize("field", ["benchmark", "source", "query_id"])
def test_gpqa_in_plain_text_is_an_error(field: str) -> None:
    name = {field: "GPQA_diamond:1"}
    data = table([row("small", 0, **name)], [query(0, **name)])
    finding = only(check(data), "private_text")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 1, 1)
    assert text(0)[:8] not in finding.model_dump_json()
    hidden = table([row("small", 0, **name)], [query(0, **name, query_hash="ab") | {"query": None}])
    assert "private_text" not in codes(check(hidden))


# --- scores ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("Which?\nA. one\nB. two\nC. three", 3),
        ("Which?\n(A) one\n(B) two", 2),
        ("Which?\nA) one\nB) two", 2),
        ("Which?\n" + "\n".join(f"({c}) x" for c in "ABCDEFGHIJ"), 10),
        ("Which?\nChoices: ['a', 'b', 'c']", 3),
        ("Which?\nChoices: {'text': ['a', 'b'], 'label': ['A', 'B']}", 2),
        ("List:\nA. one\nB. two\n\nWhich?\nA. 1\nB. 2\nC. 3\nD. 4", 4),
        ("Write it.\nChoices: ['assert f(1) == 2', 'assert f(2) == 3']", None),
        ("Write it.\nChoices: [broken", None),
        ("Which?\nA. one\nC. three", None),
        ("Mr. B. asked\nB. what?", None),
        ("How much?", None),
    ],
)
def test_options_are_counted(written: str, options: int | None) -> None:
    assert count_options(written) == options


def guessed(shares: dict[str, float], n: int = 200, options: str = OPTIONS) -> list[Finding]:
    outcomes = [row(a, k, score=float(k < s * n)) for a, s in shares.items() for k in range(n)]
    return check(table(outcomes, [query(k, query=text(k) + options) for k in range(n)]))


def test_guess_floor_at_and_below() -> None:
    found = guessed({"lost": 0.02, "guesses": 0.27, "knows": 0.6})
    floor = only(found, "guess_floor")
    assert floor.severity == "note" and "b up to 4 options, floor 0.250" in floor.message
    at, below = only(found, "at_guess_floor"), only(found, "below_guess_floor")
    assert at.examples == ("guesses/b",) and at.rows == 200
    assert below.examples == ("lost/b",) and below.severity == "warning"


def test_above_the_floor_or_without_one_nothing_is_said() -> None:
    assert (
        codes(guessed({"a": 0.5, "b": 0.6, "c": 0.7}))
        & {
            "at_guess_floor",
            "below_guess_floor",
        }
        == set()
    )
    assert "guess_floor" not in codes(guessed({"lost": 0.02, "knows": 0.6}, options=""))


def test_ten_options_have_a_lower_floor() -> None:
    ten = "".join(f"\n({c}) x{c}" for c in "ABCDEFGHIJ")
    found = guessed({"lost": 0.02, "guesses": 0.12, "weak": 0.27}, options=ten)
    assert "floor 0.100" in only(found, "guess_floor").message
    assert only(found, "at_guess_floor").examples == ("guesses/b",)


def test_unparsed_rows_and_cells() -> None:
    def found(bad: int) -> Finding:
        outcomes = [
            row(a, k, status="unparsed" if a == "small" and k < bad else "ok", score=0.5)
            for a in ARMS
            for k in range(40)
        ]
        return only(check(table(outcomes, [query(k) for k in range(40)])), "unparsed")

    assert (found(8).severity, found(8).rows) == ("note", 8)  # a fifth, not over it
    assert (found(9).severity, found(9).rows, found(9).queries) == ("warning", 9, 9)
    assert found(9).examples == ("small/b",)
    assert "unparsed" not in codes(check(clean()))


def two_benchmarks(scores: dict[tuple[str, str], float]) -> list[Finding]:
    outcomes, queries = [], []
    for k in range(60):
        benchmark = "b" if k < 30 else "c"
        queries.append(query(k, benchmark))
        outcomes += [row(a, k, benchmark, score=scores.get((a, benchmark), 0.6)) for a in ARMS]
    return check(table(outcomes, queries))


def test_zeros_of_an_arm_that_does_well_elsewhere() -> None:
    finding = only(two_benchmarks({("large", "b"): 0.01}), "format_zeros")
    assert (finding.severity, finding.examples, finding.rows) == ("warning", ("large/b",), 30)
    for scores in (
        {},
        {("large", "b"): 0.2},  # low, not zero
        {("large", "b"): 0.0, ("large", "c"): 0.1},  # it does nothing well
        {(a, "b"): 0.0 for a in ARMS},  # nobody does it well: hard
    ):
        assert "format_zeros" not in codes(two_benchmarks(scores))


def test_a_benchmark_that_is_low_for_all() -> None:
    finding = only(two_benchmarks({(a, "b"): 0.2 for a in ARMS}), "low_everywhere")
    assert (finding.severity, finding.examples, finding.rows) == ("warning", ("b",), 90)
    for scores in ({(a, "b"): 0.35 for a in ARMS}, {(a, b): 0.2 for a in ARMS for b in "bc"}):
        assert "low_everywhere" not in codes(two_benchmarks(scores))


def test_answers_that_are_empty() -> None:
    blank = [{"response_chars": 0}, {"answer": " \n"}, {"status": "unparsed", "response_chars": 0}]
    outcomes = [row("small", k, **fields) for k, fields in enumerate([*blank, {}])]
    finding = only(check(table(outcomes, [query(k) for k in range(4)])), "empty_answers")
    assert (finding.rows, finding.examples) == (2, ("b:0", "b:1"))


@pytest.mark.parametrize(("cost", "found"), [(1.0, True), (0.01, False)])
def test_the_dearer_arm_is_the_worse_one(cost: float, found: bool) -> None:
    outcomes = [row("small", k, score=0.2, cost_usd=cost) for k in range(30)]
    outcomes += [row("large", k, score=0.8) for k in range(30)]
    data = table(outcomes, [query(k) for k in range(30)])
    assert ("dearer_is_worse" in codes(check(data))) == found
    if found:
        finding = only(check(data), "dearer_is_worse")
        assert finding.examples == ("small", "large") and finding.queries == 30


# --- gaps -----------------------------------------------------------------------------


def test_incomplete_arms() -> None:
    outcomes = [row(a, k) for a in ARMS for k in range(20) if not (a == "large" and k < 4)]
    outcomes += [row("large", k, status="missing", score=None) for k in range(2)]
    for gone in (0, 10):  # two rows of small: one query that large lacks too
        outcomes = [r for r in outcomes if (r["arm"], r["query_id"]) != ("small", f"b:{gone}")]
    finding = only(check(table(outcomes, [query(k) for k in range(20)])), "incomplete_arms")
    assert (finding.severity, finding.rows, finding.queries) == ("warning", 6, 5)
    assert finding.examples == ("large/b", "small/b")
    assert "large 4 of 20 on b" in finding.message and "15 of 20 queries" in finding.message


def test_a_failed_row_is_no_missing_row() -> None:
    outcomes = [row(a, k) for a in ARMS for k in range(20)]
    outcomes[0] |= {"status": "failed", "score": None}
    found = codes(check(table(outcomes, [query(k) for k in range(20)])))
    assert not found & {"incomplete_arms", "no_answers", "absent_cells"}


def test_arms_that_were_not_run_everywhere() -> None:
    outcomes = [
        row(a, k, b) for a in ARMS for k, b in ((0, "b"), (1, "c")) if (a, b) != ("small", "c")
    ]
    found = check(table(outcomes, [query(0), query(1, "c")]))
    finding = only(found, "absent_cells")
    assert (finding.severity, finding.examples) == ("note", ("small/c",))
    assert "incomplete_arms" not in codes(found)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"prompt_tokens": 0}, "no prompt tokens"),
        ({"completion_tokens": 0}, "no completion tokens"),
        ({"completion_tokens": 113}, "more completion tokens"),
    ],
)
def test_impossible_token_counts(fields: dict[str, int], what: str) -> None:
    outcomes = [row(a, k, **(fields if k < 3 else {})) for a in ARMS for k in range(20)]
    finding = only(check(table(outcomes, [query(k) for k in range(20)])), "impossible_tokens")
    assert (finding.severity, finding.rows, finding.queries) == ("warning", 9, 3)
    assert what in finding.message


def test_possible_token_counts() -> None:
    for fields in ({"completion_tokens": 112}, {"completion_tokens": 0, "response_chars": 0}):
        assert "impossible_tokens" not in codes(check(clean(**fields)))


@pytest.mark.parametrize(
    ("code", "columns"),
    [
        ("no_cost", ("cost_usd",)),
        ("no_tokens", ("prompt_tokens", "completion_tokens")),
        ("no_logprobs", ("logprob_mean",)),
        ("no_answers", ("answer",)),
        ("no_latency", ("latency_s",)),
    ],
)
def test_fields_that_are_not_there(code: str, columns: tuple[str, ...]) -> None:
    finding = only(check(clean(**dict.fromkeys(columns))), code)
    assert (finding.severity, finding.rows) == ("note", 240)
    outcomes = [
        row(a, k, **(dict.fromkeys(columns) if k < 5 else {})) for a in ARMS for k in range(20)
    ]
    finding = only(check(table(outcomes, [query(k) for k in range(20)])), code)
    assert finding.rows == 15 and "15 of 60" in finding.message


def test_one_sample_only() -> None:
    data = clean()
    one = OutcomeSet(data.outcomes.filter(pl.col("sample") == 0), data.queries)
    assert only(check(one), "single_sample").rows == 120


def test_arms_without_a_size() -> None:
    outcomes = [row(a, k, params_b=None if a == "large" else 7.0) for a in ARMS for k in range(9)]
    finding = only(check(table(outcomes, [query(k) for k in range(9)])), "no_params")
    assert (finding.severity, finding.rows, finding.examples) == ("note", 9, ("large",))


@pytest.mark.parametrize(("code", "column"), [("no_gold", "gold"), ("no_texts", "query")])
def test_queries_without_gold_or_text(code: str, column: str) -> None:
    queries = [query(k) | ({column: None} if k < 6 else {}) for k in range(20)]
    outcomes = [row(a, k) for a in ARMS for k in range(20)]
    finding = only(check(table(outcomes, queries)), code)
    assert (finding.severity, finding.queries) == ("note", 6) and "b 6" in finding.message
