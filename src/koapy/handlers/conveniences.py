"""What KOAPY added to the control's functions, as far as it asks nothing but the control and waits for no event."""

from __future__ import annotations

from typing import Any


class Conveniences:
    """KOAPY's additions over OpenAPI+'s own functions; lists lose empty entries at their end."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def IsConnected(self) -> bool:
        """Whether somebody is logged in."""
        return bool(self.GetConnectState() == 1)

    def GetServerGubun(self) -> str:
        """ "1" on the mock server."""
        return self._koa("GetServerGubun") or str(self.GetLoginInfo("GetServerGubun"))

    def IsSimulationServer(self) -> bool:
        """Whether this is the mock server."""
        return self.GetServerGubun() == "1"

    def IsRealServer(self) -> bool:
        """Whether this is the real server."""
        return not self.IsSimulationServer()

    def GetUserId(self) -> str:
        """The login's user."""
        return str(self.GetLoginInfo("USER_ID"))

    def GetUserName(self) -> str:
        """The user's name."""
        return str(self.GetLoginInfo("USER_NAME"))

    def GetAccountCount(self) -> int:
        """How many accounts the login has."""
        return int(self.GetLoginInfo("ACCOUNT_CNT"))

    def GetAccountList(self) -> list[str]:
        """The accounts of the login."""
        return _list(self.GetLoginInfo("ACCLIST"), ";")

    def GetFirstAvailableAccount(self) -> str | None:
        """The first account; None where there is none."""
        return next(iter(self.GetAccountList()), None)

    def GetCodeListByMarketAsList(self, market: str | int | None = None) -> list[str]:
        """The codes of a market: 0 KOSPI, 10 KOSDAQ, 8 ETF, ..."""
        return _list(self.GetCodeListByMarket("" if market is None else str(market)), ";")

    def GetNameListByMarketAsList(self, market: str | int | None = None) -> list[str]:
        """The names of a market's codes."""
        return [self.GetMasterCodeName(code) for code in self.GetCodeListByMarketAsList(market)]

    def GetKospiCodeList(self) -> list[str]:
        """KOSPI's codes, sorted."""
        return sorted(self.GetCodeListByMarketAsList(0))

    def GetKosdaqCodeList(self) -> list[str]:
        """KOSDAQ's codes, sorted."""
        return sorted(self.GetCodeListByMarketAsList(10))

    def GetMasterStockStateAsList(self, code: str) -> list[str]:
        """The states of a code: 증거금20%, 거래정지, ..."""
        return _list(str(self.GetMasterStockState(code)).strip(), "|")

    def GetStockStates(self, code: str) -> list[str]:
        """The states of a code."""
        return self.GetMasterStockStateAsList(code)

    def IsSuspended(self, code: str) -> bool:
        """Whether trading of a code is halted."""
        return "거래정지" in self.GetStockStates(code)

    def IsUnderSurveillance(self, code: str) -> bool:
        """감리종목."""
        return "감리종목" in self.GetStockStates(code)

    def IsUnderAdministration(self, code: str) -> bool:
        """관리종목."""
        return "관리종목" in self.GetStockStates(code)

    def GetMasterStockInfo(self, code: str) -> str:
        """The market and the sectors of a code, as OpenAPI+ writes them."""
        return self._koa("GetMasterStockInfo", code)

    def GetMasterStockInfoAsDict(self, code: str) -> dict[str, str]:
        """The same by name."""
        pairs = (_list(each, "|") for each in _list(self.GetMasterStockInfo(code), ";"))
        return {pair[0]: pair[1] for pair in pairs}

    def GetStockMarketKind(self, code: str) -> str:
        """The market of a code: 0 KOSPI, 10 KOSDAQ, 8 ETF, ..."""
        return self._koa("GetStockMarketKind", str(code))

    def GetUpjongCode(self, market: str | int) -> str:
        """The sectors of a market, as OpenAPI+ writes them."""
        return self._koa("GetUpjongCode", str(market))

    def GetUpjongCodeAsList(self, market: str | int) -> list[tuple[str, ...]]:
        """The same: market, code, name."""
        return [tuple(_list(each, ",")) for each in _list(self.GetUpjongCode(market), "|")]

    def GetUpjongNameByCode(self, code: str) -> str:
        """The name of a sector."""
        return self._koa("GetUpjongNameByCode", code)

    def IsOrderWarningETF(self, code: str) -> str:
        """ "1" for an ETF under warning."""
        return self._koa("IsOrderWarningETF", code)

    def IsOrderWarningStock(self, code: str) -> str:
        """ "0" without a warning, 2 정리매매, 3 단기과열, 4 투자위험, 5 투자경고."""
        return self._koa("IsOrderWarningStock", code)

    def GetMasterListedStockCntEx(self, code: str) -> str:
        """The number of listed shares."""
        return self._koa("GetMasterListedStockCntEx", code)

    def GetConditionNameListAsList(self) -> list[tuple[int, str]]:
        """The conditions, loaded if they are not: index, name."""
        self.EnsureConditionLoaded(False)
        pairs = (_list(each, "^") for each in _list(self.GetConditionNameList(), ";"))
        return [(int(pair[0]), pair[1]) for pair in pairs]

    def CommRqDataWithInputs(
        self, rqname: str, trcode: str, prevnext: int, scrnno: str, inputs: dict[str, str] | None = None
    ) -> int:
        """SetInputValue for each input, then CommRqData."""
        for name, value in (inputs or {}).items():
            self.SetInputValue(name, value)
        return int(self.CommRqData(rqname, trcode, prevnext, scrnno))

    def _koa(self, name: str, argument: str = "") -> str:
        return str(self.KOA_Functions(name, argument))


def _list(text: str, separator: str) -> list[str]:
    stripped = text.rstrip(separator)
    return stripped.split(separator) if stripped else []
