"""What a live benchmark is: questions, a prompt, and a scorer. One benchmark, one file.

A benchmark knows nothing of models, concurrency or cost: `eval/live.py` asks, and keeps
what came back. Prompt and protocol are part of the result, so each benchmark states both
in words; changing either is a new `version`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from policies.outcome import Status
from router.errors import InputError
from router.state import Passage

__all__ = ["Benchmark", "Graded", "Question", "available_benchmarks", "benchmark", "create"]


class Question(BaseModel):
    """One question. `prompt` is the whole user turn, as it is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Joins with the outcome tables: `gsm8k_test:0`, `humaneval:12`."""
    prompt: str
    gold: str
    """What the scorer compares with; JSON where it is more than one string."""
    cluster_id: str = ""
    """What a bootstrap keeps whole (a template, a passage); "" is the question itself."""
    subject: str | None = None
    keep_text: bool = True
    """False: only the hash of the prompt may be written anywhere (GPQA)."""
    passages: tuple[Passage, ...] | None = None
    """What an arm with context `index` reads in place of a search; None lets it search."""

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Without a prompt that may not be kept: a repr ends in logs and error messages."""
        return [
            (name, value)
            for name, value in super().__repr_args__()
            if name != "prompt" or self.keep_text
        ]


class Graded(BaseModel):
    """What a scorer says of one answer. `status` may turn `ok` into `unparsed`, no more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: float
    """0..1."""
    answer: str | None
    """The final answer as it was read, None where none could be."""
    status: Status = Status.OK


class Benchmark(ABC):
    """Base of all live benchmarks; registered with `@benchmark`."""

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    protocol: ClassVar[str]
    """Prompt, reading and scoring in one or two sentences: printed with every result."""
    benchmark_id: ClassVar[str]
    """Name in the label table `eval/sources/labels.py`."""
    max_tokens: ClassVar[int | None] = None
    """Lowers the arm's token cap where the protocol says so."""

    @abstractmethod
    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """All questions, in a fixed order. `path` is the user's own copy, None the default.

        Raises:
            InputError: the file is missing or no such benchmark; the message says the format.
        """

    @abstractmethod
    async def score(self, question: Question, text: str) -> Graded:
        """Grade one complete answer. Never raises for anything a model may have written."""

    async def cluster(self, question: Question, answers: Sequence[str]) -> list[int | None]:
        """Numbers for answers as `score` read them: equal ones are equivalent; None is an answer
        that cannot agree with another. Here: the same text, but for space and case."""
        seen: dict[str, int] = {}
        return [seen.setdefault("".join(a.split()).casefold(), len(seen)) for a in answers]

    def is_complete(self, text: str) -> bool:
        """Whether an answer that the token cap cut off had been given before the cut."""
        return False

    async def ready(self) -> None:  # noqa: B027  most have nothing to check
        """Can answers be scored here? Asked before the first call is paid for.

        Raises:
            SetupError: a tool that scoring needs is missing.
        """

    def close(self) -> None:  # noqa: B027
        """End what scoring started (worker processes); called once, at the end."""

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """File or package -> checksum or version, for the result's stamp."""
        return {}


_REGISTRY: dict[str, type[Benchmark]] = {}
B = TypeVar("B", bound=type[Benchmark])


def benchmark(cls: B) -> B:
    """Class decorator: make the benchmark known under `cls.name`. Duplicates are an error."""
    if cls.name in _REGISTRY and _REGISTRY[cls.name].__qualname__ != cls.__qualname__:
        raise InputError(f"two benchmarks are named {cls.name!r}")
    _REGISTRY[cls.name] = cls
    return cls


def available_benchmarks() -> tuple[str, ...]:
    """Names that `create` knows."""
    _load()
    return tuple(sorted(_REGISTRY))


def create(name: str) -> Benchmark:
    """The benchmark of that name; `InputError` lists those there are."""
    _load()
    try:
        return _REGISTRY[name]()
    except KeyError:
        raise InputError(
            f"unknown benchmark {name!r}; known: {', '.join(sorted(_REGISTRY))}"
        ) from None


def _load() -> None:
    """Import the shipped ones: one module each, found by being in this folder."""
    from importlib import import_module

    for module in sorted(Path(__file__).parent.glob("*.py")):
        if module.stem not in {"__init__", "benchmark"}:
            import_module(f"{__package__}.{module.stem}")
