"""What to ask for: a TR with its inputs and where to end, and the ones behind the named queries. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, TypeAlias

from koapy.client import requests
from koapy.client.requests import Stop, Value, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

Day: TypeAlias = date | str
"""A date, or its text as YYYYMMDD."""
Moment: TypeAlias = date | str
"""A date, a datetime (in KST unless it says otherwise), or its text as YYYYMMDD or YYYYMMDDhhmmss."""
Period: TypeAlias = Literal["day", "week", "month", "year"]
Inputs: TypeAlias = "Mapping[str, Value | date]"
StopCondition: TypeAlias = Stop | tuple[str, str, str]

_CHARTS: Mapping[Period, str] = {"day": "opt10081", "week": "opt10082", "month": "opt10083", "year": "opt10094"}
# OpenAPI+ takes an account's password from its own window, never from an input.
_PASSWORD: Inputs = {"비밀번호": "", "비밀번호입력매체구분": "00"}


@dataclass(frozen=True, slots=True)
class Query:
    """A TR, its inputs by name, and where to end."""

    code: str
    inputs: Inputs
    stop: StopCondition | None = None
    pages: int | None = None
    """At most so many answers."""
    rows: int | None = None
    """At most so many rows."""
    request_name: str = ""
    screen: str = ""

    @property
    def message(self) -> pb.TransactionRequest:
        """The request as the wire has it."""
        return requests.transaction(self.code, self.inputs, self.stop, self.request_name, self.screen)


def candles(code: str, period: Period, since: Day | None, until: Day | None, adjusted: bool, rows: int | None) -> Query:
    """Bars of a day or longer."""
    inputs: dict[str, Value | date] = {"종목코드": code, "수정주가구분": adjusted}
    if until is not None:
        inputs["기준일자"] = until
    return Query(_CHARTS[period], inputs, _not_before("일자", since), rows=rows)


def intraday(tr: str, code: str, size: int, since: Moment | None, adjusted: bool, rows: int | None) -> Query:
    """Bars within a day: of minutes (opt10080) or of trades (opt10079)."""
    inputs: Inputs = {"종목코드": code, "틱범위": size, "수정주가구분": adjusted}
    return Query(tr, inputs, _not_before("체결시간", since), rows=rows)


def deposit(account: str) -> Query:
    """Cash."""
    return Query("opw00001", {"계좌번호": account, **_PASSWORD, "조회구분": 2}, pages=1)


def balance(account: str) -> Query:
    """Holdings."""
    return Query("opw00018", {"계좌번호": account, **_PASSWORD, "조회구분": 2})


def open_orders(account: str, code: str | None = None) -> Query:
    """Orders with something open."""
    one: Inputs = {"전체종목구분": code is not None, "종목코드": code or ""}
    return Query("opt10075", {"계좌번호": account, **one, "매매구분": 0, "체결구분": 1})


def fills(account: str, code: str | None) -> Query:
    """Today's filled orders."""
    one: Inputs = {"조회구분": code is not None, "종목코드": code or ""}
    return Query("opt10076", {"계좌번호": account, "비밀번호": "", **one, "매도수구분": 0, "체결구분": 2})


def _not_before(name: str, since: Moment | None) -> Stop | None:
    return None if since is None else Stop(name, "<", text(since))
