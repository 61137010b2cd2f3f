"""The prompts written for this project: `prompts/` teaches, `heldout/` only tests.

A file holds groups of near twins; a group is one topic and is never split between fitting and
scoring. One row is

    - [domain, verifiability, knowledge demand, form, text]
    - [domain, verifiability, knowledge demand, form, text, [need, ...]]

`~` is "no label"; a text may be a list of turns ("user: ...", "assistant: ...", "system: ...").
None of them is taken from a benchmark. What this does not do: judge the labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from router.errors import InputError
from router.state import DOMAINS, FORMS, NEEDS, Domain, Form, Message, Need, Query

__all__ = [
    "HELDOUT",
    "INJECTIONS",
    "INNOCENT",
    "PROMPTS",
    "Prompt",
    "prompt_files",
    "read_lines",
    "read_prompts",
]

PROMPTS = Path(__file__).with_name("prompts")
HELDOUT = Path(__file__).with_name("heldout")
INJECTIONS = HELDOUT / "injections.txt"
INNOCENT = HELDOUT / "innocent.txt"
"""Sentences, one a line: aimed at the router, and hard ones that are not."""
_SHORTEST, _LONGEST = 5, 6
_ROLES = get_args(Message.model_fields["role"].annotation)


@dataclass(frozen=True)
class Prompt:
    """One written prompt; a label of None is undecided."""

    query: Query
    file: str
    group: str
    domain: Domain | None
    verifiability: int | None
    knowledge_demand: int | None
    form: Form | None
    needs: tuple[Need, ...] = ()


def read_lines(path: Path) -> list[str]:
    """One sentence a line."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def prompt_files(folder: Path) -> list[Path]:
    """The files of a folder, in a fixed order."""
    return sorted(folder.glob("*.yaml"))


def read_prompts(folder: Path) -> list[Prompt]:
    """All prompts of a folder; InputError naming file, group and row where one is malformed."""
    return [prompt for path in prompt_files(folder) for prompt in _file(path)]


def _file(path: Path) -> Iterator[Prompt]:
    import yaml

    groups: dict[str, list[Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for group, rows in groups.items():
        for number, row in enumerate(rows, 1):
            try:
                yield _prompt(path.stem, group, row)
            except (ValueError, TypeError) as error:
                raise InputError(f"{path.name}, group {group}, row {number}: {error}") from error


def _prompt(file: str, group: str, row: list[Any]) -> Prompt:
    if not _SHORTEST <= len(row) <= _LONGEST:
        raise ValueError(
            "a row is [domain, verifiability, knowledge demand, form, text] and perhaps needs"
        )
    domain, verifiability, knowledge, form, text, *needs = row
    return Prompt(
        query=Query(id=f"{file}:{group}", messages=_messages(text)),
        file=file,
        group=f"{file}:{group}",
        domain=_one_of(domain, DOMAINS, "domain"),
        verifiability=_one_of(verifiability, (0, 1), "verifiability"),
        knowledge_demand=_one_of(knowledge, (0, 1), "knowledge demand"),
        form=_one_of(form, FORMS, "form"),
        needs=tuple(_one_of(n, NEEDS, "need") for n in (needs[0] if needs else ())),
    )


def _one_of(value: Any, allowed: tuple[Any, ...], name: str) -> Any:
    if value is None or value == "~":
        return None
    if value not in allowed:
        raise ValueError(f"{name} {value!r} is none of {', '.join(map(str, allowed))}")
    return value


def _messages(text: str | list[str]) -> tuple[Message, ...]:
    if isinstance(text, str):
        return (Message(role="user", content=text),)
    turns = [turn.partition(":") for turn in text]
    wrong = [role for role, _, _ in turns if role not in _ROLES]
    if wrong:
        raise ValueError(f"a turn begins with one of {', '.join(_ROLES)}, not {wrong[0]!r}")
    return tuple(Message(role=role, content=said.strip()) for role, _, said in turns)
