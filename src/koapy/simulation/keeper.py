"""What of a market is kept in its state file, when it is written, and how it is taken up again.

Accounts, orders and fills are written before anybody is told of them. The market's day (prices, volumes, minutes) is
written every few seconds, at each end of a day and at the end of the process; what a crash takes of it is at most those
seconds, but never the figures of an issue that an account has just traded.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from koapy.simulation import plain
from koapy.simulation.model import Bar
from koapy.simulation.statefile import StateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from koapy.simulation.account import Ledger
    from koapy.simulation.blotter import Blotter
    from koapy.simulation.desk import Desk
    from koapy.simulation.model import PastDay
    from koapy.simulation.pit import Pit
    from koapy.simulation.sectors import SectorBoard
    from koapy.simulation.statefile import Minute, StateFile

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""Simulated seconds between two looks at what the market's day has added."""

_MINUTES_KEPT = timedelta(days=14)

_IDENTITY = ("seed", "hours", "server")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a state file says of the market it is of."""

    today: date
    """The session that was on."""
    first: date
    """The first session that it has seen: what is made up ends before it."""
    moment: datetime
    """When it was last written."""
    codes: frozenset[str]
    """That accounts hold or have ordered."""
    accounts: tuple[str, ...]
    bases: Mapping[str, int]
    """Reference prices of the session, by code."""
    days: Mapping[str, list[Bar]]
    """Days that the market has seen to their end, by code, ascending."""


def look(file: StateFile) -> Kept | None:
    """What a file holds; None when it is new."""
    known = file.items("market").get("market")
    if known is None:
        return None
    accounts = file.items("account")
    held = {holding["code"] for account in accounts.values() for holding in account["holdings"]}
    ordered = {ticket["code"] for ticket in file.items("order").values()}
    days: dict[str, list[Bar]] = {}
    for key, values in file.items("day").items():
        days.setdefault(key.split(" ")[0], []).append(plain.bar(values))
    return Kept(
        date.fromisoformat(known["today"]),
        date.fromisoformat(known["first"]),
        datetime.fromisoformat(known["moment"]),
        frozenset(held | ordered),
        tuple(accounts),
        {code: values["base"] for code, values in file.items("issue").items()},
        days,
    )


class Keeper:
    """Writes the parts of one exchange, and gives them what was written.

    Args:
        identity: seed, hours and server: what a state may not change.

    Raises:
        StateError: the file is of another market.
    """

    def __init__(
        self,
        file: StateFile,
        identity: Mapping[str, Any],
        pits: Mapping[str, Pit],
        ledgers: Mapping[str, Ledger],
        desk: Desk,
        blotter: Blotter,
        board: SectorBoard,
        first: date,
    ) -> None:
        known = file.items("market").get("market")
        for name in _IDENTITY:
            if known is not None and known[name] != identity[name]:
                raise StateError(
                    f"{file.path}: the market of this file has {name} {known[name]}, not {identity[name]}; "
                    f"say so, or take another file"
                )
        self._file = file
        self._identity = dict(identity)
        self._pits, self._ledgers, self._board = pits, ledgers, board
        self._desk, self._blotter = desk, blotter
        self._first = first
        self._since: dict[str, tuple[int, datetime | None]] = {}
        """Volume of each issue when it was last written, and from when on its minutes are not."""
        self._failed = False

    def restore(self, now: datetime) -> None:
        """Give everything what was written. `now` is the moment from which trades are known again."""
        figures, file = self._file.items("issue"), self._file
        for code, pit in self._pits.items():
            if code in figures:
                pit.restore(figures[code], map(_bar, file.minutes(code)), now)
        for number, values in file.items("account").items():
            if number in self._ledgers:
                self._ledgers[number].restore(values)
        past: dict[str, list[PastDay]] = defaultdict(list)
        for key, values in file.items("past").items():
            past[key.split(" ")[0]].append(plain.past_day(values))
        for number, days in past.items():
            if number in self._ledgers:
                self._ledgers[number].remember(days)
        self._desk.restore(file.items("order").values(), file.items("fill").values())
        self._board.restore(file.items("sector"))

    def keep_orders(self, today: date, now: datetime) -> None:
        """Write what has become of orders and accounts since the last time; nothing when nothing has."""
        tickets, fills = self._blotter.take_changed()
        if not tickets:
            return
        codes = {each.code for each in tickets}
        numbers = {each.ledger.number for each in tickets}
        try:
            with self._file.transaction():
                self._file.put("order", ((f"{each.number:07d}", each.dump()) for each in tickets))
                self._file.put("fill", ((f"{each.number:07d}", plain.plain(each)) for each in fills))
                self._file.put("account", ((each, self._ledgers[each].dump()) for each in numbers))
                self._put_issues(sorted(codes))
                self._put_market(today, now)
        except sqlite3.Error as error:
            self._blotter.put_back(tickets, fills)
            self._complain(error)
        else:
            self._failed = False

    def keep_market(self, today: date, now: datetime) -> None:
        """Write what the market's day has added since the last time."""
        moved = [code for code, pit in self._pits.items() if pit.tape.volume != self._since.get(code, (0, None))[0]]
        self._write(today, now, moved)

    def keep_all(self, today: date, now: datetime, ended: Iterable[tuple[str, Bar]] = ()) -> None:
        """Write everything anew, as at the end of a day: `ended` are its bars, by code."""
        try:
            with self._file.transaction():
                self._file.forget("order", "fill", "issue")
                tickets, fills = self._blotter.everything()
                self._file.put("order", ((f"{each.number:07d}", each.dump()) for each in tickets))
                self._file.put("fill", ((f"{each.number:07d}", plain.plain(each)) for each in fills))
                self._file.put("account", ((number, each.dump()) for number, each in self._ledgers.items()))
                newest = ((number, each.past[-1]) for number, each in self._ledgers.items() if each.past)
                self._file.put("past", ((f"{number} {each.day:%Y%m%d}", plain.plain(each)) for number, each in newest))
                self._file.put("day", ((f"{code} {bar.start:%Y%m%d}", plain.plain(bar)) for code, bar in ended))
                self._put_issues(self._pits)
                self._file.forget_minutes((now - _MINUTES_KEPT).isoformat())
                self._file.put("sector", self._board.dump().items())
                self._put_market(today, now)
        except sqlite3.Error as error:
            self._complain(error)
        else:
            self._blotter.take_changed()

    def keep_other(self, name: str, value: Any) -> None:
        """Write plain values of somebody else."""
        try:
            with self._file.transaction():
                self._file.put("other", [(name, value)])
        except sqlite3.Error as error:
            self._complain(error)

    def other(self, name: str) -> Any:
        """What was written under a name; None where nothing was."""
        return self._file.items("other").get(name)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _write(self, today: date, now: datetime, codes: list[str]) -> None:
        try:
            with self._file.transaction():
                self._put_issues(codes)
                self._file.put("sector", self._board.dump().items())
                self._put_market(today, now)
        except sqlite3.Error as error:
            self._complain(error)

    def _put_issues(self, codes: Iterable[str]) -> None:
        pits = [(code, self._pits[code]) for code in codes]
        self._file.put("issue", ((code, pit.dump()) for code, pit in pits))
        for code, pit in pits:
            _, since = self._since.get(code, (0, None))
            bars = pit.tape.minutes.bars() if since is None else pit.tape.minutes.since(since)
            self._file.put_minutes(
                (code, bar.start.isoformat(), bar.open, bar.high, bar.low, bar.close, bar.volume, bar.value)
                for bar in bars
            )
            self._since[code] = pit.tape.volume, bars[-1].start if bars else since

    def _put_market(self, today: date, now: datetime) -> None:
        known = {"today": today.isoformat(), "first": self._first.isoformat(), "moment": now.isoformat()}
        self._file.put("market", [("market", self._identity | known)])

    def _complain(self, error: sqlite3.Error) -> None:
        """Say once that the disk refuses; the market goes on, and the next write tries again."""
        if not self._failed:
            logger.error("%s: the state of the market cannot be written: %s", self._file.path, error)
        self._failed = True


def _bar(row: Minute) -> Bar:
    _, start, opened, high, low, close, volume, value = row
    return Bar(datetime.fromisoformat(start), opened, high, low, close, volume, value)
