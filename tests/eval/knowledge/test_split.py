"""The split is fixed, whole countries, and about as large as it says."""

from collections import Counter

from eval.knowledge.split import PARTS, part_of
from router.knowledge.factbook import read_countries


def test_the_split_is_what_it_was():
    assert [part_of(code) for code in ("bt", "us", "gm", "fr", "ch", "in")] == [
        "score",
        "score",
        "tune",
        "score",
        "tune",
        "fit",
    ]


def test_the_parts_are_about_as_large_as_stated():
    parts = Counter(part_of(code) for code in read_countries())
    assert sum(PARTS.values()) == 100
    for part, share in PARTS.items():
        assert abs(parts[part] / 256 - share / 100) < 0.05
