"""Where this user's programs keep what has to survive them."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def state_folder() -> Path:
    """The folder of koapy's own files: journals, tokens, certificates."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "koapy"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "koapy"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "koapy"
