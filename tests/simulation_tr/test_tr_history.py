"""A folder of real history is answered exactly, with today's own bar on top once it has traded."""

from __future__ import annotations

from datetime import datetime

import pytest

from koapy.openapi.calendar import KST
from koapy.openapi.tr import tr
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.market import load_market
from koapy.simulation.tr import answer
from koapy.simulation.world import World

FILE = """date,open,high,low,close,volume
20241227,54500,55100,53500,53700,10747196
20241230,53600,54500,53100,53200,12624128
20250102,52700,53600,52300,53400,16630538
20250103,52800,55100,52800,54400,19318046
20250106,54400,56200,54300,55900,19034284
20250107,56800,57300,55400,55400,17030235
"""
# date, open, high, low, close, volume, newest first
DAYS = [tuple(line.split(",")) for line in FILE.split()[:0:-1]]
PERIODS = {
    "opt10082": [
        ("20250106", "54400", "57300", "54300", "55400", "36064519"),
        ("20241230", "53600", "55100", "52300", "54400", "48572712"),
        ("20241227", "54500", "55100", "53500", "53700", "10747196"),
    ],
    "opt10083": [
        ("20250102", "52700", "57300", "52300", "55400", "72013103"),
        ("20241227", "54500", "55100", "53100", "53200", "23371324"),
    ],
    "opt10094": [
        ("20250102", "52700", "57300", "52300", "55400", "72013103"),
        ("20241227", "54500", "55100", "53100", "53200", "23371324"),
    ],
}


@pytest.fixture
def world(tmp_path):
    tmp_path.joinpath("005930.csv").write_text(FILE)
    market = load_market(folder=tmp_path, codes=())
    clock = ManualClock(market.opens)
    return World(Exchange(clock, market), clock)


def bars(world, code, **inputs):
    what = tr(code)
    rows = [dict(zip(what.multi_names, row, strict=True)) for row in answer(what, inputs, None, world).rows]
    return [tuple(row[name] for name in ("일자", "시가", "고가", "저가", "현재가", "거래량")) for row in rows]


def test_days_are_the_files(world):
    assert world.now() == datetime(2025, 1, 8, 9, tzinfo=KST)
    assert bars(world, "opt10081", 종목코드="005930") == DAYS
    assert bars(world, "opt10081", 종목코드="005930", 기준일자="20250105") == DAYS[2:]


@pytest.mark.parametrize("code", PERIODS)
def test_longer_bars_follow_from_the_days(world, code):
    assert bars(world, code, 종목코드="005930") == PERIODS[code]


def test_today_comes_on_top_once_it_has_traded(world):
    world.clock.advance(60)
    today, *past = bars(world, "opt10081", 종목코드="005930")
    assert past == DAYS
    quote = world.exchange.quote("005930")
    assert today == ("20250108", *map(str, (quote.open, quote.high, quote.low, quote.last, quote.volume)))
    week = bars(world, "opt10082", 종목코드="005930")[0]
    assert (week[0], week[4]) == ("20250106", str(quote.last))
    assert int(week[5]) == 36064519 + quote.volume
