"""What of a request stands in the audit log: chosen fields, never a whole request, and no secret among them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.openapi.login import masked
from koapy.server.access import ACCOUNT, ADMIN, ORDER, call_needs, tr_needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.protocol import streams_pb2 as v1

LONGEST = 40
"""Characters of a text that a client has chosen."""
MOST = 20
"""Codes that are named; more are counted."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody asks for."""

    kind: str
    """order, login, admin, custom, stream or query."""
    what: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lasts(self) -> bool:
        """Whether its beginning gets a line too: it may go on for a day, or the gateway die in between."""
        return self.kind not in {"query", "login"}


def deed(rpc: str, request: Any) -> Deed | None:
    """What the audit log says of this request, or of the first one of a stream; None for a look-up."""
    describe = _DEEDS.get(rpc)
    return describe(request) if describe is not None else None


def _text(value: object) -> str:
    return str(value)[:LONGEST]


def _account(number: str) -> str:
    """Masked where it is an account number; whatever else a client wrote there is not repeated."""
    return masked(number) if len(number) == 10 and number.isdecimal() else f"({len(number)} characters)"


def _codes(codes: Iterable[str]) -> dict[str, Any]:
    listed = list(codes)
    return {"codes": [_text(code) for code in listed[:MOST]], **({"count": len(listed)} if len(listed) > MOST else {})}


def _order(request: pb.OrderRequest) -> Deed:
    return Deed(
        "order",
        {
            "account": _account(request.account_no),
            "order_type": request.order_type,
            "code": _text(request.code),
            "quantity": request.quantity,
            "price": request.price,
            "quote_type": _text(request.quote_type),
            "original": _text(request.original_order_no),
        },
    )


_ORDER_FIELDS = {
    "sAccNo": "account",
    "nOrderType": "order_type",
    "sCode": "code",
    "nQty": "quantity",
    "nPrice": "price",
    "sHogaGb": "quote_type",
    "sOrgOrderNo": "original",
    "lOrdKind": "order_kind",
    "sSlbyTp": "side",
    "sOrdTp": "order_type",
    "lQty": "quantity",
    "sPrice": "price",
    "sOrgOrdNo": "original",
    "sCreditGb": "credit_type",
    "sLoanDate": "loan_date",
}


def _call(request: pb.CallRequest) -> Deed | None:
    function = FUNCTIONS.get(request.name) or HELPERS.get(request.name)
    if function is None:
        return None
    needs = call_needs(request.name, request.arguments)
    what: dict[str, Any] = {"function": request.name}
    if needs == ORDER:
        for parameter, given in zip(function.parameters, request.arguments, strict=False):
            if name := _ORDER_FIELDS.get(parameter.name):
                value = given.long_value if given.WhichOneof("value") == "long_value" else given.string_value
                what[name] = _account(str(value)) if name == "account" else _number_or_text(value)
        return Deed("order", what)
    if request.name == "CommConnect":
        return Deed("login", what)
    if needs == ADMIN:
        return Deed("admin", what)
    if request.name in {"CommRqData", "RateLimitedCommRqData"} and needs == ACCOUNT:
        return Deed("query", what | {"tr": request.arguments[1].string_value})
    return None


def _number_or_text(value: str | int) -> str | int:
    return value if isinstance(value, int) else _text(value)


def _transaction(request: pb.TransactionRequest) -> Deed | None:
    """Of queries only those about accounts."""
    code = request.transaction_code
    if tr_needs(code) != ACCOUNT:
        return None
    return Deed("query", {"tr": code, "account": _account(request.inputs.get("계좌번호", ""))})


def _login(request: pb.LoginRequest) -> Deed:
    given = request.HasField("credentials") and request.credentials.ByteSize()
    return Deed("login", {"credentials": bool(given)})


def _events(request: pb.ListenRequest | v1.EventsRequest) -> Deed:
    return Deed("stream", {"events": sorted(set(request.slots) & set(EVENTS))})


def _handler(request: pb.ListenRequest) -> Deed:
    if not (request.code or request.class_name):
        return Deed("stream")
    digest = hashlib.sha256(request.code.encode()).hexdigest()
    return Deed("custom", {"class": _text(request.class_name), "sha256": digest})


def _call_and_handler(request: pb.CallAndListenRequest) -> Deed:
    called, listened = _call(request.call_request), _handler(request.listen_request)
    kind = called.kind if called is not None and listened.kind == "stream" else listened.kind
    return Deed(kind, {**listened.what, **(called.what if called is not None else {})})


def _log_level(request: pb.SetLogLevelRequest) -> Deed:
    return Deed("admin", {"logger": _text(request.logger), "level": request.level})


def _condition(request: pb.ConditionRequest) -> Deed:
    return Deed("stream", {"condition": f"{request.condition_index}^{_text(request.condition_name)}"})


def _halt(request: Any) -> Deed:
    return Deed("admin", {"reason": str(request.reason)[:200], "cancel_open": request.cancel_open})


_DEEDS: Mapping[str, Callable[[Any], Deed | None]] = {
    "Call": _call,
    "Listen": _events,
    "BidirectionalListen": lambda first: _events(first.listen_request),
    "LoginCall": _login,
    "TransactionCall": _transaction,
    "OrderCall": _order,
    "RealCall": lambda request: Deed("stream", _codes(request.code_list)),
    "ConditionCall": _condition,
    "BidirectionalRealCall": lambda _: Deed("stream"),
    "OrderListen": lambda _: Deed("stream"),
    "CustomListen": _handler,
    "CustomCallAndListen": _call_and_handler,
    "SetLogLevel": _log_level,
    "OrderEvents": lambda request: Deed("stream", {"from": request.from_sequence}),
    "Events": lambda first: Deed("stream", {**_codes(first.add), **_events(first).what}),
    "Orders": lambda request: Deed("query", {"day": _text(request.day)}),
    "Halt": _halt,
    "Release": lambda _: Deed("admin"),
}
