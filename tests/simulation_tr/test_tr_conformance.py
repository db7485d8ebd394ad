"""Every item of every answer has the form in which it was recorded.

The committed file holds short excerpts of answers: read from the control (GetCommData, GetCommDataEx), else of the REST
twin, recorded or from its guide. Per item the best of these counts.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pytest

from koapy.openapi.calendar import KST
from koapy.openapi.tr import tr
from koapy.simulation.clock import ManualClock
from koapy.simulation.exchange import Exchange
from koapy.simulation.market import load_market
from koapy.simulation.model import OrderKind, Side
from koapy.simulation.tr import answer
from koapy.simulation.tr.registry import RESPONDERS
from koapy.simulation.world import World

ACCOUNT = "8000000011"
CODES = ("005930", "000660", "035720", "069500", "114800", "247540", "900290", "005935")
READ = ("GetCommData", "GetCommDataEx", "twin, recorded", "twin, guide")
"""Best first; the first two count alike."""

OF_THE_REAL_SERVER = ("opw00004", "multi")
"""Its rates have another form there; the world below is the mock server's."""

WIDER = {
    ("opt10005", "시가"): "recorded on days without a change only; opt10086 has signs",
    ("opt10005", "고가"): "the same",
    ("opt10005", "저가"): "the same",
    ("opt10075", "체결번호"): "recorded of an order that had not traded",
    ("opt10075", "단위체결가"): "the same",
    ("opt10075", "단위체결량"): "the same",
    ("opt10085", "당일매매수수료"): "recorded of a day without trades",
    ("opt20001", "등락률n"): "recorded of a rising day; negative in the twin",
    ("opw00005", "총손익률"): "recorded of a profit",
    ("opw00009", "체결시간"): "recorded of an order that had traded",
    ("opw00009", "정정취소구분"): "recorded of a new order",
}
"""Items that have more forms than were recorded, and why."""

TEXTS = {
    "empty": r"",
    "date": r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])",
    "no date": r"0{8}",
    "moment": r"(19|20)\d{12}",
    "colons": r"\d\d:\d\d:\d\d",
    "account code": r"[AQ][0-9A-Z]{6}",
    "text": r".*[^\d.+-].*",
}
CODES_OF = ("종목코드", "업종코드")
TIMES = ("시간", "시간n", "체결시간", "호가시간", "주문시간", "호가잔량기준시간")
NUMBER = re.compile(r"([+-]{0,2})(\d+)\.?(\d*)")


def shape(name, value):
    """The form of a value: a kind of text, or the sign, the zeros in front and the decimals of a number."""
    value = value.strip()
    if name in CODES_OF and re.fullmatch(r"[0-9A-Z]{6}(_AL)?", value):
        return "code"
    if name in TIMES and re.fullmatch(r"\d{6}", value):
        return "time"
    for kind, pattern in TEXTS.items():
        if re.fullmatch(pattern, value):
            return kind
    sign, whole, part = NUMBER.fullmatch(value).groups()
    filled = len(value) if whole.startswith("0") and len(whole) > 1 else 0
    if not filled and not float(whole + "." + part):
        return ("any", 0, len(part))
    return ("signed" if sign else "plain", filled, len(part))


def fits(ours, recorded):
    """Whether a form is among the recorded ones; zeros tell nothing of signs, and what has no direction has none."""
    if isinstance(ours, str):
        return ours in recorded
    sign, filled, places = ours
    for each in recorded:
        if isinstance(each, str) or each[1:] != (filled, places):
            continue
        if filled or "any" in (sign, each[0]) or sign == each[0] or (sign, each[0]) == ("plain", "signed"):
            return True
    # An amount as wide as its item has no zeros in front.
    return any(not isinstance(each, str) and each[1] and places == each[2] for each in recorded) and not filled


def golden_shapes():
    """Forms by TR, part and item: of the best readings there are."""
    found = defaultdict(lambda: defaultdict(set))
    path = Path(__file__).parents[1] / "data/golden_tr.jsonl"
    for line in map(json.loads, path.open(encoding="utf-8")):
        if line["server"] == "real" and (line["tr"], line["part"]) == OF_THE_REAL_SERVER:
            continue
        rank = max(READ.index(line["read"]), 1)
        for row in line["rows"]:
            for name, value in row.items():
                found[line["tr"], line["part"], name][rank].add(shape(name, value))
    return {key: ranks[min(ranks)] for key, ranks in found.items()}


@pytest.fixture(scope="module")
def world():
    """A market in which an account has traded for three minutes."""
    clock = ManualClock(datetime(2026, 11, 20, 10, 30, tzinfo=KST))
    exchange = Exchange(clock, load_market(codes=CODES))
    buy = exchange.place(ACCOUNT, "005930", Side.BUY, OrderKind.MARKET, 0, 3)
    exchange.place(ACCOUNT, "000660", Side.SELL, OrderKind.MARKET, 0, 10)
    low = exchange.ticks_away("035720", exchange.quote("035720").last, -30)
    resting = exchange.place(ACCOUNT, "035720", Side.BUY, OrderKind.LIMIT, low, 5)
    clock.advance(60)
    exchange.modify(ACCOUNT, resting.number, exchange.ticks_away("035720", low, -1))
    other = exchange.place(ACCOUNT, "035720", Side.BUY, OrderKind.LIMIT, low, 5)
    clock.advance(60)
    exchange.cancel(ACCOUNT, other.number)
    clock.advance(60)
    assert exchange.order(buy.number).filled == 3
    return World(exchange, clock)


def asked(world, code):
    """The answers to a TR for some codes."""
    what = tr(code)
    inputs = {"계좌번호": ACCOUNT, "업종코드": "001", "틱범위": "1"}
    if code == "optkwfid":
        questions = [{"종목코드": ";".join(CODES)}]
    elif "계좌번호" in what.input_names or "종목코드" not in what.input_names:
        questions = [{}]
    else:
        questions = [{"종목코드": each} for each in ("005930", "035720")]
    for each in questions:
        given = {name: value for name, value in (inputs | each).items() if name in what.input_names}
        yield answer(what, given, None, world)


def deviations(world, code):
    """Values that have not the form of their item, by item."""
    what, recorded, found = tr(code), golden_shapes(), {}
    for each in asked(world, code):
        rows = [dict(zip(what.multi_names, row, strict=True)) for row in each.rows]
        assert rows or not what.multi or code == "opw00001"
        for part, values in (("single", each.single), *(("multi", row) for row in rows)):
            for name, value in values.items():
                shapes = recorded.get((code, part, name))
                if shapes and not fits(shape(name, value), shapes):
                    found[name] = value, shapes
    return found


@pytest.mark.parametrize("code", sorted(RESPONDERS))
def test_items_have_their_recorded_form(world, code):
    found = deviations(world, code)
    assert {name: what for name, what in found.items() if (code, name) not in WIDER} == {}


def test_exceptions_are_needed(world):
    assert {key for key in WIDER if key[1] not in deviations(world, key[0])} == set()


def test_most_items_are_proven():
    """How many of the items that are offered have a recorded form at all."""
    recorded = golden_shapes()
    items = [
        (code, part, field.name)
        for code in RESPONDERS
        for part, fields in (("single", tr(code).single), ("multi", tr(code).multi))
        for field in fields
    ]
    assert sum(item in recorded for item in items) / len(items) > 0.75
