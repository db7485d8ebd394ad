"""What an account looks like, for the commands that show one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from koapy.cli.output import FALLEN, RISEN, cell, change, record, table, won

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType
    from rich.text import Text

    from koapy.client import Client, Transaction

CASH = ("예수금", "출금가능금액", "주문가능금액", "d+1추정예수금", "d+2추정예수금")
TOTALS = ("총매입금액", "총평가금액", "총평가손익금액", "총수익률(%)", "추정예탁자산")
HOLDINGS = ("종목번호", "종목명", "보유수량", "매매가능수량", "매입가", "현재가", "평가손익", "수익률(%)")
MEANINGS = {
    "예수금": "deposit",
    "출금가능금액": "can be withdrawn",
    "주문가능금액": "can be ordered for",
    "d+1추정예수금": "deposit tomorrow",
    "d+2추정예수금": "deposit when today's trades have settled",
    "총매입금액": "paid for the holdings",
    "총평가금액": "what they are worth",
    "총평가손익금액": "gain, fees and taxes taken off",
    "총수익률(%)": "the same in per cent",
    "추정예탁자산": "all assets",
    "종목번호": "code",
    "종목명": "name",
    "보유수량": "held",
    "매매가능수량": "can be sold",
    "매입가": "paid",
    "현재가": "last price",
    "평가손익": "gain",
    "수익률(%)": "gain, %",
    "일자": "date",
    "시가": "open",
    "고가": "high",
    "저가": "low",
    "거래량": "volume",
    "시가총액": "market value, in 100 million won",
    "상한가": "upper limit of today",
    "하한가": "lower limit of today",
    "기준가": "yesterday's close",
}
"""What OpenAPI+'s Korean names mean."""
_GAINS = frozenset({"총평가손익금액", "총수익률(%)", "평가손익", "수익률(%)"})


def login_facts(client: Client) -> dict[str, Any]:
    """Who is logged in, and where."""
    return {
        "user_id": client.GetLoginInfo("USER_ID"),
        "user_name": client.GetLoginInfo("USER_NAME"),
        "accounts": client.accounts(),
        "server": "mock" if client.GetLoginInfo("GetServerGubun") == "1" else "real",
    }


def login_sheet(facts: Mapping[str, Any]) -> list[RenderableType]:
    """The login, as people read it."""
    server = "모의투자 (mock)" if facts["server"] == "mock" else "실거래 (real)"
    accounts = ", ".join(facts["accounts"])
    return record([("user", f"{facts['user_id']} {facts['user_name']}"), ("accounts", accounts), ("server", server)])


def cash_sheet(deposit: Mapping[str, Any]) -> list[RenderableType]:
    """The cash of an account (opw00001)."""
    return record([(name, _cell(name, deposit[name])) for name in CASH if name in deposit], meanings=MEANINGS)


def balance_sheet(balance: Transaction) -> list[RenderableType]:
    """The sums and the holdings of an account (opw00018)."""
    totals = [(name, _cell(name, balance.single[name])) for name in TOTALS if name in balance.single]
    names = [name for name in HOLDINGS if name in balance.multi.columns]
    rows = [[_cell(name, row[name]) for name in names] for row in balance.multi.to_dict("records")]
    holdings = table(headings(names), rows) if rows else [cell("no holdings")]
    return [*record(totals, meanings=MEANINGS), "", *holdings]


def headings(names: Iterable[str]) -> list[str]:
    """Korean names for the head of a table, with what they mean below."""
    return [f"{name}\n{MEANINGS.get(name, '')}".rstrip() for name in names]


def _cell(name: str, value: Any) -> Text:
    """An amount with thousands separated; a gain in its colour and with its sign."""
    if not isinstance(value, int | float):
        return cell(value)
    if name not in _GAINS:
        return cell(won(value) if isinstance(value, int) else f"{value:,.2f}")
    unit = "%" if name.endswith("(%)") else ""
    return cell(change(float(value) if unit else value, unit), RISEN if value > 0 else FALLEN if value < 0 else "")
