"""Virtual environments for the tools beside the project's own."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def interpreter(home: Path) -> str:
    """The interpreter of the virtual environment in `home`."""
    return str(home / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def environment(home: Path, *requirements: str) -> str:
    """Make a virtual environment in `home`, which is cleared, install into it, and give its interpreter.

    Raises: CalledProcessError where pip cannot install them.
    """
    venv.create(home, with_pip=True, clear=True, symlinks=os.name != "nt")
    python = interpreter(home)
    subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *requirements], check=True
    )
    return python
