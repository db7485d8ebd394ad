"""The process of the gateway under test: python -m benchmarks.gateway"""

from __future__ import annotations

import argparse
from pathlib import Path

import koapy
from benchmarks.commands import listen_for_commands, ready
from benchmarks.control import HeadlessControl
from koapy.server import Settings

UNLIMITED = Settings(tr_windows=(), order_windows=(), condition_windows=())


def main() -> None:
    """Serve until terminated, without OpenAPI+'s limits, which are made to be slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--cells", action="store_true", help="a control without GetCommDataEx")
    parser.add_argument("--varied", action="store_true", help="the values of ticks differ")
    options = parser.parse_args()
    control = HeadlessControl(at_once=not options.cells, varied=options.varied)
    listen_for_commands(control)
    koapy.serve(control, port=0, settings=UNLIMITED, journal=options.journal, ready=ready)


if __name__ == "__main__":
    main()
