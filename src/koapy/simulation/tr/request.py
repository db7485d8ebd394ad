"""A query as a responder sees it, and the answer it gives."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from koapy.openapi.message import message as text_of
from koapy.simulation.tr.vocabulary import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from koapy.openapi.tr import Tr
    from koapy.simulation.exchange import Exchange
    from koapy.simulation.tr.vocabulary import Words
    from koapy.simulation.world import World

S = TypeVar("S")


class BadInput(ValueError):
    """An input that OpenAPI+ cannot send: it tells "Fail to parse Request TR" and answers nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What OnReceiveTrData lets the program read.

    A neutral sign stands as a leading blank, as GetCommDataEx has it; nothing else is padded with blanks.
    """

    single: Mapping[str, str] = field(default_factory=dict)
    """The single part by item name; empty where the TR has none."""
    rows: tuple[tuple[str, ...], ...] = ()
    """The multi part, in the order of the TR's columns."""
    after: int | None = None
    """What to pass back for the next page; None after the last one."""
    message: str | None = None
    """Text of the OnReceiveMsg that goes before; None for the TRs that bring none."""

    @property
    def more(self) -> bool:
        """Whether another page follows (sPrevNext "2")."""
        return self.after is not None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of an ascending list: its indices newest first, and the key to go on from."""

    indices: range
    after: int | None


@dataclass(frozen=True, slots=True)
class Request:
    """One query."""

    tr: Tr
    inputs: Mapping[str, str]
    after: int | None
    """Key of the last row that was given before; None on the first page."""
    world: World

    @property
    def exchange(self) -> Exchange:
        """The market that is asked."""
        return self.world.exchange

    def text(self, name: str) -> str:
        """Return an input without blanks around it, "" when it was not set."""
        return self.inputs.get(name, "").strip()

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return an input of a closed list, the default when blank; `others` are taken besides the catalogue's values.

        Raises: BadInput for any other value.
        """
        value = self.text(name) or default
        known = [code for code, _ in self._values(name)]
        if value in (default, *others) or value in known:
            return value
        same = next((code for code in known if _number(code) == _number(value) is not None), None)
        if same is None:
            raise BadInput(f"{name} {value!r}")
        return same

    def period(self, first: str = "시작일자", last: str = "종료일자") -> tuple[int, int]:
        """Return the days asked for as numbers YYYYMMDD: a blank first day is the last one, a blank last one today.

        Raises: BadInput.
        """
        today = self.exchange.today
        until = self.date(last) or today.year * 10000 + today.month * 100 + today.day
        return self.date(first) or until, until

    def label(self, name: str) -> str:
        """Return what the value of an input of a closed list means, "" when it is blank or the TR has no such input.

        Raises: BadInput for a value that is none of them.
        """
        if not self.text(name) or not self._values(name):
            return ""
        value = self.choice(name, "")
        return next(label for code, label in self._values(name) if code == value)

    def _values(self, name: str) -> tuple[tuple[str, str], ...]:
        return next((each.values for each in self.tr.inputs if each.name == name), ())

    def number(self, name: str, default: int = 0) -> int:
        """Return a whole number, the default when blank.

        Raises: BadInput when it is none.
        """
        found = self.date(name)
        return default if found is None else found

    def minutes(self, name: str) -> int:
        """Return a number of minutes, or of days: 1 when blank, and no more than a day has minutes.

        Raises: BadInput when it is no number.
        """
        return min(max(self.number(name, 1), 1), _MINUTES_A_DAY)

    def code(self, name: str = "종목코드") -> str:
        """Return a stock code without the venue's suffix: there is one venue, whose prices are the whole market's."""
        return plain_code(self.text(name))

    def date(self, name: str) -> int | None:
        """Return a date as the number YYYYMMDD, None when blank. OpenAPI+ compares dates as numbers and takes any.

        Raises: BadInput when it is not a number.
        """
        value = self.text(name)
        if value and not (value.isascii() and value.isdigit()):
            raise BadInput(f"{name} {value!r}")
        return int(value) if value else None

    def page(
        self, keys: Sequence[int], *, newest: int | None = None, oldest: int | None = None, size: int | None = None
    ) -> Page:
        """Cut this page off a list that is sorted by its keys, the newest items last.

        Pages go on from the key of the last row given, so that they neither overlap nor leave gaps when items arrive or
        fall out of the list in between.

        Args:
            newest, oldest: keys that bound what was asked for, both included.
            size: rows of a page where the catalogue gives none.
        """
        end = len(keys) if newest is None else bisect_right(keys, newest)
        first = 0 if oldest is None else bisect_left(keys, oldest)
        if self.after is not None:
            end = min(end, bisect_left(keys, self.after))
        begin = max(first, end - (self.tr.max_rows or size or len(keys)))
        return Page(range(end - 1, begin - 1, -1), keys[begin] if first < begin < end else None)

    def top(self, count: int) -> Page:
        """Cut this page off a list that begins with what comes first; pages go on from the rank."""
        first = self.after or 0
        end = min(count, first + (self.tr.max_rows or count))
        return Page(range(first, end), end if end < count else None)

    def listed(self, rows: Sequence[Mapping[str, str]], single: Mapping[str, str] | None = None) -> Answer:
        """Answer with a page of rows that begin with what comes first."""
        page = self.top(len(rows))
        return self.answer(single, [rows[index] for index in page.indices], page.after)

    def row(self, words: Words[S], subject: S) -> dict[str, str]:
        """Say of a subject what the multi part's fields ask for by their FIDs."""
        return spoken(self.tr.multi, words, subject)

    def answer(
        self,
        single: Mapping[str, str] | None = None,
        rows: Iterable[Mapping[str, str]] = (),
        after: int | None = None,
        message: str | None = None,
    ) -> Answer:
        """Make the answer: items that were not given are empty.

        Queries about an account bring an OnReceiveMsg; `message` is for one that differs from the usual.
        """
        given = single or {}
        if message is None and "계좌번호" in self.tr.input_names:
            message = text_of("query_done", self.world.server)
        return Answer(
            {name: given.get(name, "") for name in self.tr.single_names},
            tuple(_row(row, self.tr.multi_names) for row in rows),
            after,
            message,
        )


_MINUTES_A_DAY = 1440


def plain_code(text: str) -> str:
    """Take what OpenAPI+ puts around a code off it: A before it, _NX or _AL behind it."""
    code = text.strip().partition("_")[0].upper()
    return code[1:] if len(code) == 7 and code[0] in "AQ" else code


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _row(values: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple([values.get(name, "") for name in names])
