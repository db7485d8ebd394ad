"""Requests as the wire has them, from what a caller writes. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from koapy.client.errors import InvalidArgument
from koapy.openapi.calendar import KST
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import streams_pb2 as v1

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from koapy.client.plan import Metadata

Value = str | int | bool
Side = Literal["buy", "sell"]
Action = Literal["new", "cancel", "modify"]

ORDER_TYPES: Mapping[tuple[Side, Action], int] = {
    ("buy", "new"): 1,
    ("sell", "new"): 2,
    ("buy", "cancel"): 3,
    ("sell", "cancel"): 4,
    ("buy", "modify"): 5,
    ("sell", "modify"): 6,
}
LIMIT, MARKET = "00", "03"
"""Quote types (거래구분) 지정가 and 시장가."""
MOST_FIDS = 100
"""SetRealReg takes no more; any one FID of a real type brings all of it."""


class Stop(NamedTuple):
    """Leaves out the first row for which `row[name] comparator value` holds, and all after it; compared as strings."""

    name: str
    comparator: Literal["<=", "<", ">=", ">", "==", "!="]
    value: str


_COMPARATORS = {
    "<=": pb.LESS_THAN_OR_EQUAL_TO,
    "<": pb.LESS_THAN,
    ">=": pb.GREATER_THAN_OR_EQUAL_TO,
    ">": pb.GREATER_THAN,
    "==": pb.EQUAL_TO,
    "!=": pb.NOT_EQUAL_TO,
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What fills in a login window. Without credentials the control logs in as it is set up to."""

    user_id: str
    password: str = field(repr=False)
    certificate_password: str = field(default="", repr=False)
    """공동인증서 password; not needed for 모의투자."""
    simulation: bool = True
    """모의투자, Kiwoom's mock server."""
    account_passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By account number."""


def argument(value: Value) -> pb.Argument:
    """One argument of a function call."""
    if isinstance(value, bool):
        return pb.Argument(bool_value=value)
    if isinstance(value, int):
        return pb.Argument(long_value=value)
    return pb.Argument(string_value=value)


def call(name: str, *arguments: Value) -> pb.CallRequest:
    """A function call by name."""
    return pb.CallRequest(name=name, arguments=[argument(each) for each in arguments])


def login(credentials: Credentials | None) -> pb.LoginRequest:
    """A login, with what to fill into the window or nothing."""
    if credentials is None:
        return pb.LoginRequest()
    return pb.LoginRequest(
        credentials=pb.LoginCredentials(
            user_id=credentials.user_id,
            user_password=credentials.password,
            cert_password=credentials.certificate_password,
            is_simulation=credentials.simulation,
            account_passwords=dict(credentials.account_passwords),
        )
    )


def transaction(
    code: str,
    inputs: Mapping[str, Value | date],
    stop: Stop | tuple[str, str, str] | None,
    request_name: str,
    screen: str,
) -> pb.TransactionRequest:
    """A TR; numbers and dates among the inputs become text."""
    return pb.TransactionRequest(
        request_name=request_name or code,
        transaction_code=code,
        screen_no=screen,
        inputs={name: text(value) for name, value in inputs.items()},
        stop_condition=None if stop is None else _stop(*stop),
    )


def _stop(name: str, comparator: str, value: str) -> pb.TransactionStopCondition:
    if comparator not in _COMPARATORS:
        raise InvalidArgument(f"no comparator {comparator!r}; there are {', '.join(_COMPARATORS)}")
    return pb.TransactionStopCondition(name=name, value=value, comparator=_COMPARATORS[comparator])


def order(
    side: Side,
    action: Action,
    *,
    account: str,
    code: str,
    quantity: int,
    price: int | None,
    quote_type: str | None,
    original: str = "",
    request_name: str = "",
    screen: str = "",
) -> pb.OrderRequest:
    """An order; without a price and a quote type it is 시장가, with a price 지정가."""
    return pb.OrderRequest(
        request_name=request_name or f"{side} {code} {quantity}",
        screen_no=screen,
        account_no=account,
        order_type=ORDER_TYPES[side, action],
        code=code,
        quantity=quantity,
        price=price or 0,
        quote_type=quote_type or (MARKET if price is None else LIMIT),
        original_order_no=original,
    )


def real(codes: Iterable[str], fids: Iterable[int], real_types: Iterable[str]) -> pb.RealRequest:
    """Real-time data: the given FIDs, or all FIDs of the given real types."""
    wanted = list(fids)
    return pb.RealRequest(
        code_list=list(codes),
        fid_list=wanted or _fids_of(real_types),
        flags=pb.RealRequestFlags(infer_fids=not wanted, readable_names=True, fast_parse=False),
    )


def batched(codes: Iterable[str], fids: Iterable[int], real_types: Iterable[str]) -> v1.EventsRequest:
    """The same in batches."""
    return v1.EventsRequest(add=list(codes), fids=list(fids), real_types=sorted(real_types))


def codes(add: Iterable[str], remove: Iterable[str]) -> v1.EventsRequest:
    """A change of the codes of a stream of batches."""
    return v1.EventsRequest(add=list(add), remove=list(remove))


def changed(first: v1.EventsRequest, change: v1.EventsRequest) -> v1.EventsRequest:
    """The request that opens a stream as a change has left it."""
    request = v1.EventsRequest()
    request.CopyFrom(first)
    gone = frozenset(change.remove)
    kept = [code for code in first.add if code not in gone]
    request.add[:] = dict.fromkeys((*kept, *change.add))
    return request


def _fids_of(real_types: Iterable[str]) -> list[int]:
    """FIDs that register these real types; every type has a part in them."""
    from koapy.openapi.realtype import UnknownRealType, real_type  # its tables load on first use

    try:
        lists = [real_type(name).fids for name in real_types]
    except UnknownRealType as unknown:
        raise InvalidArgument(str(unknown)) from None
    share = MOST_FIDS // max(len(lists), 1)
    return list(dict.fromkeys(fid for fids in lists for fid in fids[:share]))


def condition(index: int, name: str, search_type: Literal[0, 1]) -> pb.ConditionRequest:
    """A condition search: 0 once, 1 once and then in real time."""
    return pb.ConditionRequest(condition_index=index, condition_name=name, search_type=search_type)


def idempotency() -> Metadata:
    """A fresh key for one order call: a server that keeps a journal never sends the same key twice."""
    return (("koapy-idempotency-key", str(uuid.uuid4())),)


def sendable(text: str) -> bool:
    """Whether metadata can hold this."""
    return text.isascii() and (text.isprintable() or not text)


def expected(journal: str) -> Metadata:
    """The journal that an order is for: a gateway with another one refuses it, before anything is sent."""
    return (("koapy-expect-journal", journal),) if journal else ()


def text(value: Value | date) -> str:
    """An input as OpenAPI+ takes it: YYYYMMDD, YYYYMMDDhhmmss in KST, flags as 1 and 0."""
    if isinstance(value, datetime):
        moment = value.astimezone(KST) if value.tzinfo else value
        return moment.strftime("%Y%m%d%H%M%S")
    if isinstance(value, date):
        return value.strftime("%Y%m%d")
    return str(int(value)) if isinstance(value, bool) else str(value)
