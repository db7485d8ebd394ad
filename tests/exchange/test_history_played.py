"""A recorded day as the market: its trades come when they came, and orders of accounts meet them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.market import load_market
from koapy.simulation.model import AccountSetup, OrderFilled, OrderKind, Phase, Refused, Side, Traded
from koapy.simulation.statefile import StateFile

CODE, ACCOUNT = "005930", "8000000011"
BUY, SELL, LIMIT, MARKET = Side.BUY, Side.SELL, OrderKind.LIMIT, OrderKind.MARKET
DAY = datetime(2025, 6, 10, tzinfo=KST)  # a Tuesday
OPENING = DAY.replace(hour=9)
BEFORE = ("20250609", 60000, 60500, 59500, 60000, 1_000_000)


class Floor:
    """An exchange that plays a day, and what it tells."""

    def __init__(self, folder, begin="2025-06-10", hours="krx", seed=1, label="start", **options):
        market = load_market(seed, folder, codes=(), begin=begin, label=label)
        self.clock = ManualClock(market.opens)
        accounts = [AccountSetup(ACCOUNT, 1_000_000_000, {CODE: 1000})]
        self.exchange = Exchange(self.clock, market, seed=seed, hours=hours, accounts=accounts, **options)
        self.events = []
        self.exchange.subscribe(self.events.append)

    def until(self, hour, minute, second=0.0):
        moment = DAY.replace(hour=hour, minute=minute) + timedelta(seconds=second)
        self.clock.advance((moment - self.clock.now()).total_seconds())

    def place(self, side, kind, price, quantity):
        number = self.exchange.place(ACCOUNT, CODE, side, kind, price, quantity).number
        return lambda: self.exchange.order(number)

    def told(self, kind):
        return [each for each in self.events if isinstance(each, kind)]

    def today(self, length=1):
        return bars(self.exchange.minutes(CODE, length))


def bars(found):
    return [(bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in found if bar.start >= DAY]


def write(folder, rows, name=f"{CODE}.csv", heading="datetime,open,high,low,close,volume"):
    lines = [",".join([f"{row[0]:%Y%m%d%H%M%S}", *map(str, row[1:])]) for row in rows]
    (folder / name).write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")


def minute(number, *prices):
    return (OPENING + timedelta(minutes=number), *prices)


ROWS = [
    minute(0, 60000, 60200, 59800, 60100, 5000),
    minute(1, 60100, 60100, 60100, 60100, 40),
    minute(5, 59700, 59900, 59500, 59600, 900),
    minute(379, 59600, 59800, 59600, 59700, 700),
    minute(390, 59900, 59900, 59900, 59900, 3000),
]


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, ROWS)
    (tmp_path / f"{CODE}_daily.csv").write_text(
        "date,open,high,low,close,volume\n" + ",".join(map(str, BEFORE)) + "\n20250611,59900,60000,59000,59100,777\n"
    )
    return tmp_path


@pytest.mark.parametrize("hours", ["krx", "always"])
def test_a_day_that_nobody_disturbs_becomes_the_files(folder, hours):
    floor = Floor(folder, hours=hours)
    assert floor.exchange.instruments[CODE].base_price == 60000
    assert floor.today() == []
    floor.until(9, 2)
    assert floor.today() == ROWS[:2]
    floor.until(16, 0)
    assert floor.today() == ROWS
    trades = [each.trade for each in floor.told(Traded)]
    assert sum(each.quantity for each in trades) == sum(row[5] for row in ROWS)
    assert (trades[0].time, trades[0].price) == (OPENING, 60000)
    assert (trades[-1].time, trades[-1].price, trades[-1].quantity) == (DAY.replace(hour=15, minute=30), 59900, 3000)
    assert all(a.time < b.time for a, b in pairwise(trades))
    floor.until(24 - 1, 59)
    floor.clock.advance(120)  # the next day has a daily row only
    assert floor.today()[: len(ROWS)] == ROWS
    assert floor.exchange.daily(CODE)[-1].volume == sum(row[5] for row in ROWS)
    floor.clock.advance(16 * 3600)
    bar = floor.exchange.today_bar(CODE)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (59900, 60000, 59000, 59100, 777)


def test_a_day_of_long_ago_is_played(tmp_path):
    (tmp_path / f"{CODE}.csv").write_text("date,open,high,low,close,volume\n19960607,60000,60500,59500,60100,1000\n")
    floor = Floor(tmp_path, begin="1996-06-07")
    floor.clock.advance(10 * 3600)
    minutes = floor.exchange.minutes(CODE, 1)
    assert (minutes[0].open, minutes[-1].close, sum(bar.volume for bar in minutes)) == (60000, 60100, 1000)


@pytest.mark.parametrize("length", [1, 5])
def test_bars_without_a_trade_are_in_charts_once_they_are_over(tmp_path, length):
    quiet = minute(length, 60100, 60100, 60100, 60100, 0)
    rows = [
        minute(0, 60000, 60200, 59800, 60100, 5000),
        quiet,
        minute(2 * length, 60100, 60200, 60100, 60200, 40),
        minute(3 * length, 0, 0, 0, 60200, 0),
    ]
    write(tmp_path, rows)
    floor, disturbed = Floor(tmp_path), Floor(tmp_path)
    floor.until(9, 2 * length - 1, 59)
    assert floor.today(length) == rows[:1]
    floor.until(9, 2 * length)
    assert floor.today(length)[:2] == rows[:2]
    floor.until(16, 0)
    assert floor.today(length) == rows
    assert floor.today(3 * length)[0][5] == 5040
    disturbed.until(9, length, 30)
    order = disturbed.place(BUY, MARKET, 0, 5)
    disturbed.until(16, 0)
    price = order().average
    assert disturbed.today(length) == [rows[0], (quiet[0], price, price, price, price, 5), *rows[2:]]
    disturbed.clock.advance(24 * 3600)  # from the next day on the file is true
    assert disturbed.today(length)[: len(rows)] == rows


def test_a_market_may_begin_in_the_middle_of_a_day(folder):
    floor = Floor(folder, begin="2025-06-10 09:03")
    assert floor.exchange.phase is Phase.CONTINUOUS
    assert floor.today() == ROWS[:2]
    depth = floor.exchange.depth(CODE)
    assert len(depth.asks) == len(depth.bids) == 10
    assert depth.bids[0].price <= 60100 <= depth.asks[0].price


def test_trades_of_a_file_come_as_they_were(tmp_path):
    rows = [
        (OPENING + timedelta(seconds=12), 60000, "+300"),
        (OPENING + timedelta(seconds=12), 60100, "-5"),
        (OPENING + timedelta(seconds=70), 60000, "-1"),
        (DAY.replace(hour=15, minute=30, second=14), 60200, "+500"),
    ]
    write(tmp_path, rows, heading="체결시간,현재가,거래량")
    floor = Floor(tmp_path)
    floor.until(8, 59, 30)
    opening = floor.place(BUY, MARKET, 0, 10)
    floor.until(9, 0, 5)
    assert floor.exchange.auction(CODE)  # its first trade is still to come
    late = floor.place(BUY, LIMIT, 60100, 20)
    floor.until(9, 0, 13)
    assert not floor.exchange.auction(CODE)
    assert (opening().filled, opening().average) == (10, 60000)
    assert (late().filled, late().average) == (20, 60000)
    floor.until(15, 25)
    closing = floor.place(SELL, LIMIT, 60000, 30)
    floor.until(15, 30, 10)
    assert closing().filled == 0
    floor.until(15, 31)
    assert (closing().filled, closing().average) == (30, 60200)
    told = [(each.trade.time.replace(microsecond=0), each.trade.price) for each in floor.told(Traded)]
    assert told == [(time, price) for time, price, _ in rows]
    sides = [(each.trade.side, each.trade.quantity) for each in floor.told(Traded)]
    assert sides == [(BUY, 300), (SELL, 5), (SELL, 1), (BUY, 500)]
    seconds = [f"{tick.time:%H%M%S}" for tick in floor.exchange.ticks(CODE)]
    assert seconds == ["090012", "090012", "090110", "153014"]


@pytest.mark.parametrize("kind", ["trades", "minutes"])
def test_trades_of_a_day_that_is_taken_up_again_are_the_files(tmp_path, kind):
    folder = tmp_path / "prices"
    folder.mkdir()
    if kind == "minutes":
        write(folder, ROWS)
    else:
        trades = [(OPENING + timedelta(seconds=7 * n), 60000 + 100 * (n % 5), 3 + n % 7) for n in range(1400)]
        write(folder, trades, heading="체결시간,현재가,거래량")
    whole, first = Floor(folder), Floor(folder, state=StateFile(tmp_path / "market.db"))
    first.until(9, 5, 30)
    first.exchange.close()
    after = Floor(folder, begin="2025-06-10 09:05:30", state=StateFile(tmp_path / "market.db"))
    for hour, minutes in ((9, 6), (12, 30)):  # then more than 600 trades later, too
        for floor in (whole, after):
            floor.until(hour, minutes)
        assert list(after.exchange.ticks(CODE)) == list(whole.exchange.ticks(CODE))
    known = [
        [
            (each.time, each.price, each.quantity, each.side, each.volume, each.value)
            for each in floor.exchange.trades(CODE)
        ]
        for floor in (whole, after)
    ]
    assert known[0] == known[1]
    after.exchange.close()


def test_a_waiting_order_is_filled_where_the_day_reaches_it_and_not_before(folder):
    floor = Floor(folder)
    floor.until(9, 1, 30)
    reached, beyond = floor.place(BUY, LIMIT, 59500, 20), floor.place(BUY, LIMIT, 59400, 20)
    above = floor.place(SELL, LIMIT, 60200, 20)
    floor.until(9, 4, 59)
    assert reached().filled == 0
    floor.until(9, 6)
    assert (reached().filled, reached().average) == (20, 59500)
    floor.until(16, 0)
    assert (beyond().filled, above().filled) == (0, 0)
    assert floor.today() == ROWS  # what was filled is a part of the file's shares


def test_a_gap_fills_at_the_price_after_it(folder):
    floor = Floor(folder)
    floor.until(9, 1, 30)
    order = floor.place(BUY, LIMIT, 59900, 20)
    floor.until(9, 6)
    assert (order().filled, order().average) == (20, 59700)


def test_no_more_is_filled_than_the_file_traded(folder):
    floor = Floor(folder)
    floor.until(9, 1, 30)
    order = floor.place(BUY, LIMIT, 59500, 10_000)
    floor.until(9, 6)
    assert 0 < order().filled <= 900
    assert order().open == 10_000 - order().filled
    floor.until(15, 31)
    assert not floor.exchange.orders(ACCOUNT)[0].open or floor.exchange.phase is Phase.CLOSED


@pytest.mark.parametrize("side", [BUY, SELL])
def test_market_orders_take_from_the_book_within_the_bar(folder, side):
    floor = Floor(folder)
    floor.until(9, 3)  # nothing trades; the last bar has one price
    order = floor.place(side, MARKET, 0, 5)
    assert (order().filled, order().average) == (5, 60100)
    floor.until(9, 4)
    assert floor.exchange.today_bar(CODE).volume == 5000 + 40 + 5  # on top of the file's


def test_a_day_of_a_record_without_trading_has_no_trades(tmp_path):
    (tmp_path / f"{CODE}.csv").write_text(
        "date,open,high,low,close,volume\n20250609,60000,60500,59500,60000,1000\n20250610,0,0,0,60000,0\n"
        "20250612,60000,60500,59500,60100,1000\n"
    )
    (tmp_path / "000660.csv").write_text(
        "date,open,high,low,close,volume\n20250610,60000,60500,59500,60000,1000\n20250611,6000,6050,5950,6000,10000\n"
    )
    floor = Floor(tmp_path)
    floor.until(10, 0)
    order = floor.place(BUY, MARKET, 0, 5)
    floor.until(20, 0)
    assert (order().filled, floor.exchange.today_bar(CODE)) == (0, None)
    floor.clock.advance(24 * 3600)  # the 11th: no row at all, and 000660 is split
    assert floor.exchange.today_bar(CODE) is None
    assert [bar.volume for bar in floor.exchange.daily(CODE)] == [1000, 0]
    split = floor.exchange.instruments["000660"]
    assert (split.base_price, split.lower <= 5950, split.upper >= 6050) == (6000, True, True)
    floor.clock.advance(24 * 3600)
    assert floor.exchange.instruments[CODE].base_price == 60000
    assert floor.exchange.today_bar(CODE).close == 60100


@st.composite
def days(draw):
    length = draw(st.sampled_from((1, 5)))
    slots = sorted(draw(st.sets(st.integers(0, 20 // length - 1), min_size=1, max_size=6)) | {0, 1, 2})
    found = []
    for slot in slots:
        low, first, second, high = (
            100 * each for each in sorted(draw(st.lists(st.integers(580, 620), min_size=4, max_size=4)))
        )
        opened, close = (first, second) if draw(st.booleans()) else (second, first)
        found.append(minute(length * slot, opened, high, low, close, draw(st.integers(4, 2000))))
    return length, found


@settings(max_examples=10)
@given(day=days(), seed=st.integers(0, 1000), random=st.randoms(use_true_random=False))
def test_orders_fill_within_bars_and_bars_stay_the_files(tmp_path_factory, day, seed, random):
    length, rows = day
    folder = tmp_path_factory.mktemp("played")
    write(folder, rows)
    quiet = Floor(folder, seed=seed)
    quiet.until(9, 22)
    assert quiet.today(length) == rows
    again = Floor(folder, seed=seed)
    again.until(9, 22)
    assert again.told(Traded) == quiet.told(Traded)
    floor = Floor(folder, seed=seed)
    floor.until(9, 0)
    side = random.choice((BUY, SELL))  # of both, some would meet each other
    for _ in range(12):
        kind = random.choice((LIMIT, LIMIT, MARKET))
        price = 0 if kind is MARKET else 100 * random.randint(575, 625)
        with suppress(Refused):
            floor.place(side, kind, price, random.randint(1, 300))
        depth = floor.exchange.depth(CODE)
        assert (
            not (depth.asks and depth.bids) or floor.exchange.auction(CODE) or depth.bids[0].price < depth.asks[0].price
        )
        floor.clock.advance(random.random() * 100)
    floor.until(9, 22)
    account, filled = floor.exchange.account(ACCOUNT), floor.told(OrderFilled)
    for each in filled:
        order, fill = each.order, each.fill
        bar = [row for row in rows if row[0] <= fill.time][-1]
        assert bar[3] <= fill.price <= bar[2]
        assert order.kind is MARKET or (fill.price <= order.price if order.side is BUY else fill.price >= order.price)
    spent = sum(each.fill.price * each.fill.quantity * (1 if each.order.side is BUY else -1) for each in filled)
    held = sum(each.fill.quantity * (1 if each.order.side is BUY else -1) for each in filled)
    assert account.cash == 1_000_000_000 - spent - account.fees - account.taxes
    assert account.positions[CODE].quantity == 1000 + held
    own = sum(bar[5] for bar in floor.today(length)) - sum(row[5] for row in rows)
    assert 0 <= own <= sum(each.fill.quantity for each in filled)
    prices = [bar[1:5] for bar in floor.today(length)]
    assert prices == [row[1:5] for row in rows] or own
