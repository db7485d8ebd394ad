"""Event handlers that KOAPY 0.9.0's own client sends: handlers.py does so in KOAPY's environment."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60
PROGRAM = "handlers.py"


@pytest.mark.skipif(sys.platform == "win32", reason="handlers do not run on Windows yet")
def test_koapy_s_client_sends_handlers(
    koapy: Any, handler_server: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = tmp_path / "program"
    with koapy.start(folder, handler_server, request.path.parent / PROGRAM) as process:
        try:
            code = process.wait(PATIENCE)
        finally:
            process.kill()
    printed, logged = ((folder / name).read_text("utf-8") for name in ("out", "err"))
    assert code == 0, logged[-3000:]
    found = json.loads(printed.splitlines()[-1])
    assert found["query"] == [["OnReceiveTrData", "opt10001", ["005930", "삼성전자"]]]
    returned, codes, prices = found["ticks"]
    assert (returned, codes) == (0, ["005930", "005930"])
    assert all(price.strip().lstrip("+-").isdigit() for price in prices), prices
