"""The data of the event that is being handled, as OpenAPI+'s functions give it: read by the gateway, asked for here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable

UNUSED = (0, "", "", "")
"""The last four arguments of OnReceiveTrData: OpenAPI+ has no use for them, and the wire does not carry them."""


def arguments(event: pb.ListenResponse) -> tuple[str | int | bool, ...]:
    """An event's arguments as the control gave them."""
    given = tuple(value(each) for each in event.arguments)
    return (*given, *UNUSED) if event.name == "OnReceiveTrData" else given


def value(argument: pb.Argument | pb.ReturnValue) -> str | int | bool:
    """What is in an argument or a return value."""
    found: str | int | bool = getattr(argument, argument.WhichOneof("value") or "string_value")
    return found


class Reading:
    """Answers OpenAPI+'s reading functions from one event; outside of events there is nothing to read."""

    def __init__(self, event: pb.ListenResponse | None = None) -> None:
        self._event = event or pb.ListenResponse()

    def GetRepeatCnt(self, code: str, record: str) -> int:
        """How many rows the answer has."""
        return len(self._event.multi_data.values)

    def GetCommData(self, code: str, record: str, index: int, item: str) -> str:
        """One value of the answer: of a row, where the rows have such a name, else of the single part."""
        multi, single = self._event.multi_data, self._event.single_data
        if item in multi.names and 0 <= index < len(multi.values):
            return _named(multi.names, multi.values[index].values, item)
        return _named(single.names, single.values, item) if self._event.name == "OnReceiveTrData" else ""

    def GetCommDataEx(self, code: str, record: str) -> list[list[str]]:
        """All rows."""
        return [list(row.values) for row in self._event.multi_data.values]

    def GetCommRealData(self, code: str, fid: int) -> str:
        """One FID of the tick; "" where the tick has no such FID or is of another code."""
        event = self._event
        if event.name != "OnReceiveRealData" or event.arguments[0].string_value != code:
            return ""
        return _named(event.single_data.names, event.single_data.values, str(fid))

    def GetChejanData(self, fid: int) -> str:
        """One FID of the order event."""
        event = self._event
        if event.name != "OnReceiveChejanData":
            return ""
        fids = [each for each in event.arguments[2].string_value.split(";") if each]
        return _named(fids, event.single_data.values, str(fid))


def _named(names: Iterable[str], values: Iterable[str], name: str) -> str:
    # Not strict: this runs in a process that a client's code shares, where nothing depends on it.
    return next((each for key, each in zip(names, values, strict=False) if key == name), "")


FUNCTIONS = tuple(name for name in vars(Reading) if name.startswith("Get"))
"""The functions that are answered from the event."""
