"""A tiny benchmark for the tests of the live runner: sums, and a fake that can add."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from eval.benchmarks import benchmark as registry
from eval.benchmarks.benchmark import Benchmark, Graded, Question
from eval.live import Plan
from eval.runs.subject import SubjectSpec
from policies.outcome import Status
from policies.policy import Policy
from router.arms.run import ArmRunner
from router.assembly import Assembly
from router.cases import CaseBuilder
from router.config import Settings, make_policy
from router.facade import Router
from router.graph import Engine, build_graph
from router.knowledge.retrieving import Retriever
from router.models.pool import Models
from router.verify import Verifiers

from ..router.conftest import FakeSignals, fake_settings  # noqa: TID252  tests are no package

__all__ = ["Sums", "add", "fake_router", "fake_settings", "plan_of"]


class Sums(Benchmark):
    """`What is i + i?`; the last number of the answer counts."""

    name: ClassVar[str] = "sums"
    protocol: ClassVar[str] = "zero-shot, the last number, exact"
    benchmark_id: ClassVar[str] = "sums_test"
    size: ClassVar[int] = 40
    keep_text: ClassVar[bool] = True

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        return [
            Question(
                id=f"sums:{i}",
                prompt=f"What is {i} + {i}?",
                gold=str(2 * i),
                keep_text=self.keep_text,
            )
            for i in range(seed, seed + self.size)
        ]

    async def score(self, question: Question, text: str) -> Graded:
        numbers = re.findall(r"\d+", text)
        if not numbers:
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        return Graded(score=float(numbers[-1] == question.gold), answer=numbers[-1])

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        return {"sums": "1"}


def add(messages: list[dict[str, str]]) -> str:
    """A fake model that can add."""
    found = re.findall(r"(\d+) \+ (\d+)", messages[-1]["content"])
    a, b = found[-1] if found else ("0", "0")
    return f"The sum is {int(a) + int(b)}"


def fake_router(settings: Settings, policy: Policy | str) -> Router:
    """A router with signals from a plain function; everything else is real."""
    models = Models(settings)
    checker = Verifiers()
    retriever = Retriever(None, settings.knowledge.passages)
    engine = Engine(
        settings=settings,
        models=models,
        signals=FakeSignals(),
        retriever=retriever,
        runner=ArmRunner(models, retriever, checker),
        checker=checker,
        cases=CaseBuilder(settings, models, "no index"),
    )
    return Router(settings, policy, assembly=Assembly(engine, build_graph(), None))


def plan_of(settings: Settings, n: int, samples: int = 1, **subject: str) -> Plan:
    """A plan over the first n sums."""
    spec = SubjectSpec(**subject)
    policy = spec.make(settings) if spec.arm else make_policy(str(spec.policy))
    return Plan(Sums(), Sums().questions(None, 0)[:n], samples, spec, policy)


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> type[Sums]:
    """The benchmark, registered for one test."""
    monkeypatch.setitem(registry._REGISTRY, "sums", Sums)
    monkeypatch.setattr(registry, "_load", lambda: None)
    return Sums
