"""Shared fixtures: a fake hosted model on loopback, and a clean environment."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.bench.fake_model import FakeModel
from router.models.loading import close_clients

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


SANDBOXES = "tests/router/verify/"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests share a worker; so do all that count what a sandbox leaves behind: beside
    another worker's they would count its orphans."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return SANDBOXES if nodeid.startswith(SANDBOXES) else super()._split_scope(nodeid)

    return Scheduling(config, log)


@pytest.fixture
def fake_model() -> Iterator[FakeModel]:
    """One fake hosted model."""
    fake = FakeModel()
    yield fake
    fake.hung_up.set()
    fake.close()


@pytest.fixture
def other_fake_model() -> Iterator[FakeModel]:
    """A second one, for two-tier tests."""
    fake = FakeModel()
    yield fake
    fake.hung_up.set()
    fake.close()


@pytest.fixture
async def hang_up() -> AsyncIterator[None]:
    """For tests that call models without a router, which would close its connections."""
    yield
    await close_clients()


@pytest.fixture
def clean_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No Ockham settings and no provider keys in the environment; an own data directory."""
    for name in list(os.environ):
        if name.startswith("OCKHAM_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch
