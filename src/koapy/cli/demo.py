"""`koapy demo`: the whole job once, against a server of its own in another process."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict, dataclass, field
from io import StringIO
from itertools import islice
from threading import Timer
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from koapy.cli import orders, sheets, streams
from koapy.cli.app import CommandError, Json, command
from koapy.cli.chart import Candle, candle_chart
from koapy.cli.connection import connected
from koapy.cli.output import FALLEN, RISEN, cell, change, record, show, table, won, write_json
from koapy.cli.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from koapy.client import Client

CODE = "005930"
CONDITION = "대형 저평가 우량주"
BARS, TICKS, SHARES, HITS = 20, 20, 10, 10
SECONDS = 50.0
"""The demo gives up after so long: it is through in well under half of it."""

FACTS = ("시가", "고가", "저가", "거래량", "기준가", "상한가", "하한가", "시가총액", "PER", "PBR", "ROE")


def register(app: typer.Typer) -> None:
    """Add `demo` to `app`."""
    command(app, demo, "koapy demo", "koapy demo --json")


def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same market.")] = 1, as_json: Json = False
) -> None:
    """Watch the whole job run once: login, query, stream, order, search."""
    began = time.monotonic()
    server = ServerProcess("--seed", str(seed))
    told = redirect_stdout(StringIO()) if as_json else nullcontext()
    try:
        with told:
            show("", Text.assemble(("koapy demo", "bold"), "  a gateway to OpenAPI+, with an exchange inside"), "")
            with server:
                took = time.monotonic() - began
                show(f"The server is another process and listens on {server.address} (started in {took:.1f} s).")
                with connected(server.address, login=False, plain=True) as client, _watched(client) as late:
                    results = _run(client, late)
            seconds = time.monotonic() - began
            show("", Text(f"Done in {seconds:.1f} s; the server has stopped cleanly.", "bold"))
            show("Next: `koapy serve` in one terminal, `koapy watch 005930` in another; `koapy --help` lists the rest.")
    except BrokenPipeError:
        raise
    except Exception as error:
        for line in server.log:
            print("server:", line, file=sys.stderr)
        if isinstance(error, CommandError):
            raise
        raise CommandError(f"the demo failed: {type(error).__name__}: {error}") from error
    if as_json:
        write_json({"seconds": round(seconds, 1), "steps": results})


@dataclass(slots=True)
class _Late:
    """Whether the time was up, and in which step."""

    step: str = "connect"
    is_so: bool = field(default=False)


@contextmanager
def _watched(client: Client) -> Iterator[_Late]:
    """Close the client when the time is up, which ends whatever it waits for."""
    late = _Late()

    def end() -> None:
        late.is_so = True
        client.close()

    timer = Timer(SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    except Exception as error:
        if late.is_so:
            raise CommandError(f"the demo was not through within {SECONDS:g} s; it waited in: {late.step}") from error
        raise
    finally:
        timer.cancel()


def _run(client: Client, late: _Late) -> list[dict[str, object]]:
    """All steps, and what each of them got."""
    results: list[dict[str, object]] = []
    for number, (title, code, step) in enumerate(STEPS, 1):
        late.step = title
        show("", Text.assemble((f"{number}  {title}", "bold"), (f"   {code}", "cyan")), "")
        results.append({"step": title, "call": code, "result": step(client)})
    return results


def _login(client: Client) -> object:
    client.login()
    facts = sheets.login_facts(client)
    show(*sheets.login_sheet(facts))
    return facts


def _account(client: Client) -> object:
    deposit = client.deposit()
    show(*sheets.cash_sheet(deposit))
    return deposit


def _stock(client: Client) -> object:
    facts = client.stock(CODE)
    held = [(name, _fact(facts[name])) for name in FACTS if facts.get(name) not in (None, "")]
    show(_headline(facts), "", *record(held, meanings=sheets.MEANINGS))
    return facts


def _headline(facts: Mapping[str, Any]) -> Text:
    style = RISEN if facts["전일대비"] > 0 else FALLEN if facts["전일대비"] < 0 else ""
    moved = f"{change(facts['전일대비'])} ({change(float(facts['등락율']), '%')})"
    return Text(f"{facts['종목명']}  {won(facts['현재가'])}  {moved}", f"bold {style}")


def _fact(value: Any) -> Text:
    return cell(won(value) if isinstance(value, int) else value)


def _candles(client: Client) -> object:
    bars = client.daily(CODE, rows=BARS).to_dict("records")[::-1]
    if len(bars) < BARS:
        raise CommandError(f"opt10081 gave {len(bars)} daily bars of {CODE} where {BARS} were asked for")
    show(candle_chart([_candle(bar) for bar in bars]), "")
    names = ("일자", "시가", "고가", "저가", "현재가", "거래량")
    rows = [[_day(bar["일자"]), *(won(bar[name]) for name in names[1:])] for bar in bars]
    show(*table(sheets.headings(names), rows))
    return bars


def _candle(bar: Mapping[Any, Any]) -> Candle:
    return Candle(_day(bar["일자"])[5:], bar["시가"], bar["고가"], bar["저가"], bar["현재가"], bar["거래량"])


def _day(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:]}"


def _stream(client: Client) -> object:
    names = {CODE: client.GetMasterCodeName(CODE)}
    with client.realtime(CODE) as stream:
        ticks = []
        for tick in islice(stream, TICKS):
            streams.print_ticks([tick], names)
            ticks.append(asdict(tick))
    if len(ticks) < TICKS:
        raise CommandError(f"the stream of {CODE} ended after {len(ticks)} ticks")
    show(Text("quantities: + bought at the ask, - sold at the bid", "dim"))
    return ticks


def _buy(client: Client) -> object:
    with client.buy(CODE, SHARES) as stream:
        order = orders.follow(stream)
    show(orders.order_line(order))
    if order.filled != SHARES:
        raise CommandError(f"the order of {SHARES} {CODE} at the market ended {order.state} with {order.filled} filled")
    return orders.summary(order)


def _cancel(client: Client) -> object:
    floor = client.stock(CODE)["하한가"]
    with client.buy(CODE, 1, floor) as stream:
        placed = stream.accepted()
    show(Text.assemble(orders.order_line(placed), f": 1 at {won(placed.price)} (하한가), so low that it stays open"))
    with client.cancel(placed) as stream:
        cancelled = orders.follow(stream)
    show(orders.order_line(cancelled))
    left = len(client.open_orders())
    if cancelled.state != "confirmed" or left:
        raise CommandError(f"the cancellation ended {cancelled.state}, {left} orders are open")
    return [orders.summary(placed), orders.summary(cancelled)]


def _search(client: Client) -> object:
    found = client.condition(CONDITION)
    rows = [(code, client.GetMasterCodeName(code), f"{int(client.GetMasterLastPrice(code)):,}") for code in found]
    show(f"{CONDITION}: {len(found)} codes", "")
    if rows:
        show(*table(("code", "name", "기준가"), rows[:HITS]))
    if len(rows) > HITS:
        show(f"... and {len(rows) - HITS} more")
    return [{"code": code, "name": name} for code, name, _ in rows]


def _balance(client: Client) -> object:
    balance = client.balance()
    show(*sheets.balance_sheet(balance))
    return {"balance": balance.single, "holdings": balance.multi.to_dict("records")}


STEPS: tuple[tuple[str, str, Callable[[Client], object]], ...] = (
    ("Log in", "client.login()", _login),
    ("The account's cash", "client.deposit()", _account),
    ("A stock's facts", f'client.stock("{CODE}")', _stock),
    (f"Its last {BARS} days", f'client.daily("{CODE}", rows={BARS})', _candles),
    (f"{TICKS} ticks as they come", f'for tick in client.realtime("{CODE}")', _stream),
    (f"Buy {SHARES} at the market until filled", f'client.buy("{CODE}", {SHARES})', _buy),
    ("A limit order, and its cancellation", "client.cancel(order)", _cancel),
    ("A condition search (조건검색)", f'client.condition("{CONDITION}")', _search),
    ("The balance", "client.balance()", _balance),
)
