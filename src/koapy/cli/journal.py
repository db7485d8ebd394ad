"""`koapy orders`: the journal of orders, of a running server or in its file."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from koapy.cli.app import DEFAULT_ADDRESS, Address, CommandError, Json, command
from koapy.cli.connection import connected
from koapy.cli.export import export_rows
from koapy.cli.output import FALLEN, RISEN, cell, show, table, won, write_json
from koapy.openapi.order import order_type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.text import Text

    from koapy.client import OrderEvent
    from koapy.orders.model import OrderRecord

Row = dict[str, Any]

ORDER_NAMES = {
    "id": "id",
    "time": "time",
    "client": "client",
    "account": "account",
    "order_type": "kind",
    "code": "code",
    "quantity": "quantity",
    "price": "price",
    "number": "number",
    "original": "original",
    "state": "state",
    "open": "open",
    "filled": "filled",
    "amount": "amount",
    "message": "message",
}
"""What a table shows of an order, and what it calls it."""
EVENT_NAMES = {
    "sequence": "sequence",
    "time": "time",
    "event": "event",
    "order_id": "id",
    "code": "code",
    "number": "number",
    "original": "original",
    "kind": "kind",
    "state": "state",
    "ordered": "ordered",
    "open": "open",
    "filled": "filled",
    "recovered": "recovered",
    "text": "text",
}
ORDERED, OPEN, FILLED = 900, 902, 911


def register(app: typer.Typer) -> None:
    """Add `orders` to `app`."""
    command(
        app,
        orders,
        "koapy orders",
        "koapy orders --day 20261123 --export orders.parquet",
        "koapy orders --journal orders.sqlite --events --since 100",
    )


def orders(
    day: Annotated[str, typer.Option(metavar="YYYYMMDD", help="A day in Korea; today unless given.")] = "",
    unsettled: Annotated[bool, typer.Option("--unsettled", help="Only orders that may still change.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="The events instead, of all days unless --day is given.")
    ] = False,
    since: Annotated[int, typer.Option(metavar="N", min=1, help="With --events: from this number on.")] = 1,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write FILE.csv or FILE.parquet instead of printing.")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Read this file instead of asking a server, while one runs or after a crash."
        ),
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """The orders that were sent through a server, as its journal knows them; `koapy order list` asks OpenAPI+."""
    day = _day(day)
    if events and unsettled:
        raise CommandError("--unsettled is for orders, not for --events")
    if journal is not None:
        rows = list(_events_of_file(journal, day, since) if events else _orders_of_file(journal, day, unsettled))
    else:
        rows = list(_events_of_server(address, day, since) if events else _orders_of_server(address, day, unsettled))
    names = EVENT_NAMES if events else ORDER_NAMES
    if export is not None:
        export_rows(rows, list(rows[0]) if rows else list(names), export)
        show(f"{len(rows):,} {'events' if events else 'orders'} in {export}")
    elif as_json:
        write_json(rows)
    elif rows:
        held = [name for name in names if any(row[name] not in ("", None, False) for row in rows)]
        show(*table([names[name] for name in held], [[_shown(name, row) for name in held] for row in rows]))
    else:
        show("no events" if events else "no orders" if unsettled or day else "no orders today")


def _day(text: str) -> str:
    day = text.replace("-", "")
    if text and not re.fullmatch(r"\d{8}", day):
        raise CommandError(f"bad day {text!r}: YYYYMMDD such as 20261123")
    return day


def _orders_of_server(address: str, day: str, unsettled: bool) -> Iterator[Row]:
    with connected(address, login=False) as client:
        found = client.journal_orders(day or None, unsettled)
    return (asdict(each) for each in found)


def _orders_of_file(file: Path, day: str, unsettled: bool) -> Iterator[Row]:
    from koapy.orders.journal import JournalError, read_orders

    try:
        found = read_orders(file, day)
    except JournalError as error:
        raise CommandError(str(error)) from error
    return (_order_row(each) for each in found if not (unsettled and each.state.settled))


def _order_row(record: OrderRecord) -> Row:
    """The same columns as a server tells."""
    from koapy.client import JournalOrder

    known = {name: getattr(record, name, None) for name in ("id", "time", "client", "number", "open", "filled")}
    known |= {"state": record.state.value, "request_name": record.client_request, "amount": record.amount}
    known |= {"message": record.message, "changed": record.changed}
    return {each.name: known.get(each.name, getattr(record.order, each.name, None)) for each in fields(JournalOrder)}


def _events_of_server(address: str, day: str, since: int) -> Iterator[Row]:
    with connected(address, login=False) as client:
        last = client.status().last_sequence
        if since > last:
            return iter(())
        with client.order_events(since) as stream:
            told = []
            for event in stream:
                told.append(event)
                if event.sequence >= last:
                    break
    return (_event_row(each, each.told, each.order_id) for each in told if _is_of(day, each.told))


def _events_of_file(file: Path, day: str, since: int) -> Iterator[Row]:
    from koapy.client import parse
    from koapy.orders.journal import JournalError, read_events
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

    try:
        found = read_events(file, since - 1)
    except JournalError as error:
        raise CommandError(str(error)) from error
    for kept in found:
        if _is_of(day, kept.time):
            message = pb.ListenResponse.FromString(kept.message)
            message.sequence, message.recovered = kept.sequence, kept.recovered
            for event in parse.order_event(message):
                yield _event_row(event, kept.time, kept.order_id)


def _is_of(day: str, time: datetime | None) -> bool:
    return not day or (time is not None and day == f"{time:%Y%m%d}")


def _event_row(event: OrderEvent, time: datetime | None, order_id: int) -> Row:
    from koapy.client import Accepted, Chejan, Message

    row: Row = dict.fromkeys(EVENT_NAMES, "") | {"sequence": event.sequence, "time": time, "order_id": order_id or None}
    row |= {"recovered": event.recovered, "account": "", "ordered": None, "open": None, "filled": None}
    match event:
        case Message():
            row |= {"event": "OnReceiveMsg", "text": event.text}
        case Accepted():
            row |= {"event": "OnReceiveTrData", "number": event.number}
        case Chejan():
            row |= {"event": "OnReceiveChejanData", "account": event.account, "code": event.code}
            row |= {"text": "" if event.gubun == "0" else "잔고"}
            if event.gubun == "0":
                row |= {"number": event.order_number, "original": event.original.strip("0") and event.original}
                row |= {"kind": event.kind, "state": event.state}
                row |= {"ordered": event.number_of(ORDERED), "open": event.number_of(OPEN)}
                row |= {"filled": event.number_of(FILLED)}
    return row


def _shown(name: str, row: Row) -> Text:
    value = row[name]
    if name == "order_type":
        known = order_type(value, "SendOrderFO" if row["function"] == "SendOrderFO" else "SendOrder")
        style = RISEN if known and known.side == "buy" else FALLEN if known and known.side == "sell" else ""
        return cell(known.name if known else value, style)
    if name == "kind":
        return cell(value, RISEN if "매수" in value else FALLEN if "매도" in value else "")
    if name == "time" and value is not None:
        return cell(f"{value:%Y-%m-%d %H:%M:%S}")
    if name in ("quantity", "price", "open", "filled", "amount", "ordered") and value is not None:
        return cell(won(value))
    return cell("yes" if value is True else "" if value is False else value)
