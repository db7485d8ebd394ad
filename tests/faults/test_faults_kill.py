"""The small edition of `run.py chaos`: kill -9 in the middle of order flows, with everything going wrong besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flows import Wish, chaos

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(110)
async def test_no_order_is_lost_doubled_or_untold(tmp_path: Path) -> None:
    result = await chaos(Wish(flows=30, at_once=10, seed=20261123, kills=5, uptime=(0.2, 1.2)), tmp_path)
    assert result.wrong == [], result.figures
    assert result.figures["kills"] == 5
    assert result.figures["subscribers heard all"]
    # The run was worth something: orders stand, were refused, and were cut off in the middle.
    assert result.figures["orders in the ledger"] >= 25
    assert result.figures["attempts"] > result.figures["orders wanted"]
