"""How a command reaches a server: TLS, tokens, and what is said when the connection breaks."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from koapy.client import Client

_File = Path | None
_given: dict[str, Any] = {}
"""What stood before the command; the environment's KOAPY_TOKEN, KOAPY_CA, ... are the client's to read."""


def register(app: typer.Typer) -> None:
    """Give `app` the options that stand before its commands."""
    app.callback()(options)


def options(
    ca: Annotated[
        _File, typer.Option("--ca", envvar="KOAPY_CA", metavar="FILE", help="Use TLS; who may sign the server (PEM).")
    ] = None,
    certificate: Annotated[
        _File,
        typer.Option("--certificate", envvar="KOAPY_CERTIFICATE", metavar="FILE", help="Your own certificate (PEM)."),
    ] = None,
    key: Annotated[_File, typer.Option("--key", envvar="KOAPY_KEY", metavar="FILE", help="Its key (PEM).")] = None,
    token_file: Annotated[
        _File,
        typer.Option(
            "--token-file",
            envvar="KOAPY_TOKEN_FILE",
            metavar="FILE",
            help="A file with your token; KOAPY_TOKEN may hold the token itself.",
        ),
    ] = None,
) -> None:
    """Say how a server is reached."""
    _given.clear()
    if (certificate is None) != (key is None):
        raise CommandError("--certificate and --key go together")
    if ca is not None:
        _given["ca"] = ca
    if certificate is not None:
        _given["certificate"] = (certificate, key)
    if token_file is not None:
        _given["token"] = _read(token_file)


@contextmanager
def connected(address: str, *, login: bool = True, plain: bool = False) -> Iterator[Client]:
    """A client of the server at `address`, logged in unless told otherwise.

    Args:
        plain: a server of the command's own, which has neither TLS nor tokens.

    Raises: CommandError, with the text of whatever error of the client ends the block.
    """
    # Only here: the client brings grpc, which look-ups of the catalogue need not wait for.
    from koapy.client import Client, KoapyError, PermissionDenied

    given: dict[str, Any] = {"token": "", "tls": False} if plain else _given
    try:
        with _told(), Client(address, **given) as client:
            if login:
                # Who may not log the control in may still ask one that is logged in.
                with suppress(PermissionDenied):
                    client.login()
            yield client
    except KoapyError as error:
        raise CommandError(str(error)) from error


@contextmanager
def _told() -> Iterator[None]:
    """Warnings of the client as lines for people, each time."""
    from koapy.client import KoapyWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", KoapyWarning)
        shown = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, KoapyWarning):
                print(f"koapy: {message}", file=sys.stderr, flush=True)
            else:
                shown(message, category, *where, **more)

        warnings.showwarning = show
        yield


def _read(file: Path) -> str:
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {file}: {getattr(error, 'strerror', 'it is no text')}") from None
    if not token:
        raise CommandError(f"{file} is empty; `koapy token create` prints the token that belongs there")
    return token
