"""Small files in which a user says what the simulation is to do."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read_toml(path: Path, wrong: type[ValueError]) -> dict[str, Any]:
    """Read a TOML file. Raises: `wrong`: it cannot be read, or is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # as some editors of Windows write UTF-8
    except OSError as error:
        raise wrong(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise wrong(f"{path}: {error}") from error
