"""Commands that place orders and list them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from koapy.cli.app import DEFAULT_ADDRESS, Address, CommandError, Json, command
from koapy.cli.connection import connected
from koapy.cli.output import FALLEN, RISEN, cell, console, show, signed, table, won, write_json, write_json_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.client import Client, Order, OrderEvent, OrderStream

Account = Annotated[str, typer.Option("--account", help="An account number; the first one unless given.")]
Code = Annotated[str, typer.Argument(help="The code of an issue.")]
Quantity = Annotated[int, typer.Argument(min=1, help="How many.")]
Price = Annotated[int, typer.Option("--price", min=0, help="In won, 지정가; at the market (시장가) unless given.")]
Part = Annotated[int, typer.Option("--quantity", min=0, help="A part of what is open; all of it unless given.")]
Number = Annotated[str, typer.Argument(help="The number of an open order; `koapy order list` lists them.")]
Quote = Annotated[str, typer.Option("--quote-type", help="거래구분, two digits; 00 with a price, else 03.")]
Wait = Annotated[bool, typer.Option(help="Follow the order until it is through, or return when it is accepted.")]

ORDERS = (
    "주문번호",
    "시간",
    "종목코드",
    "종목명",
    "주문구분",
    "주문수량",
    "주문가격",
    "미체결수량",
    "체결가",
    "체결량",
    "주문상태",
)


def register(app: typer.Typer) -> None:
    """Add `order` to `app`."""
    group = typer.Typer()
    command(group, buy, "koapy order buy 005930 10", "koapy order buy 005930 10 --price 70000 --no-wait")
    command(group, sell, "koapy order sell 005930 10")
    command(group, modify, "koapy order modify 0000012 --price 69900")
    command(group, cancel, "koapy order cancel 0000012")
    command(group, listed, "koapy order list", "koapy order list --json", name="list")
    told = "Buy, sell, modify and cancel, follow what becomes of an order, and list the day's."
    app.add_typer(group, name="order", help=told, epilog="Example: koapy order buy 005930 10")


def buy(
    code: Code,
    quantity: Quantity,
    price: Price = 0,
    quote_type: Quote = "",
    account: Account = "",
    wait: Wait = True,
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Buy, and follow the order until nothing of it is open."""
    _place(
        lambda client: client.buy(code, quantity, price or None, account=account or None, quote_type=quote_type),
        address, wait, as_json,
    )  # fmt: skip


def sell(
    code: Code,
    quantity: Quantity,
    price: Price = 0,
    quote_type: Quote = "",
    account: Account = "",
    wait: Wait = True,
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Sell, and follow the order until nothing of it is open."""
    _place(
        lambda client: client.sell(code, quantity, price or None, account=account or None, quote_type=quote_type),
        address, wait, as_json,
    )  # fmt: skip


def modify(
    number: Number,
    price: Annotated[int, typer.Option("--price", min=1, help="The new price in won.")],
    quantity: Part = 0,
    account: Account = "",
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Give an open order another price; it goes on under a number of its own."""
    _place(
        lambda client: client.modify(number, price, quantity or None, account=account or None), address, True, as_json
    )


def cancel(
    number: Number,
    quantity: Part = 0,
    account: Account = "",
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Cancel what is open of an order."""
    _place(lambda client: client.cancel(number, quantity or None, account=account or None), address, True, as_json)


def _place(send: Callable[[Client], OrderStream], address: str, wait: bool, as_json: bool) -> None:
    with connected(address) as client, send(client) as stream:
        try:
            order = follow(stream, wait=wait, as_json=as_json)
        except KeyboardInterrupt:
            raise CommandError(_left(stream.order)) from None
    if as_json:
        write_json_line({"event": "order"} | summary(order))
    else:
        show(order_line(order))


def _left(order: Order) -> str:
    """What to say of an order that nobody follows any more."""
    if not order.number:
        return "interrupted before the order had its number; `koapy order list` shows whether it stands"
    return f"interrupted; order {order.number} stands with {order.open} open: koapy order cancel {order.number}"


def follow(stream: OrderStream, *, wait: bool = True, as_json: bool = False) -> Order:
    """Print an order's events as they come and return what became of it; without `wait`, when it is accepted."""
    to = console()
    for event in stream:
        if as_json:
            write_json_line({"event": type(event).__name__.lower()} | asdict(event))
        elif line := event_line(event):
            show(line, to=to)
            to.file.flush()
        if not wait and stream.order.standing:
            break
    return stream.order


def event_line(event: OrderEvent) -> Text | None:
    """One event of an order in a line, or None for what only balances tell."""
    from koapy.client import Accepted, Chejan, Message

    match event:
        case Message():
            return cell(event.text, "dim")
        case Accepted():
            return cell(f"주문번호 {event.number}" if event.number else "no 주문번호: rejected", "dim")
        case Chejan(gubun="0"):
            state = "미체결 클리어" if event.closing else event.state or "-"
            shown = Text(f"{state} {event.order_number} ")
            shown.append_text(signed_kind(event.kind))
            if event.fids.get(914):
                shown.append(f" {event.number_of(915):,} at {abs(event.number_of(914)):,}")
            return shown.append(f", {event.number_of(902):,} open")
        case _:
            return None


def signed_kind(kind: str) -> Text:
    """주문구분 in its colour: purchases red, sales blue."""
    return cell(kind, RISEN if "매수" in kind else FALLEN if "매도" in kind else "")


def order_line(order: Order) -> Text:
    """What became of an order."""
    shown = Text(f"order {order.number or '-'} {order.state}", "bold")
    if order.filled:
        shown.append(f": {order.filled:,} of {order.quantity:,} at {order.average_price:,.2f} on average")
    elif order.message and not order.number:
        shown.append(f": {order.message}")
    return shown


def summary(order: Order) -> dict[str, Any]:
    """An order for machines, without its events: those were told as they came."""
    return {key: value for key, value in asdict(order).items() if key != "events"}


def listed(
    number: Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="An account; the first one unless given.")] = "",
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """The day's orders of an account by OpenAPI+'s own lists, those of other programs too: open ones first."""
    with connected(address) as client:
        as_numbers = not as_json
        open_orders = client.open_orders(number or None, numeric=as_numbers)
        rows = [*_rows(open_orders), *_rows(client.fills(number or None, numeric=as_numbers))]
    # An order that is filled in part is in both answers.
    found = list({row["주문번호"]: row for row in reversed(rows)}.values())[::-1]
    if as_json:
        write_json(found)
    elif found:
        show(*table(ORDERS, [[_order_cell(name, row[name]) for name in ORDERS] for row in found]))
    else:
        show("no orders today")


def _rows(frame: Any) -> list[dict[str, Any]]:
    """Rows of opt10075 or opt10076, which has another name for the time."""
    return [{"시간": row.get("주문시간"), **row} for row in frame.to_dict("records")]


def _order_cell(name: str, value: Any) -> Text:
    if name == "주문구분":
        return signed_kind(str(value))
    if name == "시간" and len(str(value)) == 6:
        return cell(f"{value[:2]}:{value[2:4]}:{value[4:]}")
    return cell(won(value)) if isinstance(value, int) else signed(value)
