"""Answers to requests and orders: telling them, and reading them while they are told."""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from koapy.simulation.session import Session


@dataclass(frozen=True, slots=True)
class Reply:
    """What one OnReceiveTrData carries."""

    screen: str
    request: str
    tr_code: str
    """As it was given to CommRqData."""
    prev_next: str
    single: Mapping[str, str]
    multi_names: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    single_record: str = ""
    multi_record: str = ""


class Answers:
    """OnReceiveTrData and the functions that read it; outside of the event they find nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reply: Reply | None = None

    def tell(self, reply: Reply) -> None:
        """Fire OnReceiveTrData; `reply` can be read until all slots have returned."""
        outer, self._reply = self._reply, reply
        try:
            self._session.events.OnReceiveTrData(
                reply.screen, reply.request, reply.tr_code, "", reply.prev_next, 0, "", "", ""
            )
        finally:
            self._reply = outer

    def _read(self, tr_code: str, record: str) -> Reply | None:
        reply = self._reply
        if reply is None or tr_code.lower() != reply.tr_code.lower():
            return None
        # Programs name the record, the request (as the guide's samples do) or nothing.
        known = ("", reply.request, reply.single_record, reply.multi_record)
        return reply if record in known else None

    def GetRepeatCnt(self, sTrCode: str, sRecordName: str) -> int:
        """Rows of the multi part; 0 for a wrong record and outside of the event."""
        reply = self._read(sTrCode, sRecordName)
        return len(reply.rows) if reply else 0

    def GetCommData(self, strTrCode: str, strRecordName: str, nIndex: int, strItemName: str) -> str:
        """One value of row `nIndex`, or of the single part; "" where there is none."""
        reply = self._read(strTrCode, strRecordName)
        if reply is None:
            return ""
        item = strItemName.strip()
        if item in reply.multi_names and 0 <= nIndex < len(reply.rows):
            return reply.rows[nIndex][list(reply.multi_names).index(item)]
        return reply.single.get(item, "")

    def GetCommDataEx(self, strTrCode: str, strRecordName: str) -> list[list[str]]:
        """All rows of the multi part at once; without any, one blank row, and nothing outside of the event."""
        reply = self._read(strTrCode, strRecordName)
        if reply is None or not reply.multi_names:
            return []
        return [list(row) for row in reply.rows] or [[""] * len(reply.multi_names)]

    def CommGetData(self, sJongmokCode: str, sRealType: str, sFieldName: str, nIndex: int, sInnerFieldName: str) -> str:
        """The obsolete reader of TR answers (`sRealType` "", `sFieldName` the record)."""
        return self.GetCommData(sJongmokCode, sFieldName, nIndex, sInnerFieldName)

    def GetDataCount(self, strRecordName: str) -> int:
        """Obsolete: rows of the record."""
        return self.GetRepeatCnt(self._reply.tr_code, strRecordName) if self._reply else 0

    def GetOutputValue(self, strRecordName: str, nRepeatIdx: int, nItemIdx: int) -> str:
        """Obsolete: a value of the multi part by position."""
        reply = self._read(self._reply.tr_code, strRecordName) if self._reply else None
        if reply is None or not 0 <= nRepeatIdx < len(reply.rows) or not 0 <= nItemIdx < len(reply.multi_names):
            return ""
        return reply.rows[nRepeatIdx][nItemIdx]

    def SetOutputFID(self, sID: str) -> int:
        """Obsolete and without effect."""
        return 0
