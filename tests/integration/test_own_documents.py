"""A user's own documents, from files to a verified answer: the real encoder, index, signals, judges
and embedded model.

"What is a uv script?" was asked of a small model that did not know. With documentation of uv and
of inline script metadata indexed, it is answered with a citation of it; without, no small model
answers alone. The documents are written for this test.
"""

from pathlib import Path

import pytest

from router.config import load_settings
from router.facade import Router
from router.knowledge.sources import source_of
from router.knowledge.update import add_sources
from router.signals.encoder import Encoder

ASKED = "What is a uv script?"
UV = """# uv scripts

A uv script is a single Python file that names its own dependencies in a comment block at the top,
so that `uv run` can install them and run the file without a project around it.

## Declaring dependencies

The block starts with `# /// script` and ends with `# ///`. Between them stands TOML with two keys:
`requires-python` and `dependencies`. `uv add --script example.py requests` writes the block.

## Running

`uv run example.py` reads the block, builds a cached environment for it and runs the script there.
The first line `#!/usr/bin/env -S uv run --script` makes the file executable by itself.
"""
PEP_723 = """# Inline script metadata (PEP 723)

PEP 723 defines a comment block for single-file Python scripts. Tools read the block to learn which
packages the script needs and which Python versions it runs on.

Runners that support it are uv, pipx, Hatch and PDM.
"""
HERRING = """# Herring

Herring is salted in barrels in the autumn. A barrel of the west coast holds about 118 litres.
"""


@pytest.fixture
def index(real_env, tmp_path):
    """Made of files, as `ockham index add` makes it."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for name, text in (("uv.md", UV), ("pep-723.md", PEP_723), ("herring.md", HERRING)):
        (docs / name).write_text(text, encoding="utf-8")
    place = tmp_path / "index"
    add_sources(place, Encoder(load_settings().signals.encoder), [source_of(str(docs))])
    return place


def router(place: Path, **more):
    return Router(load_settings(knowledge={"path": str(place)}, **more))


def large(fake):
    """A hosted model that can be run, as far as the router sees."""
    model = {"tier": "large", "model": "openai/fake", "api_base": fake.api_base, "api_key": "k",
             "input_usd_per_million": 1, "output_usd_per_million": 4}  # fmt: skip
    return {"large": model}


def test_with_its_documentation_it_is_answered_with_a_citation(index):
    with router(index) as real:
        answer = real.ask(ASKED)
    assert answer.route == ("small+index",)
    assert answer.verified and answer.verdict.kind == "grounding"
    (citation,) = answer.citations
    assert citation.source == "docs/uv.md#uv scripts"
    told = " ".join(citation.quote.split()).removeprefix("uv scripts: ")
    assert told and told in " ".join(UV.split())
    assert "single Python file" in answer.answer


def test_a_question_on_something_else_is_not_answered_from_it(index):
    with router(index) as real:
        answer = real.ask("What is the boiling point of tungsten?")
    assert not answer.verified


def test_where_a_large_model_is_there_the_documents_are_still_read_first(index, fake_model):
    with router(index, models=large(fake_model)) as real:
        _, decision = real.route(ASKED)
    assert decision.arm == "small+index"


def test_without_documents_the_large_model_is_asked(real_env, tmp_path, fake_model):
    fake_model.answer = lambda _: "A Python file with inline script metadata."
    with router(tmp_path / "none", models=large(fake_model)) as real:
        answer = real.ask(ASKED)
    assert answer.route[0] == "large"
    assert "small" not in answer.route
    assert answer.answer == "A Python file with inline script metadata."


def test_without_documents_and_with_unrelated_ones_no_small_model_is_first(
    real_env, tmp_path, fake_model
):
    docs = tmp_path / "herring.md"
    docs.write_text(HERRING, encoding="utf-8")
    place = tmp_path / "index"
    add_sources(place, Encoder(load_settings().signals.encoder), [source_of(str(docs))])
    with router(place, models=large(fake_model)) as real:
        _, decision = real.route(ASKED)
    assert decision.lookup is not None and (decision.lookup.answerable or 0) < 0.5
    assert decision.arm in ("large", "large+index")


def test_without_documents_and_without_a_large_model_it_is_said_to_be_unverified(
    real_env, tmp_path
):
    """Nothing else can be run: the answer stands, and the note says what it is."""
    with router(tmp_path / "none") as real:
        answer = real.ask(ASKED)
    assert not answer.verified and not answer.citations
    assert answer.note is not None and answer.note.startswith("unverified")
    assert "small+index" in answer.note and "large" in answer.note
