"""Which event loop koapy.serve runs on, and that an interruption ends it in good order."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, signal
import koapy

class Control:
    def GetConnectState(self):
        return 1

def ready(address):
    print(type(asyncio.get_running_loop()).__module__, flush=True)
    os.kill(os.getpid(), signal.SIGINT)

koapy.serve(Control(), port=0, ready=ready)
print("ended")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop has no Windows")
def test_serve_runs_on_uvloop_and_ends_when_interrupted() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, encoding="utf-8", timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, ["uvloop", "ended"]), done.stderr
