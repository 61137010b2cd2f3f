"""Twins among texts: found where they are, not found where only the frame is shared."""

import random
from collections import Counter

import pytest

from eval.contamination import (
    EXACT_BELOW,
    FRAME_COUNT,
    Pair,
    clusters,
    near_duplicates,
    normalise,
    overlap,
    same_openings,
    stem,
)
from eval.sources.shared import shared_data
from router.errors import SetupError

WORDS = [
    "amber",
    "basalt",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "garnet",
    "harbor",
    "indigo",
    "jasper",
    "kernel",
    "lagoon",
    "marble",
    "nectar",
    "obsidian",
    "prairie",
]


def sentence(seed: int, length: int = 30) -> str:
    """A reproducible text of common words, unlike that of another seed."""
    pick = random.Random(seed)
    return " ".join(pick.choice(WORDS) + str(pick.randrange(10)) for _ in range(length))


def changed(text: str, place: int = 12, word: str = "changed") -> str:
    words = text.split()
    words[place] = word
    return " ".join(words)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("What IS  2+2?\n", "what is 2 2"),
        ("Janet’s ducks", "janet s ducks"),
        ("ﬁnal_answer", "final answer"),
        ("北京 Größe", "北京 größe"),
        ("?!", ""),
    ],
)
def test_normalise_keeps_words_only(text: str, plain: str) -> None:
    assert normalise(text) == plain


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Which?\nA. one\nB. two\nAnswer:", "Which?"),
        ("Which?\n(A) one\n(B) two", "Which?"),
        ("Which?\nA) one\nB) two", "Which?"),
        ("Which?\nChoices: ['one', 'two']", "Which?"),
        ("Plan A. or B?", "Plan A. or B?"),
        ("An open question", "An open question"),
    ],
)
def test_stem_cuts_the_options(text: str, question: str) -> None:
    assert stem(text) == question


def test_a_changed_word_is_found_and_another_text_is_not() -> None:
    a = [sentence(k) for k in range(20)]
    b = [changed(sentence(7)), sentence(100), sentence(3).upper() + "!"]
    pairs = near_duplicates(a, b)
    assert [(p.i, p.j) for p in pairs] == [(3, 2), (7, 0)]
    assert pairs[0].similarity == 1.0
    assert 0.9 <= pairs[1].similarity < 1.0


def test_the_threshold_decides() -> None:
    a, b = [sentence(1)], [changed(changed(sentence(1)), 20)]
    (pair,) = near_duplicates(a, b, threshold=0.5)
    assert near_duplicates(a, b, threshold=pair.similarity) == [pair]
    assert near_duplicates(a, b, threshold=pair.similarity + 0.001) == []


def test_within_one_list_a_pair_is_told_once_in_order() -> None:
    texts = [sentence(1), sentence(2), changed(sentence(1)), sentence(2)]
    assert [(p.i, p.j) for p in near_duplicates(texts)] == [(0, 2), (1, 3)]


def test_copies_pair_with_the_first_only() -> None:
    same = [sentence(5)] * 400
    assert [(p.i, p.j) for p in near_duplicates(same)] == [(0, k) for k in range(1, 400)]
    assert [(p.i, p.j) for p in near_duplicates(same, same)] == [(k, 0) for k in range(400)]


def test_a_changed_number_makes_a_short_text_another_question() -> None:
    texts = ["What is 12345 plus 54321?", "What is 12345 plus 54322?", "what is 12345 PLUS 54321"]
    assert max(map(len, texts)) < EXACT_BELOW
    assert near_duplicates(texts) == [Pair(0, 2, 1.0)]


def test_a_shared_frame_is_no_evidence() -> None:
    frame = "Please read the following question with care and give one boxed answer only: "
    texts = [frame * 4 + sentence(k, 8) for k in range(FRAME_COUNT + 10)]
    assert near_duplicates(texts) == []
    assert same_openings(texts) == []
    # The twin is found through its own words, in the frame and out of it.
    assert [(p.i, p.j) for p in near_duplicates(texts, [texts[4], texts[5] + " "])] == [
        (4, 0),
        (5, 1),
    ]


@pytest.mark.parametrize("texts", [[], ["one"], ["", "", " "], ["?", "!"]])
def test_nothing_to_compare(texts: list[str]) -> None:
    assert near_duplicates(texts) == []
    assert near_duplicates(texts, []) == []
    assert same_openings(texts) == []
    assert overlap(texts, []) == [0.0] * len(texts)


def test_openings_see_through_options() -> None:
    four = f"{sentence(1)}\nA. w1\nB. w2\nC. w3\nD. w4\nAnswer:"
    ten = f"{sentence(1)}\n" + "\n".join(f"({c}) {sentence(ord(c), 9)}" for c in "ABCDEFGHIJ")
    assert near_duplicates([ten], [four]) == []
    assert same_openings([sentence(9), ten], [four]) == [Pair(1, 0, 1.0)]


def test_openings_differ_late_or_early() -> None:
    early, late = changed(sentence(1), 0), changed(sentence(1), 29)
    assert [(p.i, p.j) for p in same_openings([early, late], [sentence(1)])] == [(1, 0)]
    assert [p.i for p in same_openings([early, late], [sentence(1)], chars=10_000)] == []


def test_short_stems_say_too_little() -> None:
    assert same_openings(["Who?"], ["who"]) == []
    assert same_openings(["Who?"], ["who"], shortest=3) == [Pair(0, 0, 1.0)]


def test_clusters_join_twins_of_twins() -> None:
    pairs = [Pair(3, 4, 1.0), Pair(1, 3, 0.9), Pair(0, 5, 0.95)]
    assert clusters(6, pairs) == [0, 1, 2, 1, 1, 0]
    assert clusters(3, []) == [0, 1, 2]


def test_overlap_is_a_share_of_grams() -> None:
    listed = sentence(1, 40)
    half = " ".join(listed.split()[:20]) + " " + sentence(2, 20)
    shares = overlap([listed, half, sentence(3, 40), "too short"], [listed, "Too short."])
    assert shares[0] == 1.0
    assert shares[1] == (20 - 12) / (40 - 12)
    assert shares[2:] == [0.0, 1.0]


def test_overlap_takes_the_length_of_the_grams() -> None:
    text = " ".join(sentence(1, 20).split()[:5]) + " " + sentence(2, 20)
    assert overlap([text], [sentence(1, 20)]) == [0.0]
    assert overlap([text], [sentence(1, 20)], words=5) == [1 / 21]


def test_the_result_repeats_itself() -> None:
    texts = [sentence(k % 50) if k % 3 else changed(sentence(k % 50), k % 25) for k in range(300)]
    assert near_duplicates(texts) == near_duplicates(texts)


@pytest.mark.slow
def test_mmlu_pro_is_found_in_mmlu() -> None:
    """27,000 real texts. The truth stands in MMLU-Pro's subjects: `ori_mmlu-...`."""
    pl = pytest.importorskip("polars")
    try:
        place = shared_data() / "queries"
    except SetupError as error:
        pytest.skip(str(error))
    pro = pl.read_parquet(place / "mmlupro.parquet")
    mmlu = pl.read_parquet(place / "routellm.parquet")
    ours, theirs = pro["query"].to_list(), mmlu["query"].to_list()
    found = {p.i for p in same_openings(ours, theirs)}
    truth = {k for k, s in enumerate(pro["subject"]) if "ori_mmlu" in s}
    assert len(truth) == 6810
    assert found <= truth
    assert len(found) == 6764

    # The count that the data's README gives: the first 140 characters, case and layout apart.
    def start(text: str) -> str:
        return " ".join(text.split()).lower()[:140]

    openings = {start(t) for b, t in mmlu.select("benchmark", "query").iter_rows() if b == "mmlu"}
    plain = {k for k, text in enumerate(ours) if start(text) in openings}
    assert len(plain) == 3268
    assert len(plain & found) >= 3250

    # Whole texts alike are far fewer: ten options stand where four did.
    near = Counter(p.i for p in near_duplicates(ours, theirs))
    assert 900 <= len(near) <= 1000
    assert len(set(near) - truth) <= 10
