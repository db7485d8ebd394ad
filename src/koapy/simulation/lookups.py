"""Look-ups in the local masters: codes, names, states, sectors, themes. All are "" or 0 before the login."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.derivatives import contract_name, warrant_codes
from koapy.simulation.figures.firms import firms
from koapy.simulation.figures.themes import theme, themes

if TYPE_CHECKING:
    from collections.abc import Callable

    from koapy.simulation.conditions import Conditions
    from koapy.simulation.model import Instrument
    from koapy.simulation.session import Session

UNKNOWN_MARKET = -1
LARGE, MIDDLE = 100, 300
"""Ranks by market value up to which an issue of KOSPI or KOSDAQ is 대형주, 중형주."""

_WARRANTS = "3"
"""ELW."""
_KINDS = {"etf": "8", "etn": "60", "reit": "6", "fund": "4"}
_MARKETS = {"KOSPI": "0", "KOSDAQ": "10", "KONEX": "50"}


class Lookups:
    """What the masters say about issues."""

    def __init__(self, session: Session, conditions: Conditions) -> None:
        self._session = session
        self._conditions = conditions
        self._specials: dict[str, Callable[[str], str]] = {
            "GetServerGubun": lambda _: "1" if session.world.mock else "0",
            "GetMasterStockInfo": self._stock_info,
            "SetConditionSearchFlag": self._search_flag,
            "GetUpjongCode": self._sectors,
            "GetUpjongNameByCode": self._sector_name,
            "IsOrderWarningETF": lambda _: "0",
            "IsOrderWarningStock": lambda _: "0",
            "GetMasterListedStockCntEx": self._shares,
            "GetStockMarketKind": self._market_kind,
        }

    def GetCodeListByMarket(self, sMarket: str) -> str:
        """Codes of a market, each followed by ";"; "" means all. Market 0 has the funds that trade there, too."""
        market = sMarket.strip()
        if market == _WARRANTS and self._session.connected:
            return "".join(f"{code};" for code in warrant_codes(self._session.world.exchange))
        return "".join(f"{each.code};" for each in self._issues() if market in ("", _kind(each), _MARKETS[each.market]))

    def GetMasterCodeName(self, sTrCode: str) -> str:
        """The name of an issue, a future, an option or a warrant, "" for an unknown code."""
        issue = self._issue(sTrCode)
        if issue is None and self._session.connected:
            return contract_name(self._session.world.exchange, sTrCode.strip())
        return issue.name if issue else ""

    def GetMasterListedStockCnt(self, sTrCode: str) -> int:
        """Listed shares in 32 bits: more than 2,147,483,647 come out wrong, as they do in OpenAPI+."""
        issue = self._issue(sTrCode)
        return ((issue.shares if issue else 0) + 2**31) % 2**32 - 2**31

    def GetMasterConstruction(self, sTrCode: str) -> str:
        """The supervision of an issue: none here is under any."""
        return "정상" if self._issue(sTrCode) else ""

    def GetMasterListedStockDate(self, sTrCode: str) -> str:
        """The day of listing, YYYYMMDD."""
        issue = self._issue(sTrCode)
        return f"{issue.listed:%Y%m%d}" if issue and issue.listed else ""

    def GetMasterLastPrice(self, sTrCode: str) -> str:
        """Today's 기준가, 8 digits."""
        issue = self._issue(sTrCode)
        return f"{issue.base_price:08d}" if issue else ""

    def GetMasterStockState(self, sTrCode: str) -> str:
        """The margin rate and what an issue may be used for, joined by "|"."""
        issue = self._issue(sTrCode)
        if issue is None:
            return ""
        margin = self._session.world.exchange.margin(issue.code)
        return f"증거금{margin}%" + ("|담보대출|신용가능" if margin < 100 else "")

    def GetMarketType(self, sTrCode: str) -> int:
        """The market of an issue as a number, -1 for an unknown code."""
        issue = self._issue(sTrCode)
        return int(_own_market(issue)) if issue else UNKNOWN_MARKET

    def GetBranchCodeName(self) -> str:
        """Member firms: code|name, joined by ";"."""
        return ";".join(f"{each.code}|{each.name}" for each in firms()) if self._session.connected else ""

    def GetThemeGroupList(self, nType: int) -> str:
        """Themes: code|name, by code (0) or by name (1)."""
        found = sorted(themes(), key=lambda each: each.name) if nType == 1 else themes()
        return ";".join(f"{each.code}|{each.name}" for each in found) if self._session.connected else ""

    def GetThemeGroupCode(self, strThemeCode: str) -> str:
        """Members of a theme, with A before each code."""
        found = theme(strThemeCode)
        return ";".join(f"A{code}" for code in found.members if self._issue(code)) if found else ""

    def KOA_Functions(self, sFunctionName: str, sParam: str) -> str:
        """The functions of this function; "" for unknown ones, and at once for windows."""
        special = self._specials.get(sFunctionName)
        return special(sParam.strip()) if special and self._session.connected else ""

    def _issues(self) -> list[Instrument]:
        return list(self._session.world.exchange.instruments.values()) if self._session.connected else []

    def _issue(self, code: str) -> Instrument | None:
        return self._session.world.exchange.instruments.get(code.strip()) if self._session.connected else None

    def _rank(self, issue: Instrument) -> int:
        """The issue's place by market value among those of its market."""
        value = issue.shares * issue.base_price
        market = [each for each in self._issues() if each.market == issue.market and not each.fund]
        return 1 + sum(each.shares * each.base_price > value for each in market)

    def _stock_info(self, code: str) -> str:
        issue = self._issue(code)
        if issue is None:
            return ""
        rank = self._rank(issue)
        size = "" if issue.fund else "대형주" if rank <= LARGE else "중형주" if rank <= MIDDLE else "소형주"
        market = {"KOSPI": "거래소", "KOSDAQ": "코스닥"}.get(issue.market, issue.market)
        return f"시장구분0|{market};시장구분1|{size};업종구분|{issue.sector}"

    def _search_flag(self, flag: str) -> str:
        if flag in ("AddPrice", "DelPrice"):
            self._conditions.with_prices = flag == "AddPrice"
        return ""

    def _sectors(self, market: str) -> str:
        sectors = self._session.world.exchange.sectors.values()
        return "|".join(f"{market},{each.code},{each.name}" for each in sectors if each.code[0] == market)

    def _sector_name(self, code: str) -> str:
        sector = self._session.world.exchange.sectors.get(code)
        return sector.name if sector else ""

    def _shares(self, code: str) -> str:
        issue = self._issue(code)
        return str(issue.shares) if issue else "0"

    def _market_kind(self, code: str) -> str:
        issue = self._issue(code)
        return _own_market(issue) if issue else ""


def _kind(issue: Instrument) -> str | None:
    """The number of the market that lists only this kind of issue."""
    return _KINDS.get(issue.kind)


def _own_market(issue: Instrument) -> str:
    return _kind(issue) or _MARKETS[issue.market]
