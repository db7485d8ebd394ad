"""Transactions: any TR, and the ones that most programs want under names of their own.

`tr` and its sisters give texts as OpenAPI+ gave them unless `numeric` is set; the named ones give numbers unless it is
unset. Rows of charts come newest first, as OpenAPI+ sends them. Prices and amounts are in won, but for the daily
거래대금, which OpenAPI+ gives in millions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from koapy.client import calls, progress, trs
from koapy.client.frames import Pages
from koapy.client.plan import Collect, waits
from koapy.client.trs import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from koapy.client.frames import Transaction
    from koapy.client.plan import Plan
    from koapy.client.requests import Value
    from koapy.client.trs import Day, Moment, Period, StopCondition


class Queries:
    """Queries that end."""

    progress: bool | None = None
    """Show a bar on stderr: always, never, or (None) on a terminal when a query has several pages or takes over 1 s."""

    @waits
    def transaction(
        self,
        /,
        code: str,
        inputs: Mapping[str, Value] | None = None,
        *,
        stop: StopCondition | None = None,
        pages: int | None = None,
        rows: int | None = None,
        numeric: bool = False,
        request_name: str = "",
        screen: str = "",
        **more: Value,
    ) -> Plan[Transaction]:
        """Run a TR over all its pages.

        Args:
            code: the TR, such as opt10081.
            inputs: by their Korean names; also as keyword arguments (종목코드="005930"). Missing ones are sent empty.
            stop: leaves out the first row for which it holds, and all after it: ("일자", "<", "20240101").
            pages: at most so many answers. rows: at most so many rows.
            numeric: whether texts that stand for numbers become numbers (`koapy.client.numeric` has the rules).
            request_name, screen: what the events of this request carry; chosen if not given.

        Raises: OpenApiError, InvalidArgument, PreconditionFailed, LimitExceeded, ConnectionLost. Cancelling the
            coroutine, or an interrupt, ends the request at the server.
        """
        return _whole(self, Query(code, {**(inputs or {}), **more}, stop, pages, rows, request_name, screen), numeric)

    @waits
    def tr(
        self,
        /,
        code: str,
        inputs: Mapping[str, Value] | None = None,
        *,
        stop: StopCondition | None = None,
        pages: int | None = None,
        rows: int | None = None,
        numeric: bool = False,
        **more: Value,
    ) -> Plan[pd.DataFrame]:
        """Run a TR and give the rows of its multi part; arguments and errors as of `transaction`."""
        return _multi(self, Query(code, {**(inputs or {}), **more}, stop, pages, rows), numeric)

    @waits
    def tr_single(
        self, /, code: str, inputs: Mapping[str, Value] | None = None, *, numeric: bool = False, **more: Value
    ) -> Plan[dict[str, Any]]:
        """Run a TR and give the single part of its first page; values are str, or numbers with `numeric`."""
        return _single(self, Query(code, {**(inputs or {}), **more}, pages=1), numeric)

    @waits
    def candles(
        self,
        code: str,
        period: Period = "day",
        *,
        since: Day | None = None,
        until: Day | None = None,
        adjusted: bool = True,
        rows: int | None = None,
        numeric: bool = True,
    ) -> Plan[pd.DataFrame]:
        """Bars of a day, week, month or year (opt10081, opt10082, opt10083, opt10094).

        Args:
            since, until: first and last date; without them everything up to today.
            adjusted: 수정주가, prices adjusted for splits and the like. rows: at most so many of the newest.
        """
        return _multi(self, trs.candles(code, period, since, until, adjusted, rows), numeric)

    @waits
    def daily(
        self,
        code: str,
        *,
        since: Day | None = None,
        until: Day | None = None,
        adjusted: bool = True,
        rows: int | None = None,
        numeric: bool = True,
    ) -> Plan[pd.DataFrame]:
        """Daily bars (opt10081); as `candles`."""
        return _multi(self, trs.candles(code, "day", since, until, adjusted, rows), numeric)

    @waits
    def minutes(
        self,
        code: str,
        interval: int = 1,
        *,
        since: Moment | None = None,
        adjusted: bool = True,
        rows: int | None = None,
        numeric: bool = True,
    ) -> Plan[pd.DataFrame]:
        """Bars of 1, 3, 5, 10, 15, 30, 45 or 60 minutes (opt10080), back to `since`, a date or time in KST."""
        return _multi(self, trs.intraday("opt10080", code, interval, since, adjusted, rows), numeric)

    @waits
    def ticks(
        self,
        code: str,
        size: int = 1,
        *,
        since: Moment | None = None,
        adjusted: bool = True,
        rows: int | None = None,
        numeric: bool = True,
    ) -> Plan[pd.DataFrame]:
        """Bars of 1, 3, 5, 10 or 30 trades (opt10079), back to `since`, a date or time in KST."""
        return _multi(self, trs.intraday("opt10079", code, size, since, adjusted, rows), numeric)

    @waits
    def stock(self, code: str, *, numeric: bool = True) -> Plan[dict[str, Any]]:
        """A stock's facts and today's prices (opt10001)."""
        return _single(self, Query("opt10001", {"종목코드": code}, pages=1), numeric)

    @waits
    def depth(self, code: str, *, numeric: bool = True) -> Plan[dict[str, Any]]:
        """The order book, ten levels on each side (opt10004)."""
        return _first(self, Query("opt10004", {"종목코드": code}, pages=1), numeric)

    @waits
    def quotes(self, codes: Iterable[str], *, numeric: bool = True) -> Plan[pd.DataFrame]:
        """Today's prices of any number of codes, a row each, asked by the hundred (OPTKWFID)."""
        return _multi(self, Query("OPTKWFID", {"종목코드": ";".join(codes)}), numeric)

    @waits
    def deposit(self, account: str | None = None, *, numeric: bool = True) -> Plan[dict[str, Any]]:
        """Cash of an account, the first unless given (opw00001)."""
        number = yield from calls.account_or_first(account)
        return (yield from _single(self, trs.deposit(number), numeric))

    @waits
    def balance(self, account: str | None = None, *, numeric: bool = True) -> Plan[Transaction]:
        """Holdings (multi) and their sum (single) of an account, the first unless given (opw00018)."""
        number = yield from calls.account_or_first(account)
        return (yield from _whole(self, trs.balance(number), numeric))

    @waits
    def open_orders(
        self, account: str | None = None, code: str | None = None, *, numeric: bool = True
    ) -> Plan[pd.DataFrame]:
        """Orders with something open, of an account (the first unless given) and a code or all (opt10075)."""
        number = yield from calls.account_or_first(account)
        return (yield from _multi(self, trs.open_orders(number, code), numeric))

    @waits
    def fills(self, account: str | None = None, code: str | None = None, *, numeric: bool = True) -> Plan[pd.DataFrame]:
        """Today's filled orders, of an account (the first unless given) and a code or all (opt10076)."""
        number = yield from calls.account_or_first(account)
        return (yield from _multi(self, trs.fills(number, code), numeric))


def gathered(query: Query, bar: bool | None = False) -> Plan[Pages]:
    """All pages that the query asks for, as texts."""
    with progress.shown(bar) as told:
        pages = Pages(query.code, query.pages, query.rows, told)
        yield Collect("TransactionCall", query.message, pages.take)
    return pages


def _whole(client: Queries, query: Query, numeric: bool) -> Plan[Transaction]:
    return (yield from gathered(query, client.progress)).transaction(numeric)


def _multi(client: Queries, query: Query, numeric: bool) -> Plan[pd.DataFrame]:
    return (yield from gathered(query, client.progress)).multi(numeric)


def _single(client: Queries, query: Query, numeric: bool) -> Plan[dict[str, Any]]:
    return (yield from gathered(query, client.progress)).single(numeric)


def _first(client: Queries, query: Query, numeric: bool) -> Plan[dict[str, Any]]:
    return (yield from gathered(query, client.progress)).first(numeric)
