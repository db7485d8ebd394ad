"""A process that offers the simulation to a gateway; tests start and kill it."""

from __future__ import annotations

import sys

from koapy.remote.host import Host
from koapy.simulation.control import SimulatedControl


def main() -> None:
    control = SimulatedControl(seed=1, login_delay=0.01, market_size=60)
    with Host(control, sys.argv[1]) as host:
        print(host.address, flush=True)
        sys.stdin.read()
    control.close()


if __name__ == "__main__":
    main()
