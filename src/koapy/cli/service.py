"""`koapy service`: the gateway as something that Windows starts when its user logs on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from koapy.cli.app import CommandError, command
from koapy.cli.output import show

NAME = "koapy"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
"""What Windows starts when this user logs on. Changing it takes no administrator, as a task at logon would, and what
it starts is not ended after three days or on battery, as tasks are."""
TURNED_OFF = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
"""What of it the user has turned off in the task manager: values whose first byte is odd."""
LONGEST = 260
"""Characters of a command that Windows takes there."""

Config = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Settings of the server, as `koapy serve --config` takes them.")
]
ShowOnly = Annotated[bool, typer.Option("--show", help="Print the command and change nothing.")]


def register(app: typer.Typer) -> None:
    """Add `service` to `app`."""
    service = typer.Typer()
    command(service, install, "koapy service install", "koapy service install --config koapy.toml --show")
    command(service, status, "koapy service status")
    command(service, uninstall, "koapy service uninstall")
    app.add_typer(
        service,
        name="service",
        help="Have Windows start the gateway to OpenAPI+ at logon.",
        epilog="Example: koapy service install",
    )


def install(config: Config = None, show_only: ShowOnly = False) -> None:
    """Have Windows start `koapy serve --control ocx` when this user logs on: OpenAPI+ needs somebody's desktop."""
    words = [sys.executable, "-m", "koapy", "serve", "--control", "ocx"]
    if config is not None:
        _require_sound(config)
        words += ["--config", str(config.absolute())]
    line = subprocess.list2cmdline(words)
    if len(line) > LONGEST:
        raise CommandError(f"Windows takes {LONGEST} characters, this is {line}; put koapy or the settings elsewhere")
    if not show_only:
        _write(line)
    show(line)
    if not show_only:
        show("Windows starts this when you log on next; to have it now, run it yourself.")


def _require_sound(config: Path) -> None:
    """Say now what is wrong with the settings: at the logon nobody may look. Raises: CommandError."""
    from koapy.server.config import ConfigError, load

    try:
        load(config)
    except ConfigError as error:
        raise CommandError(str(error)) from error


def status() -> None:
    """Say whether Windows starts it, and how; `koapy status` asks one that runs. Exit code 1 where it does not."""
    line, mark = _read(RUN), _read(TURNED_OFF)
    if line is None:
        raise CommandError("Windows does not start koapy when you log on; `koapy service install` has it do so")
    show(line)
    if mark and mark[0] & 1:
        raise CommandError("it is turned off in the task manager, Startup apps; `koapy service install` turns it on")
    show("Windows starts this when you log on.")


def uninstall() -> None:
    """Have Windows start it no more; one that runs goes on."""
    for key in (RUN, TURNED_OFF):
        _delete(key)
    show("Windows does not start koapy when you log on.")


if sys.platform == "win32":
    import winreg

    def _read(key: str) -> Any:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as there:
                return winreg.QueryValueEx(there, NAME)[0]
        except FileNotFoundError:
            return None

    def _write(line: str) -> None:
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, RUN) as there:
            winreg.SetValueEx(there, NAME, 0, winreg.REG_SZ, line)
        _delete(TURNED_OFF)

    def _delete(key: str) -> None:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, access=winreg.KEY_SET_VALUE) as there:
                winreg.DeleteValue(there, NAME)
        except FileNotFoundError:
            return

else:

    def _elsewhere(*_: str) -> Any:
        raise CommandError("only Windows does this; --show prints the command, docs/operations.md has a systemd unit")

    _read = _write = _delete = _elsewhere
