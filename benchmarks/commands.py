"""What the benchmark tells a server's process, by lines of JSON on its standard input, and what that answers."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.control import HeadlessControl


def ready(address: str) -> None:
    """Tell that the server listens, and where."""
    print(json.dumps({"address": address, "pid": os.getpid()}), flush=True)


def listen_for_commands(control: HeadlessControl) -> None:
    """Have the control tick as told, in a thread; each answer is what it counts."""
    threading.Thread(target=_listen, args=(control,), daemon=True).start()


def _listen(control: HeadlessControl) -> None:
    for line in sys.stdin:
        command = json.loads(line)
        if "rate" in command:
            control.tick(command["rate"], command["codes"])
        print(json.dumps(control.count()), flush=True)
    # Whoever gave the commands is gone, and with it the need for a server.
    os._exit(0)
