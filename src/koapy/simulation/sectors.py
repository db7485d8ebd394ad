"""Indices: of the two markets, of large, middle and small issues, and of the industries. Values are 0.01 points.

A value is the market value of the members against what it was at yesterday's close. The past of an index comes from its
largest members.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from koapy.openapi.calendar import KST
from koapy.simulation import plain
from koapy.simulation.model import Bar, Sector, SectorMoment, SectorQuote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from koapy.simulation.history import History
    from koapy.simulation.model import Instrument
    from koapy.simulation.pit import Pit

INDUSTRIES = {
    "KOSPI": {
        "005": "음식료·담배",
        "006": "섬유·의류",
        "007": "종이·목재",
        "008": "화학",
        "009": "제약",
        "010": "비금속",
        "011": "금속",
        "012": "기계·장비",
        "013": "전기·전자",
        "014": "의료·정밀기기",
        "015": "운송장비·부품",
        "016": "유통",
        "017": "전기·가스",
        "018": "건설",
        "019": "운송·창고",
        "020": "통신",
        "021": "금융",
        "022": "증권",
        "025": "보험",
        "026": "일반서비스",
        "027": "제조",
        "028": "부동산",
        "029": "IT 서비스",
        "030": "오락·문화",
    },
    "KOSDAQ": {
        "103": "일반서비스",
        "107": "건설",
        "108": "유통",
        "110": "운송·창고",
        "111": "금융",
        "112": "오락·문화",
        "118": "음식료·담배",
        "119": "섬유·의류",
        "120": "종이·목재",
        "121": "출판·매체복제",
        "122": "화학",
        "123": "제약",
        "124": "비금속",
        "125": "금속",
        "126": "기계·장비",
        "127": "전기·전자",
        "128": "의료·정밀기기",
        "129": "운송장비·부품",
        "130": "기타제조",
    },
}
"""Industries of the exchange by code; a few codes of the smaller ones are our own."""

KOSPI200 = "201"

_LEVELS = {"001": 5_600_00, "101": 1_100_00, "201": 830_00}
"""Where the well-known indices begin."""

_PAST_MEMBERS = 20
"""Members, the largest, that the past is computed from."""

MOMENTS_KEPT = 600
"""Samples of an index that are kept."""

_REACH = 0.4
"""Part of the members' own highs and lows that is taken to have happened at the same time."""


def sectors_of(instruments: Iterable[Instrument]) -> dict[str, Sector]:
    """The indices that have members among the instruments, by code, ascending."""
    companies = sorted((each for each in instruments if not each.fund), key=lambda each: (-_worth(each), each.code))
    found = {}
    for market, whole in (("KOSPI", "001"), ("KOSDAQ", "101")):
        members = [each for each in companies if each.market == market]
        groups = {whole: (f"종합({market})", members)}
        if market == "KOSPI":
            groups |= {
                "002": ("대형주", members[:100]),
                "003": ("중형주", members[100:300]),
                "004": ("소형주", members[300:]),
                KOSPI200: ("KOSPI200", members[:200]),
            }
        for code, name in INDUSTRIES[market].items():
            groups[code] = (name, [each for each in members if each.sector == name])
        for code, (name, group) in groups.items():
            if group:
                found[code] = Sector(code, name, market, tuple(each.code for each in group))
    return dict(sorted(found.items()))


class _Day:
    """One index today."""

    __slots__ = ("base", "high", "low", "open", "worth")

    def __init__(self, base: int, worth: int) -> None:
        self.base = base
        self.worth = worth
        self.open = self.high = self.low = 0


class SectorBoard:
    """All indices of a market.

    Args:
        pits: by code; the members' prices come from here.
        seed: of the levels at which the industries begin.
    """

    def __init__(self, sectors: Mapping[str, Sector], pits: Mapping[str, Pit], history: History, seed: int) -> None:
        self.sectors = sectors
        self._pits = pits
        self._history = history
        self._days = {}
        for code in sectors:
            level = _LEVELS.get(code) or int(Random(f"{seed}:{code}:level").uniform(500_00, 6_000_00))
            self._days[code] = _Day(level, self._base_worth(code))
        self._first = {code: day.base for code, day in self._days.items()}
        self._past: dict[str, list[Bar]] = {}
        self._added: dict[str, list[Bar]] = {}
        self._moments: dict[str, deque[SectorMoment]] = {code: deque(maxlen=MOMENTS_KEPT) for code in sectors}

    def sample(self, now: datetime) -> None:
        """Take down values, highs and lows; to be called every few seconds."""
        for code, day in self._days.items():
            volume = sum(self._pits[member].tape.volume for member in self.sectors[code].members)
            if not day.open and not volume:
                continue
            value = self._value(code, day)
            self._moments[code].append(SectorMoment(now, value, volume))
            if not day.open:
                day.open = day.high = day.low = value
            elif value > day.high:
                day.high = value
            elif value < day.low:
                day.low = value

    def quote(self, code: str) -> SectorQuote:
        """An index's day so far. Unknown codes raise KeyError."""
        day = self._days[code]
        value = self._value(code, day)
        pits = [self._pits[member] for member in self.sectors[code].members]
        changes = [pit.last() - pit.instrument.base_price for pit in pits]
        rising, falling = sum(each > 0 for each in changes), sum(each < 0 for each in changes)
        return SectorQuote(
            code=code,
            base=day.base,
            last=value,
            open=day.open,
            high=max(day.high, value) if day.open else 0,
            low=min(day.low, value) if day.open else 0,
            volume=sum(pit.tape.volume for pit in pits),
            value=sum(pit.tape.value for pit in pits),
            rising=rising,
            falling=falling,
            unchanged=len(pits) - rising - falling,
            upper=sum(pit.last() == pit.instrument.upper for pit in pits),
            lower=sum(pit.last() == pit.instrument.lower for pit in pits),
            traded=sum(pit.tape.volume > 0 for pit in pits),
        )

    def moments(self, code: str) -> Sequence[SectorMoment]:
        """The index as it was sampled today, ascending. Unknown codes raise KeyError."""
        return list(self._moments[code])

    def today_bar(self, code: str, day: date) -> Bar | None:
        """Today's bar so far; None before the first trade of a member."""
        quote = self.quote(code)
        if not quote.open:
            return None
        start = datetime(day.year, day.month, day.day, tzinfo=KST)
        return Bar(start, quote.open, quote.high, quote.low, quote.last, quote.volume, quote.value)

    def daily(self, code: str) -> Sequence[Bar]:
        """Daily bars, ascending, up to the day before today. Unknown codes raise KeyError."""
        if code not in self._past:
            self._past[code] = self._make_past(code) + self._added.get(code, [])
        return self._past[code]

    def end_day(self, day: date) -> None:
        """Let today become past; the pits still have its prices."""
        for code in self.sectors:
            bar = self.today_bar(code, day)
            if bar is None:
                continue
            self._added.setdefault(code, []).append(bar)
            if code in self._past:
                self._past[code].append(bar)
            self._days[code].base = bar.close

    def dump(self) -> dict[str, dict[str, Any]]:
        """Each index's day and its days since it began, as plain values."""
        return {
            code: {
                **{name: getattr(day, name) for name in ("base", "open", "high", "low")},
                "days": plain.plain(self._added.get(code, [])),
            }
            for code, day in self._days.items()
        }

    def restore(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Take up what `dump` gave; the pits have their reference prices."""
        for code, known in values.items():
            if code not in self._days:
                continue
            day = self._days[code] = _Day(known["base"], self._base_worth(code))
            day.open, day.high, day.low = known["open"], known["high"], known["low"]
            self._added[code] = [plain.bar(each) for each in known["days"]]

    def start_day(self) -> None:
        """Begin a day; the pits have its reference prices."""
        self._days = {code: _Day(day.base, self._base_worth(code)) for code, day in self._days.items()}
        for moments in self._moments.values():
            moments.clear()

    def _base_worth(self, code: str) -> int:
        members = (self._pits[member].instrument for member in self.sectors[code].members)
        return sum(each.shares * each.base_price for each in members)

    def _value(self, code: str, day: _Day) -> int:
        pits = (self._pits[member] for member in self.sectors[code].members)
        return day.base * sum(pit.instrument.shares * pit.last() for pit in pits) // max(day.worth, 1)

    def _make_past(self, code: str) -> list[Bar]:
        members = self.sectors[code].members
        past = {each: self._history.daily(each) for each in members[:_PAST_MEMBERS]}
        past = {each: bars for each, bars in past.items() if bars}
        if not past:
            return []
        shown = sum(self._history.normal_volume(each) for each in past)
        scale = sum(self._history.normal_volume(each) for each in members) / shown
        shares = {each: self._pits[each].instrument.shares for each in past}
        known = {each: _Known(bars) for each, bars in past.items()}
        sums = []
        for day in self._history.days:
            bars = [(shares[each], known[each].on(day)) for each in past]
            sums.append((day, _summed(bars), sum(bar.volume for _, bar in bars), sum(bar.value for _, bar in bars)))
        unit = self._first[code] / max(sums[-1][1][3], 1)
        return [
            _index_bar(day, prices, unit, int(volume * scale), int(value * scale))
            for day, prices, volume, value in sums
        ]


class _Known:
    """A member's bars by day; on a day without one: its last close, before the first: its first open."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        self._bars = bars
        self._dates = [bar.start.date() for bar in bars]

    def on(self, day: date) -> Bar:
        place = bisect_right(self._dates, day)
        if place and self._dates[place - 1] == day:
            return self._bars[place - 1]
        price = self._bars[place - 1].close if place else self._bars[0].open
        return Bar(self._bars[0].start, price, price, price, price, 0, 0)


def _summed(bars: Sequence[tuple[int, Bar]]) -> tuple[int, int, int, int]:
    """Market value at the open, high, low and close."""
    return (
        sum(shares * bar.open for shares, bar in bars),
        sum(shares * bar.high for shares, bar in bars),
        sum(shares * bar.low for shares, bar in bars),
        sum(shares * bar.close for shares, bar in bars),
    )


def _index_bar(day: date, worth: tuple[int, int, int, int], unit: float, volume: int, value: int) -> Bar:
    opened, highest, lowest, close = worth
    top, bottom = max(opened, close), min(opened, close)
    high, low = top + _REACH * (highest - top), bottom - _REACH * (bottom - lowest)
    start = datetime(day.year, day.month, day.day, tzinfo=KST)
    return Bar(start, round(unit * opened), round(unit * high), round(unit * low), round(unit * close), volume, value)


def _worth(instrument: Instrument) -> int:
    return instrument.shares * instrument.base_price
