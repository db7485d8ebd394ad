"""OpenAPI+ events as they leave the control's thread: immutable, with what could be read only inside the event.

`message` is built once for all streams that want the same message. Screens and request names are the client's own ones.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, dataclass_transform

from koapy.openapi.functions import EVENTS
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from koapy.orders.model import OrderState
    from koapy.server.pages import Page


ORDER_NUMBER = "주문번호"
KINDS = {"str": str, "int": int, "bool": int}
NEEDED: Mapping[str, tuple[type, ...]] = {
    signature.name: tuple(KINDS[each.type] for each in signature.parameters[:5]) for signature in EVENTS.values()
}
"""The arguments of each event that anybody looks at: those after the fifth say nothing any more."""


def check(name: str, args: Sequence[object]) -> None:
    """Hold an event's arguments to what OpenAPI+ gives.

    Raises:
        TypeError: there are too few, or one is of another kind.
    """
    needed = NEEDED[name]
    if tuple(map(type, args[: len(needed)])) == needed:
        return
    if len(args) < len(needed):
        raise TypeError(f"{len(args)} arguments, where OpenAPI+ gives {len(EVENTS[name].parameters)}")
    for parameter, kind, value in zip(EVENTS[name].parameters, needed, args, strict=False):
        if not isinstance(value, kind):
            raise TypeError(f"{parameter.name} is {value!r:.40}, where OpenAPI+ gives {EVENTS[name]}")


class Table(NamedTuple):
    """Names and rows read inside an event; every row is as long as the names."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def single(self) -> bytes:
        """The first row as the field of an event's single data."""
        return encoding.single(encoding.names(self.names), self.rows[0])

    @property
    def multi(self) -> bytes:
        """All rows as the field of an event's multi data."""
        rows = [pb.RepeatedString(values=row) for row in self.rows]
        return encoding.multi(encoding.names(self.names), pb.MultiData(values=rows).SerializeToString())


@dataclass_transform(frozen_default=True)
class Event:
    """What every event has: its OpenAPI+ name and its arguments in the wire's order.

    Its classes are written as frozen dataclasses are; to make ten of those takes a thirtieth of a server's start. What
    the journal knows of an order event is no part of what the control told: it is not compared.
    """

    sequence: int = 0
    """The number of an order event in the journal; 0 for events of anything else."""
    time: datetime | None = None
    """When an order event was written into the journal."""
    order_id: int = 0
    """The order of the journal that it tells of; 0: none of them."""
    recovered: bool = False
    """Made from opt10075 and opt10076; the control never told it."""

    name: ClassVar[str]
    """The event's OpenAPI+ name."""
    _fields: ClassVar[tuple[str, ...]] = ()
    _least: ClassVar[int] = 0
    """How many of the fields have no default."""

    def __init_subclass__(cls) -> None:
        cls.name = f"On{cls.__name__}"
        cls._fields = tuple(cls.__annotations__)
        cls._least = sum(not hasattr(cls, field) for field in cls._fields)

    def __init__(self, *values: object, **named: object) -> None:
        own = self.__dict__
        own.update(zip(self._fields, values, strict=False))
        if named:
            own.update(named)
        if len(own) < self._least:
            raise TypeError(f"{len(own)} fields, where {type(self).__name__} has {self._fields}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: an event is never changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._values == self._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._values}"

    @property
    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, field) for field in self._fields)

    def changed(self, **fields: object) -> Self:
        """Another event, with these fields instead."""
        return type(self)(**dict(zip(self._fields, self._values, strict=True)) | fields)

    def numbered(self, sequence: int, time: datetime) -> Self:
        """The event as it goes into the journal; nothing may have been made of it before."""
        return self._copy({"sequence": sequence, "time": time})

    def as_recovered(self) -> Self:
        """The event, which the control has not told; nothing may have been made of it before."""
        return self._copy({"recovered": True})

    def of_order(self, order_id: int) -> Self:
        """The event, with its order; what has been made of it stays."""
        return self._copy({"order_id": order_id})

    def _copy(self, known: Mapping[str, object]) -> Self:
        # A tenth of what dataclasses.replace takes, five times for an order.
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(known)
        return copy

    @property
    def arguments(self) -> Iterable[str | int]:
        """The arguments in the control's order."""
        raise NotImplementedError

    @property
    def _head(self) -> bytes:
        """Name and arguments, encoded."""
        return encoding.head(self.name, self.arguments)

    @property
    def _data(self) -> bytes:
        """The fields with what was read inside the event, encoded."""
        return b""

    @property
    def bare(self) -> bytes:
        """The event without its data, encoded, for listeners that read it themselves."""
        # Kept without cached_property, which takes a lock before Python 3.12.
        own = self.__dict__
        if "_bare" not in own:
            own["_bare"] = encoding.event(self._head, b"", self.sequence, recovered=self.recovered)
        bare: bytes = own["_bare"]
        return bare

    @property
    def encoded(self) -> bytes:
        """The message as it goes to all streams that want it, with the data that was read inside the event."""
        own = self.__dict__
        if "_encoded" not in own:
            data = self._data
            own["_encoded"] = (
                encoding.event(self._head, data, self.sequence, recovered=self.recovered) if data else self.bare
            )
        encoded: bytes = own["_encoded"]
        return encoded

    @cached_property
    def message(self) -> pb.ListenResponse:
        """The same message."""
        return pb.ListenResponse.FromString(self.encoded)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return len(self.encoded)


class ReceiveTrData(Event):
    """The answer to a request."""

    screen: str
    request: str
    tr_code: str
    record: str
    prev_next: str
    single: Table | None = None
    """One row, or None where the TR has no single part."""
    multi: Table | Page | None = None
    """None where GetRepeatCnt gave 0."""

    @property
    def arguments(self) -> Iterable[str | int]:
        return self.screen, self.request, self.tr_code, self.record, self.prev_next

    @property
    def order_number(self) -> str:
        """주문번호 of an order's answer; "" when the order was refused or this is no order's answer."""
        if self.single is None or ORDER_NUMBER not in self.single.names:
            return ""
        return self.single.rows[0][self.single.names.index(ORDER_NUMBER)]

    @property
    def _data(self) -> bytes:
        single = b"" if self.single is None else self.single.single
        return single if self.multi is None else single + self.multi.multi


class ReceiveMsg(Event):
    """A text from the server about a request or an order."""

    screen: str
    request: str
    tr_code: str
    text: str

    @property
    def arguments(self) -> Iterable[str | int]:
        return self.screen, self.request, self.tr_code, self.text


class ReceiveChejanData(Event):
    """An order or balance event with the values of all FIDs of its list, stripped."""

    gubun: str
    item_count: int
    fid_list: str
    names: tuple[str, ...]
    """Of the FIDs, in the order of the values."""
    by_fid: Mapping[int, str]
    """The values by FID; a FID outside the list has none."""

    @property
    def arguments(self) -> Iterable[str | int]:
        return self.gubun, self.item_count, self.fid_list

    def __getitem__(self, fid: int) -> str:
        return self.by_fid.get(fid, "")

    def number(self, fid: int) -> int | None:
        """The value of a FID as a number; None where it is none."""
        try:
            return int(self.by_fid.get(fid, ""))
        except ValueError:
            return None

    @property
    def _head(self) -> bytes:
        return encoding.chejan_head(self.gubun, self.item_count, self.fid_list)

    @property
    def _data(self) -> bytes:
        return encoding.single(encoding.names(self.names), self.by_fid.values())


class ReceiveRealData(Event):
    """A tick without its values, for those who read them themselves; streams that want them get a `ticks.Tick`."""

    code: str
    real_type: str
    raw: str

    @property
    def arguments(self) -> Iterable[str | int]:
        return self.code, self.real_type, self.raw

    @property
    def _head(self) -> bytes:
        return encoding.bare_tick(encoding.tick_head(self.code, self.real_type), self.raw)


class EventConnect(Event):
    """The end of a login, or, negative, of a connection."""

    code: int
    change: int = 0
    """How many changes of the connection there have been with this one; 0: not counted."""

    @property
    def arguments(self) -> Iterable[str | int]:
        return (self.code,)


class ReceiveRealCondition(Event):
    """A code that came into (I) or went out of (D) a condition."""

    code: str
    kind: str
    condition_name: str
    condition_index: str

    @property
    def arguments(self) -> Iterable[str | int]:
        return self.code, self.kind, self.condition_name, self.condition_index


class ReceiveTrCondition(Event):
    """The codes that a condition search found; `codes` as the control gave them, joined by ";"."""

    screen: str
    codes: str
    condition_name: str
    condition_index: int
    next: int

    @property
    def arguments(self) -> Iterable[str | int]:
        return self.screen, self.codes, self.condition_name, self.condition_index, self.next


class ReceiveConditionVer(Event):
    """Conditions have been loaded (code 1) or not."""

    code: int
    text: str

    @property
    def arguments(self) -> Iterable[str | int]:
        return self.code, self.text


class OrderSettled(Event):
    """The gateway's own: what the journal knows became of an order whose events do not tell; never sent to a client."""

    state: OrderState
    text: str

    @property
    def arguments(self) -> Iterable[str | int]:
        return ()
