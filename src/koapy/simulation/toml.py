"""Small files in which a user says what the simulation is to do."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read_toml(path: Path, wrong: type[ValueError]) -> dict[str, Any]:
    """Read a TOML file. Raises: `wrong`: it cannot be read, or is none."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise wrong(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise wrong(f"{path}: {error}") from error
