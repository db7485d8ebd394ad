"""The small edition of `run.py chaos`: kill -9 in the middle of order flows, with everything going wrong besides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flows import Wish, chaos

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(110)
@pytest.mark.parametrize(("library", "flows", "kills"), [(False, 30, 5), (True, 20, 3)], ids=["stubs", "AsyncClient"])
@pytest.mark.filterwarnings("ignore::koapy.client.KoapyWarning")
async def test_no_order_is_lost_doubled_or_untold(tmp_path: Path, library: bool, flows: int, kills: int) -> None:
    wish = Wish(
        flows=flows, at_once=8, seed=20261123, kills=kills, uptime=(0.2, 1.0), long=0.0, library=library, patience=45.0
    )
    if library:  # which gives up at once, in words, while the control is away
        wish = replace(wish, cuts=0.0, log_outs=0.0)
    result = await chaos(wish, tmp_path)
    assert result.wrong == [], str(result.figures)
    assert result.figures["kills"] == kills
    assert result.figures["subscribers heard all"], str(result.figures)
    # The run was worth something: orders stand, and were cut off in the middle.
    assert result.figures["orders in the ledger"] >= flows // 2, str(result.figures)
    assert result.figures["attempts"] > result.figures["orders wanted"], str(result.figures)
