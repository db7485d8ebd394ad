"""A query as a responder sees it, and the answer it gives."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from koapy.openapi.message import message as text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from koapy.openapi.tr import Tr
    from koapy.simulation.exchange import Exchange
    from koapy.simulation.world import World


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
        known = next((each.values for each in self.tr.inputs if each.name == name), ())
        if value not in (default, *others) and value not in (code for code, _ in known):
            raise BadInput(f"{name} {value!r}")
        return value

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

    def page(self, keys: Sequence[int], *, newest: int | None = None, oldest: int | None = None) -> Page:
        """Cut this page off a list that is sorted by its keys, the newest items last.

        Pages go on from the key of the last row given, so that they neither overlap nor leave gaps when items arrive or
        fall out of the list in between.

        Args: newest, oldest: keys that bound what was asked for, both included.
        """
        end = len(keys) if newest is None else bisect_right(keys, newest)
        first = 0 if oldest is None else bisect_left(keys, oldest)
        if self.after is not None:
            end = min(end, bisect_left(keys, self.after))
        begin = max(first, end - (self.tr.max_rows or len(keys)))
        return Page(range(end - 1, begin - 1, -1), keys[begin] if first < begin < end else None)

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


def plain_code(text: str) -> str:
    """Take what OpenAPI+ puts around a code off it: A before it, _NX or _AL behind it."""
    code = text.strip().partition("_")[0].upper()
    return code[1:] if len(code) == 7 and code[0] in "AQ" else code


def _row(values: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple([values.get(name, "") for name in names])
