"""Which issues a ranking is to look at: what its inputs leave out.

The inputs differ from TR to TR in name and values, so the meaning is read off the catalogue's label of the value:
`만주이상`, `1천원~2천원`, `우선주제외`, `증100만보기`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from koapy.simulation.figures.loans import CREDIT_GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.tr.request import Request
    from koapy.simulation.tr.stocks import Stock

    Test = Callable[[Stock], bool]

_MARKETS = ("시장구분", "장구분")
_VOLUMES = ("거래량구분", "거래량조건")
_AMOUNTS = ("거래대금구분", "거래대금조건", "거래대금")
_PRICES = ("가격구분", "가격조건", "매매금구분")
_KINDS = ("종목조건", "관리종목포함")
_CREDITS = ("신용조건", "신용구분")
_LIMITS = ("상하한포함",)

_UNITS = {"": 1, "십": 10, "백": 100, "천": 1_000, "만": 10_000, "억": 100_000_000}
_NUMBER = re.compile(r"(\d*)([십백천]?)([만억]?)")
_LEFT_OUT = {"우선주": ("preferred",), "ETF": ("etf",), "ETN": ("etn",), "스팩": ("spac",)}
_MARGIN = re.compile(r"증(\d+) ?(제외|만)")


def selected(request: Request, found: list[Stock]) -> list[Stock]:
    """Leave out what the inputs do.

    Raises: BadInput.
    """
    tests = [
        test(request.label(name))
        for names, test in _TESTS
        for name in names
        if name in request.tr.input_names and request.label(name)
    ]
    # 거래소구분 chooses between venues; there is one, whose trading is the whole.
    request.label("거래소구분")
    return [each for each in found if all(test(each) for test in tests)]


def _market(label: str) -> Test:
    wanted = {"코스피": "KOSPI", "코스닥": "KOSDAQ"}.get(label)
    if label == "코스피200":
        return lambda stock: _member(stock, "201")
    if label == "ETF":
        return lambda stock: stock.instrument.kind == "etf"
    return lambda stock: wanted in (None, stock.instrument.market)


def _member(stock: Stock, sector: str) -> bool:
    known = stock.exchange.sectors.get(sector)
    return known is not None and stock.code in _members(known.members)


@cache
def _members(codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(codes)


def _volume(label: str) -> Test:
    least = amount(label)
    return lambda stock: stock.quote.volume >= least


def _value(label: str) -> Test:
    least = amount(label)
    return lambda stock: stock.quote.value >= least


def _price(label: str) -> Test:
    low, high = price_range(label)
    return lambda stock: low <= stock.quote.last and (high is None or stock.quote.last < high)


def _kind(label: str) -> Test:
    if margin := _MARGIN.search(label):
        percent, only = int(margin[1]), margin[2] == "만"
        return lambda stock: (stock.exchange.margin(stock.code) == percent) is only
    kinds = [kind for word, kinds in _LEFT_OUT.items() if word in label and "제외" in label for kind in kinds]
    # The others ask for what no issue of the simulation is: 관리종목, 정리매매종목, 환기종목.
    return lambda stock: stock.instrument.kind not in kinds


def _credit(label: str) -> Test:
    percent = next((percent for group, percent in CREDIT_GROUPS.items() if f"{group}군" in label), None)
    if percent is not None:
        return lambda stock: stock.exchange.margin(stock.code) == percent
    if label == "신용융자전체":
        return lambda stock: stock.exchange.margin(stock.code) in CREDIT_GROUPS.values()
    return lambda stock: label != "신용대주"


def _limit(label: str) -> Test:
    # 미포함, 불 포함, 상하한 미포함
    return lambda stock: not stock.at_limit if "미" in label or "불" in label else True


_TESTS: tuple[tuple[tuple[str, ...], Callable[[str], Test]], ...] = (
    (_MARKETS, _market),
    (_VOLUMES, _volume),
    (_AMOUNTS, _value),
    (_PRICES, _price),
    (_KINDS, _kind),
    (_CREDITS, _credit),
    (_LIMITS, _limit),
)


def amount(label: str) -> int:
    """Read a number written with Korean units: `5만주이상` is 50,000; 0 where there is none.

    More than one number: the first.
    """
    for match in _NUMBER.finditer(label):
        digits, small, large = match.groups()
        if match[0] and (digits or small or large):
            return int(digits or 1) * _UNITS[small] * _UNITS[large]
    return 0


def price_range(label: str) -> tuple[int, int | None]:
    """Read a range of prices: the least, and what is too much already, None for no such."""
    low, joined, high = label.partition("~")
    if joined:
        return amount(low), amount(high)
    if "미만" in label:
        return 0, amount(label)
    return amount(label), None
