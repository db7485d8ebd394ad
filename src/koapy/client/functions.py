"""OpenAPI+'s functions as methods under their own names, with its own argument names.

They return what OpenAPI+ returned, negative error codes included: only the calls that are more than one function
(`login`, `transaction`, `buy`, ...) make exceptions of those. What belongs to an event (GetCommData, GetRepeatCnt,
GetCommRealData, GetChejanData) is readable only while that event is being handled, so by BidirectionalListen alone.
GetCommDataEx has no simple value and no method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.client.calls import nothing, number, text, value
from koapy.client.plan import waits

if TYPE_CHECKING:
    from koapy.client.plan import Plan
    from koapy.client.requests import Value

# ruff: noqa: N803  the arguments have OpenAPI+'s names


class Functions:
    """Every function of the control that returns a text, an integer or nothing."""

    @waits
    def call(self, name: str, *arguments: Value) -> Plan[Value | None]:
        """Call a function by its name, helpers of the gateway too; None when it has no result."""
        return value(name, *arguments)

    @waits
    def CommConnect(self) -> Plan[int]:
        """Begin to log in: 0 when begun; OnEventConnect tells the end. `login` waits for it."""
        return number("CommConnect")

    @waits
    def CommTerminate(self) -> Plan[None]:
        """Does nothing any more."""
        return nothing("CommTerminate")

    @waits
    def CommRqData(self, sRQName: str, sTrCode: str, nPrevNext: int, sScreenNo: str) -> Plan[int]:
        """Send a TR with the inputs set before: 0 when sent. `transaction` does the whole of it."""
        return number("CommRqData", sRQName, sTrCode, nPrevNext, sScreenNo)

    @waits
    def GetLoginInfo(self, sTag: str) -> Plan[str]:
        """A fact of the login by its tag: ACCLIST, USER_ID, GetServerGubun, ..."""
        return text("GetLoginInfo", sTag)

    @waits
    def SendOrder(
        self,
        sRQName: str,
        sScreenNo: str,
        sAccNo: str,
        nOrderType: int,
        sCode: str,
        nQty: int,
        nPrice: int,
        sHogaGb: str,
        sOrgOrderNo: str,
    ) -> Plan[int]:
        """Send an order: 0 when sent, which is not accepted yet. `buy`, `sell`, `modify` and `cancel` follow it."""
        return number("SendOrder", sRQName, sScreenNo, sAccNo, nOrderType, sCode, nQty, nPrice, sHogaGb, sOrgOrderNo)

    @waits
    def SendOrderFO(
        self,
        sRQName: str,
        sScreenNo: str,
        sAccNo: str,
        sCode: str,
        lOrdKind: int,
        sSlbyTp: str,
        sOrdTp: str,
        lQty: int,
        sPrice: str,
        sOrgOrdNo: str,
    ) -> Plan[int]:
        """Send an order of futures or options: 0 when sent."""
        return number(
            "SendOrderFO", sRQName, sScreenNo, sAccNo, sCode, lOrdKind, sSlbyTp, sOrdTp, lQty, sPrice, sOrgOrdNo
        )

    @waits
    def SetInputValue(self, sID: str, sValue: str) -> Plan[None]:
        """Set one input of this client's next CommRqData."""
        return nothing("SetInputValue", sID, sValue)

    @waits
    def SetOutputFID(self, sID: str) -> Plan[int]:
        """Obsolete."""
        return number("SetOutputFID", sID)

    @waits
    def CommGetData(
        self, sJongmokCode: str, sRealType: str, sFieldName: str, nIndex: int, sInnerFieldName: str
    ) -> Plan[str]:
        """Obsolete; GetCommData, GetCommRealData and GetChejanData took its place."""
        return text("CommGetData", sJongmokCode, sRealType, sFieldName, nIndex, sInnerFieldName)

    @waits
    def DisconnectRealData(self, sScnNo: str) -> Plan[None]:
        """End all real-time data of a screen."""
        return nothing("DisconnectRealData", sScnNo)

    @waits
    def GetRepeatCnt(self, sTrCode: str, sRecordName: str) -> Plan[int]:
        """Rows of the TR whose event is being handled."""
        return number("GetRepeatCnt", sTrCode, sRecordName)

    @waits
    def CommKwRqData(
        self, sArrCode: str, bNext: int, nCodeCount: int, nTypeFlag: int, sRQName: str, sScreenNo: str
    ) -> Plan[int]:
        """Query up to 100 codes joined by ";" at once: 0 when sent. `quotes` does the whole of it."""
        return number("CommKwRqData", sArrCode, bNext, nCodeCount, nTypeFlag, sRQName, sScreenNo)

    @waits
    def GetAPIModulePath(self) -> Plan[str]:
        """Where OpenAPI+ is installed."""
        return text("GetAPIModulePath")

    @waits
    def GetCodeListByMarket(self, sMarket: str) -> Plan[str]:
        """Codes of a market joined by ";": 0 KOSPI, 10 KOSDAQ, 8 ETF, "" all. `codes` makes a list of it."""
        return text("GetCodeListByMarket", sMarket)

    @waits
    def GetConnectState(self) -> Plan[int]:
        """1 when logged in, else 0. `connected` makes a bool of it."""
        return number("GetConnectState")

    @waits
    def GetMasterCodeName(self, sTrCode: str) -> Plan[str]:
        """The name of a code, "" for an unknown one."""
        return text("GetMasterCodeName", sTrCode)

    @waits
    def GetMasterListedStockCnt(self, sTrCode: str) -> Plan[int]:
        """Listed shares, as a 32-bit number that overflows; KOA_Functions GetMasterListedStockCntEx does not."""
        return number("GetMasterListedStockCnt", sTrCode)

    @waits
    def GetMasterConstruction(self, sTrCode: str) -> Plan[str]:
        """Supervision: 정상, 투자주의, 투자경고, 투자위험 or 투자주의환기종목."""
        return text("GetMasterConstruction", sTrCode)

    @waits
    def GetMasterListedStockDate(self, sTrCode: str) -> Plan[str]:
        """Listing date, YYYYMMDD."""
        return text("GetMasterListedStockDate", sTrCode)

    @waits
    def GetMasterLastPrice(self, sTrCode: str) -> Plan[str]:
        """Today's 기준가, the previous close, in won padded to 8 digits."""
        return text("GetMasterLastPrice", sTrCode)

    @waits
    def GetMasterStockState(self, sTrCode: str) -> Plan[str]:
        """Margin and states joined by "|": 증거금20%|담보대출|신용가능."""
        return text("GetMasterStockState", sTrCode)

    @waits
    def GetDataCount(self, strRecordName: str) -> Plan[int]:
        """Obsolete."""
        return number("GetDataCount", strRecordName)

    @waits
    def GetOutputValue(self, strRecordName: str, nRepeatIdx: int, nItemIdx: int) -> Plan[str]:
        """Obsolete."""
        return text("GetOutputValue", strRecordName, nRepeatIdx, nItemIdx)

    @waits
    def GetCommData(self, strTrCode: str, strRecordName: str, nIndex: int, strItemName: str) -> Plan[str]:
        """A value of the TR whose event is being handled, padded with spaces."""
        return text("GetCommData", strTrCode, strRecordName, nIndex, strItemName)

    @waits
    def GetCommRealData(self, sTrCode: str, nFid: int) -> Plan[str]:
        """A value of the real-time event that is being handled."""
        return text("GetCommRealData", sTrCode, nFid)

    @waits
    def GetChejanData(self, nFid: int) -> Plan[str]:
        """A value of the order or balance event that is being handled."""
        return text("GetChejanData", nFid)

    @waits
    def GetThemeGroupList(self, nType: int) -> Plan[str]:
        """Themes as 100|name;152|name, by code (0) or by name (1)."""
        return text("GetThemeGroupList", nType)

    @waits
    def GetThemeGroupCode(self, strThemeCode: str) -> Plan[str]:
        """Codes of a theme, each with an A before it."""
        return text("GetThemeGroupCode", strThemeCode)

    @waits
    def GetFutureList(self) -> Plan[str]:
        """Codes of index futures joined by ";"."""
        return text("GetFutureList")

    @waits
    def GetFutureCodeByIndex(self, nIndex: int) -> Plan[str]:
        """Code of the n-th index future: 0 to 3 futures, 4 to 7 spreads."""
        return text("GetFutureCodeByIndex", nIndex)

    @waits
    def GetActPriceList(self) -> Plan[str]:
        """Strikes of index options x 100, joined by ";"."""
        return text("GetActPriceList")

    @waits
    def GetMonthList(self) -> Plan[str]:
        """Expiries of index options, YYYYMM, calls far to near, then puts near to far."""
        return text("GetMonthList")

    @waits
    def GetOptionCode(self, strActPrice: str, nCp: int, strMonth: str) -> Plan[str]:
        """Code of an index option by strike, 2 (call) or 3 (put) and YYYYMM."""
        return text("GetOptionCode", strActPrice, nCp, strMonth)

    @waits
    def GetOptionCodeByMonth(self, sTrCode: str, nCp: int, strMonth: str) -> Plan[str]:
        """Code of the same index option in another month."""
        return text("GetOptionCodeByMonth", sTrCode, nCp, strMonth)

    @waits
    def GetOptionCodeByActPrice(self, sTrCode: str, nCp: int, nTick: int) -> Plan[str]:
        """Code of the index option some strikes away."""
        return text("GetOptionCodeByActPrice", sTrCode, nCp, nTick)

    @waits
    def GetSFutureList(self, strBaseAssetCode: str) -> Plan[str]:
        """Stock futures as code^name^base;, of one base code or ("") of all."""
        return text("GetSFutureList", strBaseAssetCode)

    @waits
    def GetSFutureCodeByIndex(self, strBaseAssetCode: str, nIndex: int) -> Plan[str]:
        """Code of the n-th future of a base code."""
        return text("GetSFutureCodeByIndex", strBaseAssetCode, nIndex)

    @waits
    def GetSActPriceList(self, strBaseAssetGb: str) -> Plan[str]:
        """Strikes of the options of a base code."""
        return text("GetSActPriceList", strBaseAssetGb)

    @waits
    def GetSMonthList(self, strBaseAssetGb: str) -> Plan[str]:
        """Expiries of the options of a base code."""
        return text("GetSMonthList", strBaseAssetGb)

    @waits
    def GetSOptionCode(self, strBaseAssetGb: str, strActPrice: str, nCp: int, strMonth: str) -> Plan[str]:
        """Code of a stock option by base code, strike, 2 (call) or 3 (put) and month."""
        return text("GetSOptionCode", strBaseAssetGb, strActPrice, nCp, strMonth)

    @waits
    def GetSOptionCodeByMonth(self, strBaseAssetGb: str, sTrCode: str, nCp: int, strMonth: str) -> Plan[str]:
        """Code of the same stock option in another month."""
        return text("GetSOptionCodeByMonth", strBaseAssetGb, sTrCode, nCp, strMonth)

    @waits
    def GetSOptionCodeByActPrice(self, strBaseAssetGb: str, sTrCode: str, nCp: int, nTick: int) -> Plan[str]:
        """Code of the stock option some strikes away."""
        return text("GetSOptionCodeByActPrice", strBaseAssetGb, sTrCode, nCp, nTick)

    @waits
    def GetSFOBasisAssetList(self) -> Plan[str]:
        """Base codes of stock futures and options as code|name;."""
        return text("GetSFOBasisAssetList")

    @waits
    def GetOptionATM(self) -> Plan[str]:
        """The at-the-money strike of index options x 100."""
        return text("GetOptionATM")

    @waits
    def GetSOptionATM(self, strBaseAssetGb: str) -> Plan[str]:
        """The at-the-money strike of the options of a base code."""
        return text("GetSOptionATM", strBaseAssetGb)

    @waits
    def GetBranchCodeName(self) -> Plan[str]:
        """Member firms as 001|name;002|name."""
        return text("GetBranchCodeName")

    @waits
    def CommInvestRqData(self, sMarketGb: str, sRQName: str, sScreenNo: str) -> Plan[int]:
        """Not supported by OpenAPI+ any more."""
        return number("CommInvestRqData", sMarketGb, sRQName, sScreenNo)

    @waits
    def SendOrderCredit(
        self,
        sRQName: str,
        sScreenNo: str,
        sAccNo: str,
        nOrderType: int,
        sCode: str,
        nQty: int,
        nPrice: int,
        sHogaGb: str,
        sCreditGb: str,
        sLoanDate: str,
        sOrgOrderNo: str,
    ) -> Plan[int]:
        """Send a credit order: 0 when sent."""
        return number(
            "SendOrderCredit",
            sRQName,
            sScreenNo,
            sAccNo,
            nOrderType,
            sCode,
            nQty,
            nPrice,
            sHogaGb,
            sCreditGb,
            sLoanDate,
            sOrgOrderNo,
        )

    @waits
    def KOA_Functions(self, sFunctionName: str, sParam: str) -> Plan[str]:
        """A special function by its name: GetServerGubun, GetMasterStockInfo, GetUpjongCode, ..."""
        return text("KOA_Functions", sFunctionName, sParam)

    @waits
    def SetInfoData(self, sInfoData: str) -> Plan[int]:
        """Obsolete: chose the id of the automatic login."""
        return number("SetInfoData", sInfoData)

    @waits
    def SetRealReg(self, strScreenNo: str, strCodeList: str, strFidList: str, strOptType: str) -> Plan[int]:
        """Register codes and FIDs on a screen, "0" in place of its others or "1" beside them. `realtime` does it."""
        return number("SetRealReg", strScreenNo, strCodeList, strFidList, strOptType)

    @waits
    def GetConditionLoad(self) -> Plan[int]:
        """Load the condition searches: 1 when begun; OnReceiveConditionVer tells the end. `conditions` waits for it."""
        return number("GetConditionLoad")

    @waits
    def GetConditionNameList(self) -> Plan[str]:
        """The loaded condition searches as index^name;. `conditions` makes a list of it."""
        return text("GetConditionNameList")

    @waits
    def SendCondition(self, strScrNo: str, strConditionName: str, nIndex: int, nSearch: int) -> Plan[int]:
        """Start a condition search: 1 when sent, 0 when not. `condition` and `condition_stream` follow it."""
        return number("SendCondition", strScrNo, strConditionName, nIndex, nSearch)

    @waits
    def SendConditionStop(self, strScrNo: str, strConditionName: str, nIndex: int) -> Plan[None]:
        """End a condition search in real time."""
        return nothing("SendConditionStop", strScrNo, strConditionName, nIndex)

    @waits
    def SetRealRemove(self, strScrNo: str, strDelCode: str) -> Plan[None]:
        """Remove what SetRealReg registered: a code or ALL, of a screen or ALL."""
        return nothing("SetRealRemove", strScrNo, strDelCode)

    @waits
    def GetMarketType(self, sTrCode: str) -> Plan[int]:
        """Market of a code: 0 KOSPI, 10 KOSDAQ, 8 ETF, ..."""
        return number("GetMarketType", sTrCode)
