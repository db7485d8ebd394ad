"""What the service's messages say, as immutable values. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from koapy.openapi.calendar import KST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from koapy.client.requests import Value
    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.protocol import gateway_pb2 as gateway


@dataclass(frozen=True, slots=True)
class Event:
    """An OpenAPI+ event as it came, with the data that was read inside it."""

    name: str
    """OnReceiveTrData, OnReceiveMsg, ..."""
    arguments: tuple[Value, ...]
    """In OpenAPI+'s order."""
    single: Mapping[str, str]
    """Values by name; empty when the event has none."""
    rows: tuple[Mapping[str, str], ...]
    """Rows of the multi part, each by name."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One piece of real-time data."""

    code: str
    """종목코드, or a sector's code."""
    real_type: str
    """실시간타입, such as 주식체결 or 주식호가잔량."""
    time: time | None
    """체결시간 or 호가시간 in KST; None where the tick has none."""
    values: Mapping[str, str]
    """Values by FID name, as OpenAPI+ gave them: a price's sign tells above or below the previous close."""

    @property
    def price(self) -> int | None:
        """현재가 in won without its sign; None where the tick has none."""
        digits = self.values.get("현재가", "").strip().lstrip("+-")
        return int(digits) if digits.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Message:
    """A text from the server about a request or an order (OnReceiveMsg)."""

    request_name: str
    tr_code: str
    text: str
    sequence: int = 0
    """Number in the gateway's journal; 0 where it keeps none."""
    recovered: bool = False
    """Made from opt10075 and opt10076 after the gateway was away; OpenAPI+ never told it."""
    told: datetime | None = field(default=None, compare=False)
    """When the gateway was told it, in KST; only `order_events` knows."""
    order_id: int = field(default=0, compare=False)
    """The order of the gateway's journal that it tells of, or 0; only `order_events` knows."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to an order (OnReceiveTrData): its number, 7 digits, or "" when it was refused."""

    request_name: str
    tr_code: str
    number: str
    sequence: int = 0
    """Number in the gateway's journal; 0 where it keeps none."""
    recovered: bool = False
    """Made from opt10075 and opt10076 after the gateway was away; OpenAPI+ never told it."""
    told: datetime | None = field(default=None, compare=False)
    """When the gateway was told it, in KST; only `order_events` knows."""
    order_id: int = field(default=0, compare=False)
    """The order of the gateway's journal that it tells of, or 0; only `order_events` knows."""


@dataclass(frozen=True, slots=True)
class Chejan:
    """An order or balance event (OnReceiveChejanData)."""

    gubun: str
    """"0" 접수, 체결 or 확인 of an order; "1" 잔고; "4" 파생잔고."""
    fids: Mapping[int, str]
    """All values by FID, stripped."""
    values: Mapping[str, str]
    """The same by the FIDs' names."""
    sequence: int = 0
    """Number in the gateway's journal; 0 where it keeps none."""
    recovered: bool = False
    """Made from opt10075 and opt10076 after the gateway was away; OpenAPI+ never told it."""
    told: datetime | None = field(default=None, compare=False)
    """When the gateway was told it, in KST; only `order_events` knows."""
    order_id: int = field(default=0, compare=False)
    """The order of the gateway's journal that it tells of, or 0; only `order_events` knows."""

    def number_of(self, fid: int) -> int:
        """A value as a number, its sign kept; 0 where it is empty or missing."""
        value = self.fids.get(fid, "")
        return int(value) if value.lstrip("+-").isdecimal() else 0

    @property
    def account(self) -> str:
        """계좌번호."""
        return self.fids.get(9201, "")

    @property
    def code(self) -> str:
        """종목코드 without the letter for its kind (A005930 -> 005930)."""
        return plain_code(self.fids.get(9001, ""))

    @property
    def order_number(self) -> str:
        """주문번호, 7 digits; "" for balances."""
        return self.fids.get(9203, "")

    @property
    def original(self) -> str:
        """원주문번호: the order that this one cancels or modifies, 0000000 for none."""
        return self.fids.get(904, "")

    @property
    def state(self) -> str:
        """주문상태: 접수, 체결, 확인; "" for balances."""
        return self.fids.get(913, "")

    @property
    def kind(self) -> str:
        """주문구분: +매수, -매도, +매수정정, 매수취소, ..."""
        return self.fids.get(905, "")

    @property
    def closing(self) -> bool:
        """Whether this closes an order that is through by a cancellation or modification (미체결 클리어)."""
        return self.fids.get(819) == "1"


OrderEvent = Message | Accepted | Chejan


class Hit(NamedTuple):
    """A code that came into (I) or went out of (D) a condition."""

    kind: Literal["I", "D"]
    code: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition search, as written in Kiwoom's HTS."""

    index: int
    name: str


def value(holder: pb.Argument | pb.ReturnValue) -> Value | None:
    """The one value that an argument or a return value has; None when it has none."""
    kind = holder.WhichOneof("value")
    held: Value | None = None if kind is None else getattr(holder, kind)
    return held


def arguments(message: pb.ListenResponse) -> tuple[Value, ...]:
    """The event's arguments."""
    return tuple("" if (each := value(argument)) is None else each for argument in message.arguments)


def single(message: pb.ListenResponse) -> dict[str, str]:
    """The single data by name."""
    return dict(zip(message.single_data.names, message.single_data.values, strict=True))


def event(message: pb.ListenResponse) -> Iterator[Event]:
    """Any event."""
    names = list(message.multi_data.names)
    rows = tuple(dict(zip(names, row.values, strict=True)) for row in message.multi_data.values)
    yield Event(message.name, arguments(message), single(message), rows)


def tick(message: pb.ListenResponse) -> Iterator[Tick]:
    """OnReceiveRealData."""
    code, real_type, *_ = arguments(message)
    values = single(message)
    yield Tick(str(code), str(real_type), clock(values.get("체결시간") or values.get("호가시간") or ""), values)


def journal_event(message: gateway.OrderEvent) -> Iterator[OrderEvent]:
    """An order event as the journal tells it."""
    told = message.time.ToDatetime(UTC).astimezone(KST) if message.HasField("time") else None
    for each in _order_event(message.event, message.sequence, message.recovered):
        yield replace(each, told=told, order_id=message.order_id)


def order_event(message: pb.ListenResponse) -> Iterator[OrderEvent]:
    """OnReceiveMsg, OnReceiveTrData and OnReceiveChejanData of orders; anything else is left out."""
    return _order_event(message, message.sequence, message.recovered)


def _order_event(message: pb.ListenResponse, sequence: int, recovered: bool) -> Iterator[OrderEvent]:
    match message.name, arguments(message):
        case "OnReceiveMsg", (_, request_name, tr_code, text):
            yield Message(str(request_name), str(tr_code), str(text), sequence, recovered)
        case "OnReceiveTrData", (_, request_name, tr_code, *_):
            number = single(message).get("주문번호", "")
            yield Accepted(str(request_name), str(tr_code), number, sequence, recovered)
        case "OnReceiveChejanData", (gubun, _, fid_list):
            fids = (int(fid) for fid in str(fid_list).split(";") if fid)
            names, values = message.single_data.names, message.single_data.values
            by_fid, by_name = dict(zip(fids, values, strict=True)), dict(zip(names, values, strict=True))
            yield Chejan(str(gubun), by_fid, by_name, sequence, recovered)


def found(message: pb.ListenResponse) -> list[str]:
    """The codes of OnReceiveTrCondition, without the prices that SetConditionSearchFlag may have added."""
    if message.name != "OnReceiveTrCondition":
        return []
    return [code.partition("^")[0] for code in items(str(arguments(message)[1]))]


def hits(message: pb.ListenResponse) -> Iterator[Hit]:
    """What a condition search tells: its first list as codes that came in, then each code that comes or goes."""
    match message.name, arguments(message):
        case "OnReceiveRealCondition", (code, "I" | "D" as kind, *_):
            yield Hit("I" if kind == "I" else "D", str(code))
        case _:
            for code in found(message):
                yield Hit("I", code)


def conditions(names: str) -> list[Condition]:
    """GetConditionNameList: "index^name;index^name;"."""
    pairs = (item.partition("^") for item in items(names))
    return [Condition(int(index), name) for index, _, name in pairs]


def plain_code(code: str) -> str:
    """A code without the letter for its kind (A stock, J ELW, Q ETN)."""
    return code[1:] if len(code) == 7 and code[0] in "AJQ" else code


def items(text: str, separator: str = ";") -> list[str]:
    """A list as OpenAPI+ writes it, with or without a separator at its end."""
    return [item for item in text.split(separator) if item]


@lru_cache(maxsize=4096)
def clock(text: str) -> time | None:
    """HHMMSS as a time; None for anything else, such as the 888888 after the close."""
    text = text.strip()
    if len(text) != 6 or not text.isdecimal():
        return None
    hour, minute, second = int(text[:2]), int(text[2:4]), int(text[4:])
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None
