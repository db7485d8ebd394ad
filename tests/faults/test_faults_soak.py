"""A compressed trading day in small; the large form is `python tests/faults/soak.py`."""

from __future__ import annotations

import soak
from fault_host import Host


async def test_a_day_leaves_nothing() -> None:
    with Host(control=soak.control(20.0, codes=4)) as host:
        outcome = await soak.soak(host, 20.0, clients=8)
    print(outcome.report())
    assert outcome.day.judge.wrong == [], outcome.report()
    assert set(outcome.day.done) == {doing.__name__ for _, doing in soak.DOINGS}
    assert min(outcome.day.messages[what] for what in ("ticks", "events", "orders", "order events", "queries")) > 0
    assert outcome.after["time"][:10] == "2026-03-04"
    assert outcome.after["time"][11:13] >= "18"
