"""bfloat16 products: only where they are faster, only inside the block."""

import pytest
import torch

from router.knowledge import precision


@pytest.mark.parametrize("faster", [True, False])
def test_autocast_follows_the_timing_and_ends_with_the_block(
    monkeypatch: pytest.MonkeyPatch, faster: bool
) -> None:
    monkeypatch.setattr(precision, "bfloat16_is_faster", lambda: faster)
    left = right = torch.ones(4, 4)
    with precision.fast_products() as chosen:
        assert chosen is faster
        assert torch.mm(left, right).dtype == (torch.bfloat16 if faster else torch.float32)
    assert torch.mm(left, right).dtype == torch.float32


def test_the_timing_decides_something() -> None:
    assert precision.bfloat16_is_faster() in (True, False)
