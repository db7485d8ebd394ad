"""How Windows says that a program has to end, as the interruption that Ctrl+C is everywhere."""

from __future__ import annotations

import signal
import sys
import threading

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    CTRL_C, CTRL_BREAK = 0, 1

    def _ended(event: int) -> bool:
        if event == CTRL_C:
            return False  # Python has an eye on it
        signal.raise_signal(signal.SIGINT)
        if event != CTRL_BREAK:
            # The console's window is closed, the user logs off or Windows ends: as soon as this has returned, so has
            # the process. It has some seconds until Windows loses patience.
            threading.Event().wait()
        return True

    _HANDLER = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(_ended)
    """Windows does not keep it."""

    def interrupt_when_windows_ends_it() -> None:
        """Have Ctrl+Break, the end of the console's window, of the logon and of Windows interrupt this process."""
        ctypes.windll.kernel32.SetConsoleCtrlHandler(_HANDLER, True)

else:

    def interrupt_when_windows_ends_it() -> None:
        """Do nothing: elsewhere signals say so."""
