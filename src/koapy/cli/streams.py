"""`koapy watch`: real-time data as it comes."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from koapy.cli.app import DEFAULT_ADDRESS, Address, Json, command
from koapy.cli.connection import connected
from koapy.cli.output import FALLEN, RISEN, cell, console, show, write_json_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from koapy.client import Tick

TRADES, DEPTH = "주식체결", "주식호가잔량"


def register(app: typer.Typer) -> None:
    """Add `watch` to `app`."""
    examples = "koapy watch 005930 000660", "koapy watch 005930 --type 주식호가잔량 --count 5 --json"
    command(app, watch, *examples)


def watch(
    codes: Annotated[list[str], typer.Argument(help="Codes of issues or sectors.")],
    kinds: Annotated[list[str] | None, typer.Option("--type", help="Real types; 주식체결 unless given.")] = None,
    count: Annotated[int, typer.Option(min=0, help="End after so many ticks; 0: when interrupted.")] = 0,
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Print the ticks of codes as they come, until interrupted."""
    try:
        with connected(address) as client:
            names = {} if as_json else {code: client.GetMasterCodeName(code) for code in codes}
            with client.realtime(codes, kinds or [TRADES]) as ticks:
                print_ticks(islice(ticks, count or None), names, as_json=as_json)
    except KeyboardInterrupt:
        # The way in which people end it.
        raise typer.Exit(0) from None


def print_ticks(ticks: Iterable[Tick], names: Mapping[str, str], *, as_json: bool = False) -> None:
    """Print each tick when it comes; `names` are those of the codes."""
    to = console()
    width = max((cell(name).cell_len for name in names.values()), default=0)
    for tick in ticks:
        if as_json:
            write_json_line(asdict(tick))
            continue
        show(tick_line(tick, names.get(tick.code, ""), width), to=to)
        to.file.flush()


def tick_line(tick: Tick, name: str, width: int) -> Text:
    """One tick: a trade, the best of an order book, or whatever is not zero. `width`: cells for the name."""
    shown = Text(f"{tick.time or '':%H:%M:%S}  " if tick.time else " " * 10, "dim")
    padded = cell(name)
    padded.pad_right(width - padded.cell_len)
    shown.append_text(Text(f"{tick.code}  ", "not dim").append_text(padded))
    if tick.real_type == TRADES and tick.price is not None:
        return shown.append_text(_trade(tick))
    if tick.real_type == DEPTH:
        return shown.append_text(_depth(tick))
    said = ", ".join(f"{key}={value.strip()}" for key, value in tick.values.items() if value.strip(" +-0."))
    return shown.append_text(Text(f"  {tick.real_type}  {said}"))


def _trade(tick: Tick) -> Text:
    """Price, change from the previous close, and quantity: + bought at the ask, - sold at the bid."""
    difference = tick.values.get("전일대비", "").strip()
    style = RISEN if difference.startswith("+") else FALLEN if difference.startswith("-") else ""
    rate, quantity = (tick.values.get(key, "").strip() for key in ("등락율", "거래량"))
    shown = Text(f"  {tick.price:>11,}", f"bold {style}")
    shown.append(f" {difference:>8} {rate:>7}%", style)
    return shown.append(f" {quantity:>9}", RISEN if quantity.startswith("+") else FALLEN)


def _depth(tick: Tick) -> Text:
    """The best bid and ask with their quantities, and the quantities of all ten levels."""
    shown = Text()
    for side, quantity, price, total, style in (
        ("bid", "매수수량1", "매수호가1", "매수호가총잔량", FALLEN),
        ("ask", "매도수량1", "매도호가1", "매도호가총잔량", RISEN),
    ):
        values = (abs(int(tick.values.get(key, "").strip() or 0)) for key in (price, quantity, total))
        best, held, of = (f"{value:,}" for value in values)
        shown.append(f"  {side} {best:>10} x {held:<9} of {of:<11}", style)
    shown.rstrip()
    return shown
