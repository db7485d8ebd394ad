"""A market that shows exactly what a test puts there, and the question put to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import pytest

from koapy.openapi.calendar import KST
from koapy.openapi.tr import tr
from koapy.simulation.history.aggregate import minutes_of
from koapy.simulation.model import Account, Bar, Depth, Instrument, Level, Position, Quote, Sector, SectorQuote
from koapy.simulation.tr import Answer, answer
from koapy.simulation.world import World

ACCOUNT = "8000000011"


@dataclass
class Reply:
    """An answer with its rows by column name."""

    answer: Answer
    names: tuple[str, ...]

    @property
    def single(self) -> dict[str, str]:
        return dict(self.answer.single)

    @property
    def rows(self) -> list[dict[str, str]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.answer.rows]


@dataclass
class Still:
    """An exchange at a standstill: every attribute is what a test made it."""

    moment: datetime = datetime(2022, 1, 18, 14, 29, 13, tzinfo=KST)
    instruments: dict = field(default_factory=dict)
    quotes: dict = field(default_factory=dict)
    depths: dict = field(default_factory=dict)
    done: dict = field(default_factory=dict)
    days: dict = field(default_factory=dict)
    day: dict = field(default_factory=dict)
    minute_bars: dict = field(default_factory=dict)
    tick_list: dict = field(default_factory=dict)
    auctions: dict = field(default_factory=dict)
    past_auctions: dict = field(default_factory=dict)
    sectors: dict = field(default_factory=dict)
    sector_quotes: dict = field(default_factory=dict)
    moments: dict = field(default_factory=dict)
    accounts: dict = field(default_factory=dict)
    past: list = field(default_factory=list)
    order_list: list = field(default_factory=list)
    fill_list: list = field(default_factory=list)
    server: str = "mock"

    def now(self) -> datetime:
        return self.moment

    @property
    def clock(self) -> Still:
        return self

    @property
    def today(self) -> date:
        return self.moment.date()

    @property
    def account_numbers(self) -> list[str]:
        return list(self.accounts)

    def quote(self, code):
        return self.quotes[code]

    def depth(self, code):
        return self.depths.get(code, Depth((), (), 0, 0))

    def trades(self, code, limit=None):
        return self.done.get(code, [])[:limit]

    def expected(self, code):
        return self.auctions.get(code, (0, 0))

    def auctioned(self, code):
        return self.past_auctions.get(code, (0, 0))

    def daily(self, code):
        return self.days.get(code, [])

    def recent(self, code, count):
        return self.daily(code)[-count:]

    def close_before(self, code, day):
        return next((bar.close for bar in reversed(self.daily(code)) if bar.start.date() < day), None)

    def today_minutes(self, code):
        return [bar for bar in self.minutes(code) if bar.start.date() >= self.today]

    def after_hours(self, code):
        return None

    after_hours_depth = after_hours

    def margin(self, code):
        return 40

    def today_bar(self, code):
        return self.day.get(code)

    def minutes(self, code, length=1):
        return minutes_of(self.minute_bars.get(code, []), length)

    def ticks(self, code):
        return self.tick_list.get(code, [])

    def sector_quote(self, code):
        return self.sector_quotes[code]

    def sector_moments(self, code):
        return self.moments.get(code, [])

    sector_daily = daily
    sector_today_bar = today_bar

    def account(self, number):
        return self.accounts[number]

    def past_days(self, account):
        return self.past

    def orders(self, account):
        return self.order_list

    def fills(self, account):
        return self.fill_list

    # What follows fills the market.

    def list(self, code, base, *, name="", market="KOSPI", kind="stock", shares=1_000_000, lower=0, upper=0):
        self.instruments[code] = Instrument(code, name or code, market, kind, shares, "", None, base, lower, upper)
        self.trade(code, last=base)
        return code

    def trade(self, code, **known):
        base = self.instruments[code].base_price
        names = "open high low volume value buy_volume sell_volume buy_count sell_count best_ask best_bid"
        blank = dict.fromkeys([*names.split(), "previous_volume", "previous_value"], 0)
        blank |= dict.fromkeys(("last_trade", "open_time", "high_time", "low_time"))
        self.quotes[code] = Quote(**{"code": code, "base_price": base, "last": base, **blank, **known})

    def stack(self, code, asks, bids, total_ask, total_bid):
        sides = [tuple(Level(price, quantity, 1) for price, quantity in side) for side in (asks, bids)]
        self.depths[code] = Depth(*sides, total_ask, total_bid)

    def index(self, code, base, members=(), **known):
        names = "last open high low volume value rising falling unchanged upper lower traded"
        self.sectors[code] = Sector(code, code, "KOSPI", tuple(members))
        self.sector_quotes[code] = SectorQuote(**{"code": code, "base": base} | dict.fromkeys(names.split(), 0) | known)

    def own(self, cash, *positions, opening_cash=None, **known):
        names = "reserved bought_value sold_value realised profit sold_cost fees taxes carried"
        settled = cash if opening_cash is None else opening_cash
        self.accounts[ACCOUNT] = Account(
            **{
                "number": ACCOUNT,
                "cash": cash,
                "opening_cash": settled,
                "deposit": settled,
                "deposit_next": settled,
                "positions": {each.code: each for each in positions},
                **dict.fromkeys(names.split(), 0),
                **known,
            }
        )

    def ask(self, code, after=None, **inputs) -> Reply:
        what = tr(code)
        if "계좌번호" in what.input_names:
            inputs = {"계좌번호": ACCOUNT, **inputs}
        found = answer(what, inputs, after, World(self, self, self.server))
        assert found is not None
        return Reply(found, what.multi_names)


def position(code, quantity, cost, **known) -> Position:
    names = (
        "bought_today sold_today bought_value sold_value realised profit sold_cost fees taxes sale_fees spent earned"
    )
    given = {"code": code, "quantity": quantity, "cost": cost, "orderable": quantity, "previous_quantity": quantity}
    average = cost // quantity if quantity else 0
    return Position(**{**given, **dict.fromkeys(names.split(), 0), "average": average, **known})


def bar(when, *prices, volume=0, value=0) -> Bar:
    """A bar at YYYYMMDD or YYYYMMDDHHMM: open, high, low, close."""
    start = datetime.strptime(when.ljust(12, "0"), "%Y%m%d%H%M").replace(tzinfo=KST)
    return Bar(start, *prices, volume, value)


@pytest.fixture
def market() -> Still:
    return Still()


@pytest.fixture
def make_position():
    return position


@pytest.fixture
def make_bar():
    return bar
