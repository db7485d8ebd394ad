"""A process with a gateway over a control in another process; it is there to be killed.

python tests/faults/gateway.py 127.0.0.1:5950 --port 5943 --journal orders.sqlite
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import koapy
from koapy.remote.control import RemoteControl
from koapy.server import Settings

PATIENCE = (0.5, 0.5, 1.0)
"""Seconds between the looks for an order in doubt: longer together than the exchange ever holds one back, and shorter
than some of the gateways live."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("control", help="where the control is offered")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", type=Path, default=None)
    parser.add_argument("--answer-seconds", type=float, default=2.0)
    asked = parser.parse_args()
    logging.basicConfig(level="WARNING", stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings(
        tr_windows=(), order_windows=(), condition_windows=(), answer_seconds=asked.answer_seconds, patience=PATIENCE
    )
    control = RemoteControl(asked.control)
    koapy.serve(
        control,
        port=asked.port,
        settings=settings,
        journal=asked.journal,
        ready=lambda address: print(f"ready {address}", flush=True),
    )
    control.close()


if __name__ == "__main__":
    main()
