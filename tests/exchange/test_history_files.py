"""What stands in the files of a folder, in any of the forms that people have them in, is what the charts have."""
# ruff: noqa: DTZ001
# Times in files have no zone.

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.simulation.clock import ManualClock
from koapy.simulation.control import SimulatedControl
from koapy.simulation.exchange import Exchange
from koapy.simulation.history.sheets import HistoryError
from koapy.simulation.market import load_market

CODE = "005930"
DAY = datetime(2025, 6, 10, tzinfo=KST)  # a Tuesday
LENGTHS = (1, 3, 5, 10, 15, 30, 45, 60)


def exchange_of(folder, **options):
    market = load_market(folder=folder, codes=(), **options)
    return Exchange(ManualClock(market.opens), market)


def shown(bars):
    return [(bar.start.replace(tzinfo=None), bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars]


def stamped(bars):
    return [(f"{start:%Y%m%d%H%M%S}", *rest) for start, *rest in bars]


MINUTES = [
    (datetime(2025, 6, 10, 9, 0), 59800, 60100, 59700, 60000, 1000),
    (datetime(2025, 6, 10, 9, 1), 60000, 60000, 60000, 60000, 7),
    (datetime(2025, 6, 10, 9, 4), 59900, 60200, 59900, 60100, 50),
    (datetime(2025, 6, 10, 15, 19), 60100, 60100, 59500, 59600, 300),
    (datetime(2025, 6, 10, 15, 30), 59500, 59500, 59500, 59500, 4000),
]

FORMS = {
    "plain": lambda rows: (
        "datetime,open,high,low,close,volume\n"
        + "".join(f"{at:%Y%m%d%H%M%S},{o},{h},{low},{c},{v}\n" for at, o, h, low, c, v in rows)
    ),
    "openapi, newest first, with signs": lambda rows: (
        "현재가,거래량,체결시간,시가,고가,저가,수정주가구분\n"
        + "".join(f"-{c},{v},{at:%Y%m%d%H%M%S},+{o},+{h},-{low},\n" for at, o, h, low, c, v in reversed(rows))
    ),
    "date and time, quoted thousands": lambda rows: (
        "일자;시간;시가;고가;저가;종가;거래량\n"
        + "".join(f'{at:%Y-%m-%d};{at:%H:%M};"{o:,}";{h};{low};{c}.0;"{v:,}"\n' for at, o, h, low, c, v in rows)
    ),
    "numbers that lost their zeros": lambda rows: (
        "date,time,Open,High,Low,Close,Volume\n"
        + "".join(f"{at:%Y%m%d},{int(f'{at:%H%M}')},{o},{h},{low},{c},{v}\n" for at, o, h, low, c, v in rows)
    ),
    "with a zone": lambda rows: (
        ",open,high,low,close,volume\n"
        + "".join(f"{at - timedelta(hours=9)}+00:00,{o},{h},{low},{c},{v}\n" for at, o, h, low, c, v in rows)
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_minutes_are_answered_exactly_whatever_the_form(tmp_path, form, encoding):
    (tmp_path / "A005930_1min.csv").write_bytes(FORMS[form](MINUTES).encode(encoding))
    exchange = exchange_of(tmp_path)
    assert shown(exchange.minutes(CODE)) == MINUTES
    assert shown(exchange.daily(CODE)) == [(datetime(2025, 6, 10), 59800, 60200, 59500, 59500, 5357)]


@pytest.mark.parametrize("index", [True, False])
def test_parquet_of_pandas_is_the_same(tmp_path, index):
    names = ["datetime", "open", "high", "low", "close", "volume"]
    table = pd.DataFrame(MINUTES, columns=names)
    (table.set_index("datetime") if index else table).to_parquet(tmp_path / "005930.parquet")
    assert shown(exchange_of(tmp_path).minutes(CODE)) == MINUTES


def test_labels_may_be_ends_but_the_closing_auction_is_where_kiwoom_has_it(tmp_path):
    ends = [(at if at.hour == 15 and at.minute == 30 else at + timedelta(minutes=1), *rest) for at, *rest in MINUTES]
    (tmp_path / "005930.csv").write_text(FORMS["plain"](ends))
    assert shown(exchange_of(tmp_path, label="end").minutes(CODE)) == MINUTES
    assert shown(exchange_of(tmp_path).minutes(CODE)) == ends


def test_bars_of_five_minutes_have_labels_of_their_own_length(tmp_path):
    starts = [datetime(2025, 6, 10, 9, minute) for minute in (0, 5, 10, 20)]
    rows = [(start, 100, 110, 90, 100, 1000) for start in starts]
    ends = [(start + timedelta(minutes=5), *rest) for start, *rest in rows]
    (tmp_path / "005930.csv").write_text(FORMS["plain"](ends))
    exchange = exchange_of(tmp_path, label="end")
    assert shown(exchange.minutes(CODE, 5)) == rows
    assert shown(exchange.minutes(CODE, 10))[0] == (starts[0], 100, 110, 90, 100, 2000)
    fine = exchange.minutes(CODE, 1)
    assert sum(bar.volume for bar in fine) == 4000
    assert all(90 <= bar.low <= bar.high <= 110 for bar in fine)


def test_trades_are_answered_exactly_with_their_minutes_and_day(tmp_path):
    lines = ["체결시간,현재가,체결량"]
    for second, price, quantity in ((0, 59800, "+100"), (0, 59900, "-3"), (30, 59800, "+5"), (61, 60000, "-1")):
        lines.append(f"{DAY.replace(hour=9) + timedelta(seconds=second):%Y%m%d%H%M%S},{price},{quantity}")
    (tmp_path / "005930_20250610.csv").write_text("\n".join(lines), encoding="utf-8")
    exchange = exchange_of(tmp_path)
    told = [(f"{tick.time:%H%M%S}", tick.price, tick.quantity) for tick in exchange.ticks(CODE)]
    assert told == [("090000", 59800, 100), ("090000", 59900, 3), ("090030", 59800, 5), ("090101", 60000, 1)]
    assert len({tick.time for tick in exchange.ticks(CODE)}) == 4
    assert shown(exchange.minutes(CODE)) == [
        (datetime(2025, 6, 10, 9, 0), 59800, 59900, 59800, 59800, 108),
        (datetime(2025, 6, 10, 9, 1), 60000, 60000, 60000, 60000, 1),
    ]
    assert shown(exchange.daily(CODE)) == [(datetime(2025, 6, 10), 59800, 60000, 59800, 60000, 109)]


def test_a_tick_chart_of_openapi_is_a_file_of_trades(tmp_path):
    (tmp_path / "005930.csv").write_text(
        "현재가,거래량,체결시간,시가,고가,저가\n"
        "60000,1,20250610090001,60000,60000,60000\n59900,3,20250610090000,59900,59900,59900\n"
        "59800,9,20250610090000,59800,59800,59800\n"
    )
    assert [tick.price for tick in exchange_of(tmp_path).ticks(CODE)] == [59800, 59900, 60000]


def test_files_of_a_code_are_put_together_and_those_of_days_come_first(tmp_path):
    (tmp_path / "daily").mkdir()
    (tmp_path / "daily" / "005930.csv").write_text(
        "date,open,high,low,close,volume\n20250609,10,12,9,11,100\n20250610,0,0,0,11,0\n20250611,11,13,11,12,50\n"
    )
    for number in (1, 2):
        rows = [(at + timedelta(days=number), *rest) for at, *rest in MINUTES]
        (tmp_path / f"005930-{number}.csv").write_text(FORMS["plain"](rows))
    exchange = exchange_of(tmp_path)
    assert [bar.volume for bar in exchange.daily(CODE)] == [100, 0, 50, 5357]
    assert [bar.close for bar in exchange.daily(CODE)] == [11, 11, 12, 59500]
    assert len(exchange.minutes(CODE)) == 10
    assert exchange.today == date(2025, 6, 13)
    (tmp_path / "005930-3.csv").write_text(FORMS["plain"](MINUTES[:1]))
    (tmp_path / "005930-4.csv").write_text(FORMS["plain"](MINUTES))
    with pytest.raises(HistoryError, match=r"005930-4.csv: begins before .*005930-3.csv ends"):
        exchange_of(tmp_path)


def test_what_comes_after_the_clock_is_not_told(tmp_path):
    (tmp_path / "005930.csv").write_text(
        "date,open,high,low,close,volume\n20250609,10,12,9,11,100\n20250610,11,12,11,11,5\n20250611,11,13,11,12,50\n"
    )
    exchange = exchange_of(tmp_path, begin="2025-06-10")
    assert exchange.clock.now() == DAY.replace(hour=8, minute=59)
    assert [bar.volume for bar in exchange.daily(CODE)] == [100]
    assert exchange.instruments[CODE].base_price == 11
    exchange.clock.advance(3 * 86400)
    assert [bar.volume for bar in exchange.daily(CODE)][:3] == [100, 5, 50]


@pytest.mark.parametrize(
    ("begin", "message"),
    [("2025-06-12", "no file of the history has trading then; they have 2025-06-10"), ("tomorrow", "is no date")],
)
def test_a_day_that_no_file_has_is_refused(tmp_path, begin, message):
    (tmp_path / "005930.csv").write_text(FORMS["plain"](MINUTES))
    with pytest.raises(HistoryError, match=message):
        load_market(folder=tmp_path, begin=begin)
    with pytest.raises(HistoryError, match="say where its files are"):
        load_market(begin="2025-06-10")


@pytest.mark.parametrize("day", ["1996-06-08", "1996-06-06"])  # a Saturday with a session, and a holiday
def test_a_day_on_which_the_exchange_is_closed_is_played_at_all_hours_only(tmp_path, day):
    (tmp_path / "005930.csv").write_text(
        f"date,open,high,low,close,volume\n1996-06-05,10,12,9,11,100\n{day},11,13,11,12,50\n"
    )
    with pytest.raises(HistoryError, match=r"on this (Satur|Thurs)day.* no session.*--hours always"):
        SimulatedControl(history=tmp_path, date=day, hours="krx")
    exchange = exchange_of(tmp_path, begin=day)
    exchange.clock.advance(10 * 3600)
    assert exchange.today_bar(CODE).volume == 50


@pytest.mark.parametrize("label", ["start", "end"])
@pytest.mark.parametrize(("name", "length"), [("5m", 5), ("minute5", 5), ("1min", 1), ("60분", 60), ("2025", 1)])
def test_a_folders_name_says_how_long_its_bars_are(tmp_path, name, length, label):
    opening = datetime(2025, 6, 10, 10)
    rows = [(opening + timedelta(minutes=60 * number), 10, 12, 9, 11, 100) for number in range(2)]
    told = [(at + timedelta(minutes=length if label == "end" else 0), *rest) for at, *rest in rows]
    (tmp_path / name).mkdir()
    (tmp_path / name / "005930.csv").write_text(FORMS["plain"](told))
    for folder in (tmp_path, tmp_path / name):
        exchange = exchange_of(folder, label=label)
        assert shown(exchange.minutes(CODE, length)) == rows
        assert (shown(exchange.minutes(CODE, 1)) == rows) == (length == 1)


def test_bars_at_round_times_may_be_short_where_their_folder_says_so(tmp_path):
    rows = [(datetime(2025, 6, 10, 9, minute), 10, 12, 9, 11, 100) for minute in (0, 5, 20, 35)]
    for name, exact in (("1m", True), ("prices", False)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "005930.csv").write_text(FORMS["plain"](rows))
        exchange = exchange_of(tmp_path / name)
        assert (shown(exchange.minutes(CODE, 1)) == rows) == exact


def test_bars_shorter_than_their_folder_says_are_refused(tmp_path):
    (tmp_path / "5m").mkdir()
    (tmp_path / "5m" / "005930.csv").write_text(FORMS["plain"](MINUTES))
    with pytest.raises(
        HistoryError, match=r"005930.csv: its folder is named after bars of 5 minutes, .*2025-06-10 09:0"
    ):
        exchange_of(tmp_path)
    (tmp_path / "5m").rename(tmp_path / "1m")
    (tmp_path / "10m").mkdir()
    later = [(at + timedelta(days=1), *rest) for at, *rest in MINUTES[:1]]
    (tmp_path / "10m" / "005930.csv").write_text(FORMS["plain"](later))
    with pytest.raises(HistoryError, match=r"bars of 1 minutes, that of .*10m.* one length"):
        exchange_of(tmp_path)


def bars_of(draw, starts):
    found = []
    for start in starts:
        prices = sorted(draw(st.lists(st.integers(1000, 1100), min_size=4, max_size=4)))
        first, second = draw(st.permutations(prices[1:3]))
        found.append((start, first, prices[3], prices[0], second, draw(st.integers(4, 500))))
    return found


@st.composite
def minute_files(draw):
    length = draw(st.sampled_from(LENGTHS))
    slots = draw(st.sets(st.integers(0, 380 // length - 1), min_size=3, max_size=12).filter(lambda them: 0 in them))
    slots |= {1, 2}  # so that the length shows
    opening = datetime(2025, 6, 10, 9)
    starts = [opening + timedelta(minutes=length * slot) for slot in sorted(slots)]
    return length, bars_of(draw, starts), draw(st.sampled_from(("start", "end"))), draw(st.booleans())


@settings(max_examples=40)
@given(file=minute_files(), longer=st.sampled_from(LENGTHS))
def test_charts_of_any_length_follow_from_the_file(tmp_path_factory, file, longer):
    length, rows, label, parquet = file
    folder = tmp_path_factory.mktemp("history")
    told = [(at + timedelta(minutes=length if label == "end" else 0), *rest) for at, *rest in rows]
    names = ["datetime", "open", "high", "low", "close", "volume"]
    if parquet:
        pd.DataFrame(told, columns=names).to_parquet(folder / "005930.parquet")
    else:
        (folder / "005930.csv").write_text(FORMS["plain"](told))
    exchange = exchange_of(folder, label=label)
    assert shown(exchange.minutes(CODE, length)) == rows
    slots: dict[datetime, list[tuple]] = {}
    for row in rows:
        minute = (row[0].hour * 60 + row[0].minute) // longer * longer
        slots.setdefault(row[0].replace(hour=minute // 60, minute=minute % 60), []).append(row)
    whole = [
        (at, them[0][1], max(each[2] for each in them), min(each[3] for each in them), them[-1][4])
        for at, them in slots.items()
    ]
    bars = shown(exchange.minutes(CODE, longer))
    if longer % length == 0:
        assert [bar[:5] for bar in bars] == whole
    assert sum(bar[5] for bar in bars) == sum(row[5] for row in rows)
    assert bars[0][1] == rows[0][1]
    assert bars[-1][4] == rows[-1][4]
