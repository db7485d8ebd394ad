"""What KOAPY's client takes from Python on Windows: nobody is an administrator here, no window needs hiding."""

import ctypes
import subprocess
import types

if not hasattr(ctypes, "windll"):
    ctypes.windll = types.SimpleNamespace(shell32=types.SimpleNamespace())
ctypes.windll.shell32.IsUserAnAdmin = lambda: 0  # an administrator's KOAPY would type credentials into the login window

if not hasattr(subprocess, "CREATE_NO_WINDOW"):
    subprocess.CREATE_NO_WINDOW = 0
