"""The stages of `ockham bench gateway --itemise` name files that are there."""

from pathlib import Path

import pytest

import router
from eval.bench.itemise import STAGES

ROOT = Path(router.__file__).parent.parent
OURS = [
    part for parts, _ in STAGES.values() for part in parts if part.startswith(("router/", "polic"))
]


@pytest.mark.parametrize("part", OURS)
def test_what_is_ours_is_there(part):
    assert (ROOT / part).exists()
