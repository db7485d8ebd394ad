"""How a command reaches a server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from koapy.client import Client


@contextmanager
def connected(address: str, *, login: bool = True) -> Iterator[Client]:
    """A client of the server at `address`, logged in unless told otherwise.

    Raises: CommandError, with the text of whatever error of the client ends the block.
    """
    # Only here: the client brings grpc, which look-ups of the catalogue need not wait for.
    from koapy.client import Client, KoapyError

    try:
        with Client(address) as client:
            if login:
                client.login()
            yield client
    except KoapyError as error:
        raise CommandError(str(error)) from error
