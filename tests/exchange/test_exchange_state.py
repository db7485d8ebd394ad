"""A market that is kept in a file: stopped, killed, and taken up again the same day or the next."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.simulation.model import AccountSetup, Credit, OrderKind, OrderState, Refused, Side
from koapy.simulation.statefile import StateError, StateFile

BUY, SELL, LIMIT, MARKET = Side.BUY, Side.SELL, OrderKind.LIMIT, OrderKind.MARKET
SHARE, OTHER = "001770", "069500"
NOON = datetime(2026, 11, 23, 12, 0, 10, tzinfo=KST)
ACCOUNTS = [AccountSetup("8000000011", 100_000_000, {SHARE: 100})]


@pytest.fixture
def take_up(new_floor, tmp_path):
    """Make exchanges over one file, at any moment."""
    path = tmp_path / "market.db"

    def make(moment=NOON, file=path, **options):
        options = {"codes": (SHARE, OTHER), "accounts": ACCOUNTS, "server": "real", "hours": "krx"} | options
        opened = StateFile(file)
        try:
            return new_floor(moment, state=opened, **options)
        except StateError:
            opened.close()
            raise

    return make


def crashed(path, folder):
    """The file as it would be if the process had been killed now."""
    for each in path.parent.glob(f"{path.name}*"):
        if not each.name.endswith("-shm"):
            shutil.copy(each, folder / each.name)
    return folder / path.name


def far(floor, side, ticks=9):
    quote = floor.exchange.quote(SHARE)
    best = quote.best_bid if side is BUY else quote.best_ask
    return floor.exchange.ticks_away(SHARE, best, -ticks if side is BUY else ticks)


def day_of(exchange, code):
    """What the public knows of an issue's day."""
    quote = exchange.quote(code)
    known = (quote.open, quote.high, quote.low, quote.last, quote.volume, quote.value, quote.buy_volume)
    return known, quote.high_time, exchange.daily(code)[-3:], exchange.interruptions(code)


def account_of(exchange):
    account = exchange.account("8000000011")
    return account, exchange.orders("8000000011"), exchange.fills("8000000011")


def test_a_market_that_was_stopped_goes_on_the_same_day(take_up):
    before = take_up()
    before.clock.advance(30)
    before.exchange.place(before.account, SHARE, BUY, MARKET, 0, 7)
    before.exchange.place(before.account, SHARE, SELL, LIMIT, far(before, SELL), 5)
    before.exchange.place(before.account, SHARE, BUY, MARKET, 0, 2, Credit())
    before.clock.advance(30)
    before.exchange.close()
    seen = [day_of(before.exchange, code) for code in (SHARE, OTHER)]
    minutes, account = before.exchange.minutes(SHARE), account_of(before.exchange)
    after = take_up(before.clock.now())
    assert [day_of(after.exchange, code) for code in (SHARE, OTHER)] == seen
    assert account_of(after.exchange) == account
    assert after.exchange.minutes(SHARE) == minutes
    assert after.exchange.depth(SHARE).asks[-1].price >= far(after, SELL, 0)
    after.clock.advance(60)
    assert after.exchange.quote(SHARE).volume > seen[0][0][4]
    assert len(after.exchange.trades(SHARE)) > 200  # those of the minutes before
    order = after.exchange.place(after.account, SHARE, SELL, LIMIT, far(after, SELL), 1)
    assert order.number == 4
    after.exchange.cancel(after.account, 2)
    assert after.exchange.account(after.account).positions[SHARE].orderable == 106
    after.exchange.close()


def test_an_open_order_that_was_kept_still_trades(take_up):
    before = take_up()
    before.exchange.place(before.account, SHARE, SELL, LIMIT, before.exchange.quote(SHARE).best_ask, 5)
    reserved = before.exchange.place(before.account, SHARE, BUY, LIMIT, far(before, BUY), 5)
    bound = before.exchange.account(before.account).reserved
    before.exchange.close()
    after = take_up(before.clock.now())
    assert after.exchange.account(after.account).reserved == bound > 0
    assert after.exchange.order(reserved.number).open == 5
    for _ in range(100):
        after.clock.advance(30)
        if not after.exchange.order(1).open:
            break
    assert after.exchange.order(1).filled == 5
    assert [each.order.number for each in after.exchange.fills(after.account)] == [1] * len(
        after.exchange.fills(after.account)
    )
    after.exchange.close()


def test_the_next_morning_begins_a_new_day(take_up):
    before = take_up(NOON.replace(hour=15, minute=10))
    before.exchange.place(before.account, SHARE, BUY, MARKET, 0, 3)
    before.exchange.place(before.account, SHARE, BUY, LIMIT, far(before, BUY), 3)
    before.clock.advance(60)
    bar, cash = before.exchange.today_bar(SHARE), before.exchange.account(before.account).cash
    index = before.exchange.sector_today_bar("001")
    before.exchange.close()
    after = take_up(NOON.replace(day=24, hour=8))
    assert after.exchange.today == date(2026, 11, 24)
    assert after.exchange.daily(SHARE)[-1] == bar
    assert after.exchange.instruments[SHARE].base_price == bar.close
    assert after.exchange.today_bar(SHARE) is None
    assert after.exchange.orders(after.account) == []
    account = after.exchange.account(after.account)
    assert (account.cash, account.opening_cash, account.reserved) == (cash, cash, 0)
    assert (account.deposit, account.deposit_next) == (100_000_000, cash)
    assert account.positions[SHARE].previous_quantity == 103
    assert after.exchange.sector_daily("001")[-1].close == index.close
    assert after.exchange.sector_quote("001").base == index.close
    after.exchange.close()
    later = take_up(NOON.replace(day=25, hour=8))
    assert later.exchange.daily(SHARE)[-1] == bar
    assert later.exchange.account(later.account).deposit == cash
    later.exchange.close()


def test_a_day_in_progress_is_not_made_up_again(take_up):
    before = take_up()
    past, minutes, base = (
        before.exchange.daily(SHARE),
        before.exchange.minutes(SHARE),
        before.exchange.instruments[SHARE].base_price,
    )
    before.exchange.close()
    after = take_up(NOON.replace(hour=14))
    assert after.exchange.daily(SHARE) == past
    assert after.exchange.minutes(SHARE) == minutes
    assert after.exchange.instruments[SHARE].base_price == base
    after.exchange.close()


def test_orders_that_were_open_at_a_close_that_nobody_saw_have_expired(take_up):
    before = take_up()
    before.exchange.place(before.account, SHARE, BUY, LIMIT, far(before, BUY), 3)
    before.exchange.close()
    after = take_up(NOON.replace(hour=17))
    assert after.exchange.order(1).state is OrderState.EXPIRED
    assert after.exchange.account(after.account).reserved == 0
    after.exchange.close()


@pytest.mark.parametrize("other", [{"seed": 2}, {"hours": "always"}, {"server": "mock"}])
def test_a_state_is_of_one_market(take_up, other):
    take_up().exchange.close()
    with pytest.raises(StateError, match=f"{next(iter(other))} .* not {next(iter(other.values()))}"):
        take_up(**other)
    take_up().exchange.close()


def test_a_state_is_of_no_later_day(take_up):
    take_up().exchange.close()
    with pytest.raises(StateError, match="2026-11-23"):
        take_up(NOON.replace(day=20))


def test_a_file_in_use_and_a_file_of_something_else_are_refused(take_up, tmp_path):
    floor = take_up()
    with pytest.raises(StateError, match="another gateway uses it"):
        StateFile(tmp_path / "market.db")
    floor.exchange.close()
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("create table orders (id)").connection.close()
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at as one" * 20, encoding="utf-8")
    for path in (other, tmp_path / "text.db"):
        with pytest.raises(StateError, match=path.name):
            StateFile(path)


def test_a_disk_that_refuses_does_not_stop_the_market(take_up, caplog, monkeypatch):
    floor = take_up()

    def refuse(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(StateFile, "put", refuse)
        floor.exchange.place(floor.account, SHARE, BUY, MARKET, 0, 7)
        floor.exchange.place(floor.account, SHARE, BUY, MARKET, 0, 7)
        floor.clock.advance(20)
    assert [each.message for each in caplog.records if "cannot be written" in each.message]
    floor.exchange.place(floor.account, SHARE, BUY, MARKET, 0, 1)
    account = account_of(floor.exchange)
    floor.exchange.close()
    after = take_up(floor.clock.now())
    assert account_of(after.exchange) == account
    after.exchange.close()


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["place", "market", "credit", "modify", "cancel", "wait"]),
        st.sampled_from([BUY, SELL]),
        st.integers(-6, 6),
        st.integers(1, 40),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(ACTIONS)
def test_whatever_was_told_of_orders_is_there_after_a_crash(new_floor, actions):
    """A crash leaves the account, its orders and fills as they were, with all that open orders bind."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "market.db"
        options = {"codes": (SHARE,), "accounts": ACCOUNTS, "server": "real"}
        floor = new_floor(NOON, state=StateFile(path), **options)
        exchange, account = floor.exchange, floor.account
        for number, (what, side, ticks, quantity) in enumerate(actions):
            price = exchange.ticks_away(SHARE, exchange.quote(SHARE).last, ticks)
            try:
                if what == "place":
                    exchange.place(account, SHARE, side, LIMIT, price, quantity)
                elif what == "market":
                    exchange.place(account, SHARE, side, MARKET, 0, quantity)
                elif what == "credit":
                    exchange.place(account, SHARE, side, LIMIT, price, quantity, Credit())
                elif what == "modify":
                    exchange.modify(account, quantity % (number + 1), price, quantity % 7)
                elif what == "cancel":
                    exchange.cancel(account, quantity % (number + 1), quantity % 7)
                else:
                    floor.clock.advance(quantity / 4)
            except Refused:
                pass
        left = Path(folder) / "left"
        left.mkdir()
        copy = crashed(path, left)
        after = new_floor(floor.clock.now(), state=StateFile(copy), **options).exchange
        state = account_of(exchange)
        if not any(each.open for each in state[1]):
            assert account_of(after) == state  # an open order may meet the new book at once
        told = {each.number: each for each in state[2]}
        assert {each.number: each for each in after.fills(account)[: len(told)]} == told
        assert after.quote(SHARE).volume >= sum(each.quantity for each in told.values())
        bound = sum(each.open for each in after.orders(account) if each.side is SELL)
        held = (*after.account(account).positions.values(), *after.account(account).loans)
        assert sum(each.quantity - each.orderable for each in held) == bound
        exchange.close()
        after.close()


KILLED = """
import json, os, signal, sys
from datetime import datetime
from pathlib import Path
from koapy.openapi.calendar import KST
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl

control = SimulatedControl(
    clock=ManualClock(datetime(2026, 11, 23, 12, tzinfo=KST)), market_size=5, state=Path(sys.argv[1]), login_delay=0.0
)
heard = []
control.OnReceiveChejanData.connect(
    lambda gubun, count, fids: heard.append([control.GetChejanData(fid) for fid in (9203, 913, 902, 930)])
)
call = lambda name, *words: control.submit(getattr(control, name), *words).result()
call("CommConnect")
control.advance(0)
account = call("GetLoginInfo", "ACCNO").split(";")[0]
call("SendOrder", "a", "1000", account, 1, "005930", 3, 0, "03", "")
call("SendOrder", "b", "1000", account, 2, "005930", 4, 999_999, "03", "")
control.advance(1)
print(json.dumps(heard), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing there kills like SIGKILL")
def test_what_a_program_has_heard_survives_kill_9(new_floor, tmp_path):
    path = tmp_path / "deep" / "market.db"
    killed = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", KILLED, path], capture_output=True, text=True, check=False, timeout=60
    )
    assert killed.returncode == -9, killed.stderr
    heard = json.loads(killed.stdout)
    assert heard[-1][3] == "103"
    floor = new_floor(NOON, state=StateFile(path))
    account = floor.exchange.account(floor.account)
    assert account.positions["005930"].quantity == 103
    assert floor.exchange.order(1).filled == 3
    floor.exchange.close()
