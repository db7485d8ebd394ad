"""`koapy service`: the gateway as something that Windows starts when its user logs on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from koapy.cli.app import CommandError, command
from koapy.cli.output import show

NAME = "koapy"
LONGEST_TASK = 261
"""Characters of a command that schtasks takes."""

Config = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Settings of the server, as `koapy serve --config` takes them.")
]
ShowOnly = Annotated[bool, typer.Option("--show", help="Print the command and change nothing.")]


def register(app: typer.Typer) -> None:
    """Add `service` to `app`."""
    service = typer.Typer()
    command(service, install, "koapy service install", "koapy service install --config koapy.toml --show")
    command(service, remove, "koapy service remove")
    app.add_typer(
        service,
        name="service",
        help="Have Windows start the gateway to OpenAPI+ at logon.",
        epilog="Example: koapy service install",
    )


def install(config: Config = None, show_only: ShowOnly = False) -> None:
    """Have Windows start `koapy serve --control ocx` when this user logs on: OpenAPI+ needs somebody's desktop."""
    if config is not None and not config.exists():
        raise CommandError(f"{config} is not there")
    words = [sys.executable, "-m", "koapy", "serve", "--control", "ocx"]
    if config is not None:
        words += ["--config", str(config.absolute())]
    task = subprocess.list2cmdline(words)
    if len(task) > LONGEST_TASK:
        raise CommandError(
            f"schtasks takes {LONGEST_TASK} characters, this is {task}; put koapy or the settings elsewhere"
        )
    _schtasks("/create", "/f", "/tn", NAME, "/sc", "onlogon", "/rl", "limited", "/tr", task, show_only=show_only)


def remove(show_only: ShowOnly = False) -> None:
    """Have Windows start it no more; one that runs goes on."""
    _schtasks("/delete", "/f", "/tn", NAME, show_only=show_only)


def _schtasks(*words: str, show_only: bool) -> None:
    if show_only:
        show(subprocess.list2cmdline(["schtasks", *words]))
        return
    if sys.platform != "win32":
        raise CommandError("the task is Windows' own, and this is not Windows; --show prints what would be done there")
    done = subprocess.run(["schtasks", *words], capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}"
        raise CommandError(f"schtasks: {said}")
