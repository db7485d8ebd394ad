"""Commands for whoever runs a server: its state, and the kill switch."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from koapy.cli.app import DEFAULT_ADDRESS, Address, CommandError, Json, command
from koapy.cli.connection import connected
from koapy.cli.output import record, show, table, write_json

if TYPE_CHECKING:
    from koapy.client import Client, Halt

CANCELLATIONS = ("account", "code", "order", "quantity", "cancelled")


def register(app: typer.Typer) -> None:
    """Add `status`, `halt` and `release` to `app`."""
    command(app, status, "koapy status", "koapy status --json")
    command(app, halt, 'koapy halt --reason "the model has gone mad"', "koapy halt --cancel-open")
    command(app, release, "koapy release")


def status(address: Address = DEFAULT_ADDRESS, as_json: Json = False) -> None:
    """What state a server is in, and why; exit code 0 when it serves, 1 when not."""
    with connected(address, login=False) as client:
        found = client.status()
    if as_json:
        write_json(asdict(found))
    else:
        facts = [
            ("state", f"{found.state}{'' if found.serving else ', not serving'}"),
            ("meaning", found.text),
            *((("until", f"{found.until:%Y-%m-%d %H:%M:%S}"),) if found.until else ()),
            ("trading", halted(found.halt) if found.halt.halted else "not halted"),
            ("journal", f"{found.journal}, {found.last_sequence:,} events"),
            ("unsettled", f"{found.unsettled:,} orders of today"),
        ]
        show(*record(facts))
    if not found.serving:
        raise typer.Exit(1)


def halt(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Told to everybody whose order is refused.")] = "",
    cancel_open: Annotated[
        bool,
        typer.Option("--cancel-open", help="Cancel every open order of every account, those of other programs too."),
    ] = False,
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Pull the kill switch: nobody's orders are sent, over restarts, until `koapy release`; cancellations pass."""
    with connected(address, login=False) as client:
        found = _halt(client, reason, cancel_open)
    if as_json:
        write_json(asdict(found))
    else:
        show(halted(found))
        if found.cancellations:
            rows = [
                (each.account, each.code, each.original, each.quantity, each.error or "yes")
                for each in found.cancellations
            ]
            show("", *table(CANCELLATIONS, rows))
        elif cancel_open:
            show("no order was open")
    if failed := [each for each in found.cancellations if each.error]:
        many = f"{len(failed)} of {len(found.cancellations)} open orders are not cancelled"
        raise CommandError(f"trading is halted, but {many}: {failed[0].original}: {failed[0].error}")


def _halt(client: Client, reason: str, cancel_open: bool) -> Halt:
    from koapy.client import KoapyError

    try:
        return client.halt(reason, cancel_open)
    except KoapyError as error:
        # Halting comes first, so the open orders may be what failed; whoever is in a hurry must know which.
        if cancel_open and _is_halted(client):
            raise CommandError(f"trading is halted, but open orders are not cancelled: {error}") from error
        raise


def _is_halted(client: Client) -> bool:
    from koapy.client import KoapyError

    try:
        return client.status().halt.halted
    except KoapyError:
        return False


def release(address: Address = DEFAULT_ADDRESS, as_json: Json = False) -> None:
    """Let orders through again after `koapy halt`."""
    with connected(address, login=False) as client:
        before = client.release()
    if as_json:
        write_json(asdict(before))
    else:
        show(f"orders are let through again; {halted(before)}" if before.halted else "trading was not halted")


def halted(state: Any) -> str:
    """The kill switch in a line."""
    since = f"{state.since:%Y-%m-%d %H:%M:%S}" if state.since else "now"
    return f"halted by {state.by} since {since}{f': {state.reason}' if state.reason else ''}"
