"""Who calls, and what that one may do: the role of every RPC, function, event and TR, in one place.

What stands in no table needs ADMIN, so that something new is closed until somebody has thought about it. What the
gateway refuses anyway, such as an unknown function, needs no role: the caller is told what was wrong with it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc

from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.openapi.tr import is_tr, tr
from koapy.server.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
    from koapy.protocol import streams_pb2 as v1


class Role(StrEnum):
    """What a caller may do; a caller may have several, and none includes another."""

    MARKET_DATA = "market-data"
    """Prices, codes, conditions."""
    ACCOUNT = "account"
    """Balances, orders and what becomes of them."""
    ORDER = "order"
    """Sending, modifying and cancelling orders."""
    ADMIN = "admin"
    """The kill switch, log levels, logging in by somebody's credentials, logging out."""
    CUSTOM_CODE = "custom-code"
    """Running code of its own next to the gateway, where the operator allows that at all."""


class Principal(NamedTuple):
    """Who calls."""

    name: str
    """Of the token or the certificate."""
    roles: frozenset[Role]


LOCAL = Principal("local", frozenset(Role))
"""Everybody, on a server without authentication."""

Needs = frozenset[Role]
"""The roles that something takes; none: everybody whom the gateway knows."""

ANYBODY: Needs = frozenset()
MARKET_DATA: Needs = frozenset({Role.MARKET_DATA})
ACCOUNT: Needs = frozenset({Role.ACCOUNT})
ORDER: Needs = frozenset({Role.ORDER})
ADMIN: Needs = frozenset({Role.ADMIN})
CUSTOM_CODE: Needs = frozenset({Role.CUSTOM_CODE})

ACCOUNT_INPUT = "계좌번호"
Values = tuple[str, ...]
"""The arguments of a function as text, "" for those that are none."""


def _table(rows: Mapping[Needs, str]) -> dict[str, Needs]:
    return {name: needs for needs, names in rows.items() for name in names.split()}


def tr_needs(code: str) -> Needs:
    """What asking a TR takes: ACCOUNT where 계좌번호 is among its inputs; nothing for one that there is not."""
    if not is_tr(code):
        return ANYBODY
    return ACCOUNT if ACCOUNT_INPUT in tr(code).input_names else MARKET_DATA


def _answer_needs(code: str) -> Needs:
    """What reading an answer takes: those that are no TR's are the answers to orders."""
    return tr_needs(code) or ACCOUNT


FUNCTION_NEEDS: Mapping[str, Needs | Callable[[Values], Needs]] = {
    **_table(
        {
            # Logging in without credentials joins the one login there is, and is every client's first step.
            ANYBODY: """
                CommConnect GetConnectState SetInputValue SetOutputFID
            """,
            MARKET_DATA: """
                CommInvestRqData CommKwRqData DisconnectRealData EnsureConditionLoaded GetActPriceList
                GetCodeListByMarket GetCommRealData GetConditionLoad GetConditionNameList GetFutureCodeByIndex
                GetFutureList GetMarketType GetMasterCodeName GetMasterConstruction GetMasterLastPrice
                GetMasterListedStockCnt GetMasterListedStockDate GetMasterStockState GetMonthList GetOptionATM
                GetOptionCode GetOptionCodeByActPrice GetOptionCodeByMonth GetSActPriceList GetSFOBasisAssetList
                GetSFutureCodeByIndex GetSFutureList GetSMonthList GetSOptionATM GetSOptionCode
                GetSOptionCodeByActPrice GetSOptionCodeByMonth GetThemeGroupCode GetThemeGroupList IsConditionLoaded
                LoadCondition RateLimitedSendCondition SendCondition SendConditionStop SetRealReg SetRealRemove
            """,
            # The old readers do not say of which TR, so they may read any.
            ACCOUNT: """
                CommGetData GetChejanData GetDataCount GetOutputValue GetBranchCodeName
            """,
            ORDER: """
                SendOrder SendOrderCredit SendOrderFO
            """,
            # CommTerminate logs everybody out; the others tell of the machine, or nobody says what they do.
            ADMIN: """
                CommTerminate GetAPIModulePath SetInfoData
            """,
        }
    ),
    "CommRqData": lambda values: tr_needs(values[1]),
    "RateLimitedCommRqData": lambda values: tr_needs(values[1]),
    "GetCommData": lambda values: _answer_needs(values[0]),
    "GetCommDataEx": lambda values: _answer_needs(values[0]),
    "GetRepeatCnt": lambda values: _answer_needs(values[0]),
    "GetLoginInfo": lambda values: LOGIN_INFO_NEEDS.get(values[0], ACCOUNT),
    "KOA_Functions": lambda values: KOA_FUNCTION_NEEDS.get(values[0], ADMIN),
}
"""The functions that Call takes; for some their arguments decide."""

LOGIN_INFO_NEEDS: Mapping[str, Needs] = _table(
    {
        ANYBODY: "GetServerGubun KEY_BSECGB FIREW_SECGB",
        ACCOUNT: "ACCOUNT_CNT ACCLIST ACCNO ACCTLIST_DETAIL USER_ID USER_NAME",
    }
)
"""The tags of GetLoginInfo."""

KOA_FUNCTION_NEEDS: Mapping[str, Needs] = _table(
    {
        ANYBODY: "GetServerGubun",
        MARKET_DATA: """
            GetMasterListedStockCntEx GetMasterStockInfo GetStockMarketKind GetUpjongCode GetUpjongNameByCode
            IsOrderWarningETF IsOrderWarningStock SetConditionSearchFlag
        """,
        # A window on the gateway's screen that holds up everything until somebody closes it.
        ADMIN: "ShowAccountWindow",
    }
)
"""The functions behind KOA_Functions."""

EVENT_NEEDS: Mapping[str, Needs] = _table(
    {
        ANYBODY: "OnEventConnect",
        MARKET_DATA: """
            OnReceiveConditionVer OnReceiveInvestRealData OnReceiveRealCondition OnReceiveRealData OnReceiveTrCondition
        """,
        # Answers and messages of everybody's requests, those about accounts and orders among them.
        ACCOUNT: "OnReceiveChejanData OnReceiveMsg OnReceiveTrData",
    }
)
"""The events of Listen and BidirectionalListen."""


def call_needs(name: str, arguments: Sequence[pb.Argument] = ()) -> Needs:
    """What calling a function with these arguments takes; ADMIN for one that the table has forgotten."""
    needs = FUNCTION_NEEDS.get(name)
    if needs is None:
        return ADMIN if name in FUNCTIONS or name in HELPERS else ANYBODY
    if isinstance(needs, frozenset):
        return needs
    # Two are enough for what decides, and a call with too few is refused anyway.
    given = [each.string_value for each in arguments[:2]]
    return needs((*given, "", "")[:2])


def events_needs(names: Iterable[str]) -> Needs:
    """What listening to these events takes; an unknown one is refused anyway."""
    needs = (EVENT_NEEDS.get(name, ADMIN if name in EVENTS else ANYBODY) for name in names)
    return frozenset[Role]().union(*needs)


def _listen_needs(request: pb.ListenRequest) -> Needs:
    return events_needs(request.slots)


def _handler_needs(request: pb.ListenRequest) -> Needs:
    """A handler; without one, all events."""
    return CUSTOM_CODE if request.code or request.class_name else events_needs(EVENTS)


def _login_needs(request: pb.LoginRequest) -> Needs:
    """Credentials choose whose login it becomes for everybody."""
    return ADMIN if request.HasField("credentials") and request.credentials.ByteSize() else ANYBODY


def _batches_needs(first: v1.EventsRequest) -> Needs:
    """As Listen for the events and RealCall for the codes that it asks for."""
    return events_needs(first.slots) | (MARKET_DATA if first.add or not first.slots else ANYBODY)


RPC_NEEDS: Mapping[str, Needs | Callable[[Any], Needs]] = {
    "Call": lambda request: call_needs(request.name, request.arguments),
    "Listen": _listen_needs,
    "BidirectionalListen": lambda first: _listen_needs(first.listen_request),
    "LoginCall": _login_needs,
    "TransactionCall": lambda request: tr_needs(request.transaction_code),
    "OrderCall": ORDER,
    "RealCall": MARKET_DATA,
    "LoadConditionCall": MARKET_DATA,
    "ConditionCall": MARKET_DATA,
    "BidirectionalRealCall": MARKET_DATA,
    "OrderListen": ACCOUNT,
    "CustomListen": _handler_needs,
    "CustomCallAndListen": lambda request: (
        call_needs(request.call_request.name, request.call_request.arguments) | _handler_needs(request.listen_request)
    ),
    "SetLogLevel": ADMIN,
    # koapy.v1.Gateway
    "OrderEvents": ACCOUNT,
    "Orders": ACCOUNT,
    "Halt": ADMIN,
    "Release": ADMIN,
    "Status": ANYBODY,
    # koapy.v1.Streams
    "Events": _batches_needs,
    # grpc.reflection: what anybody can read in the .proto, but only for those who may be here at all. Health is open.
    "ServerReflectionInfo": ANYBODY,
}
"""The RPCs of all services; for some their request decides, or the first one of a stream."""


def require(principal: Principal, needs: Needs, what: str) -> None:
    """Let `principal` do `what`.

    Raises:
        Failure: PERMISSION_DENIED, with the roles that are missing.
    """
    if not needs <= principal.roles:
        raise forbidden(principal, needs, what)


def forbidden(principal: Principal, needs: Needs, what: str) -> Failure:
    """Why `principal` may not do `what`."""
    missing = ", ".join(sorted(needs - principal.roles))
    own = ", ".join(sorted(principal.roles)) or "none"
    text = f"{what} needs the role {missing}, which {principal.name} does not have; its roles are {own}"
    details = {"role": missing, "principal": principal.name}
    return Failure(grpc.StatusCode.PERMISSION_DENIED, text, reason="ROLE_MISSING", details=details)
