"""What KOAPY's client takes from Python on Windows: nobody is an administrator here, no window needs hiding.

And one mercy: grpc watches a new channel for 0.2 s, in a thread that does not live through the end of the program, and
an entry point that is not closed (example 05) waits for that thread when Python takes it down. A program that ends
sooner than that hangs, whatever server it has asked. So no program ends that soon.
"""

import atexit
import ctypes
import subprocess
import time
import types

WATCH_SECONDS = 0.2

atexit.register(time.sleep, 2 * WATCH_SECONDS)

if not hasattr(ctypes, "windll"):
    ctypes.windll = types.SimpleNamespace(shell32=types.SimpleNamespace())
ctypes.windll.shell32.IsUserAnAdmin = lambda: 0  # an administrator's KOAPY would type credentials into the login window

if not hasattr(subprocess, "CREATE_NO_WINDOW"):
    subprocess.CREATE_NO_WINDOW = 0
