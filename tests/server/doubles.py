"""Controls for tests: small, foreign to the project's own code, and strict about who calls them when."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "8000000011"
EVENTS = (
    "OnReceiveTrData",
    "OnReceiveRealData",
    "OnReceiveMsg",
    "OnReceiveChejanData",
    "OnEventConnect",
    "OnReceiveRealCondition",
    "OnReceiveTrCondition",
    "OnReceiveConditionVer",
)


class Signal:
    """An event with slots."""

    def __init__(self) -> None:
        self.slots: list[Callable[..., Any]] = []

    def connect(self, slot: Callable[..., Any]) -> None:
        self.slots.append(slot)

    def disconnect(self, slot: Callable[..., Any]) -> None:
        self.slots.remove(slot)

    def fire(self, *args: Any) -> None:
        for slot in tuple(self.slots):
            slot(*args)


class StrictControl:
    """A control that has a thread of its own, insists on it, and lets its data be read only inside the event.

    Queries are answered by the test (`answer`) unless `automatic`; everything that was called is in `calls`.
    """

    def __init__(self, *, automatic: bool = True) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.automatic = automatic
        self.connected = True
        self.calls: list[tuple[Any, ...]] = []
        self.faults: list[str] = []
        self.called = threading.Condition()
        self.registered: defaultdict[str, set[str]] = defaultdict(set)
        self.readable: dict[str, str] | None = None
        self.inputs: dict[str, str] = {}
        for name in EVENTS:
            setattr(self, name, Signal())
        self._ident = self._pool.submit(threading.get_ident).result()

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        return self._pool.submit(function, *args)

    def fire(self, event: str, *args: Any, data: dict[str, str] | None = None) -> Future[Any]:
        """Fire an event on the control's thread; `data` can be read while it lasts."""
        return self._pool.submit(self._fire, event, args, data or {})

    def _fire(self, event: str, args: tuple[Any, ...], data: dict[str, str]) -> None:
        before, self.readable = self.readable, data
        try:
            getattr(self, event).fire(*args)
        finally:
            self.readable = before

    def _note(self, *call: Any) -> None:
        if threading.get_ident() != self._ident:
            self.faults.append(f"{call} on another thread")
        with self.called:
            self.calls.append(call)
            self.called.notify_all()

    def wait_for(self, name: str, count: int = 1) -> list[tuple[Any, ...]]:
        """The calls of one function, once there are so many."""
        with self.called:
            assert self.called.wait_for(lambda: len(self.named(name)) >= count, 10), self.calls
        return self.named(name)

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [call for call in self.calls if call[0] == name]

    def slots(self) -> int:
        return sum(len(getattr(self, name).slots) for name in EVENTS)

    # OpenAPI+'s functions

    def GetConnectState(self) -> int:
        self._note("GetConnectState")
        return int(self.connected)

    def CommConnect(self) -> int:
        self._note("CommConnect")
        return 0

    def GetLoginInfo(self, tag: str) -> str:
        self._note("GetLoginInfo", tag)
        return f"{ACCOUNT};"

    def GetMasterCodeName(self, code: str) -> str:
        self._note("GetMasterCodeName", code)
        return f"종목{code}" if code.isdigit() and code != "999999" else ""

    def SetInputValue(self, name: str, value: str) -> None:
        self._note("SetInputValue", name, value)
        self.inputs[name] = value

    def CommRqData(self, request: str, code: str, prev_next: int, screen: str) -> int:
        self._note("CommRqData", request, code, prev_next, screen, dict(self.inputs))
        inputs, self.inputs = self.inputs, {}
        if self.automatic:
            self.answer(screen, request, code, data={"종목코드": inputs.get("종목코드", "")})
        return 0

    def answer(
        self, screen: str, request: str, code: str, prev_next: str = "0", data: dict[str, str] | None = None
    ) -> Future[Any]:
        return self.fire("OnReceiveTrData", screen, request, code, "", prev_next, 0, "", "", "", data=data)

    def GetRepeatCnt(self, code: str, record: str) -> int:
        return int((self.readable or {}).get("rows", "0"))

    def GetCommData(self, code: str, record: str, row: int, item: str) -> str:
        if self.readable is None:
            self.faults.append(f"GetCommData({item}) outside an event")
            return ""
        return f"  {self.readable.get(item, '')} "

    def GetCommRealData(self, code: str, fid: int) -> str:
        if self.readable is None:
            self.faults.append(f"GetCommRealData({fid}) outside an event")
            return ""
        return self.readable.get(str(fid), "")

    def GetChejanData(self, fid: int) -> str:
        if self.readable is None:
            self.faults.append(f"GetChejanData({fid}) outside an event")
            return ""
        return self.readable.get(str(fid), "")

    def SendOrder(self, *args: Any) -> int:
        self._note("SendOrder", *args)
        return 0

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        self._note("SetRealReg", screen, codes, fids, option)
        if option == "0":
            self.registered[screen].clear()
        self.registered[screen].update(codes.split(";"))
        return 0

    def SetRealRemove(self, screen: str, code: str) -> None:
        self._note("SetRealRemove", screen, code)
        self.registered[screen].discard(code)

    def DisconnectRealData(self, screen: str) -> None:
        self._note("DisconnectRealData", screen)
        self.registered.pop(screen, None)

    def GetConditionLoad(self) -> int:
        self._note("GetConditionLoad")
        self.fire("OnReceiveConditionVer", 1, "")
        return 1

    def GetConditionNameList(self) -> str:
        return "000^대형 저평가 우량주;001^중소형 저평가주;"

    def SendCondition(self, screen: str, name: str, index: int, search: int) -> int:
        self._note("SendCondition", screen, name, index, search)
        return 1

    def SendConditionStop(self, screen: str, name: str, index: int) -> None:
        self._note("SendConditionStop", screen, name, index)

    def close(self) -> None:
        self._pool.shutdown(wait=False)


class TinyControl:
    """Ten lines that know neither threads nor most functions: it answers inside the call."""

    def __init__(self) -> None:
        self.OnReceiveTrData = Signal()
        self.threads: set[int] = set()

    def CommRqData(self, request: str, code: str, prev_next: int, screen: str) -> int:
        self.threads.add(threading.get_ident())
        self.OnReceiveTrData.fire(screen, request, code, "", "", 0, "", "", "")
        return 0

    def SetInputValue(self, name: str, value: str) -> None:
        self.value = value

    def GetCommData(self, code: str, record: str, row: int, item: str) -> str:
        self.threads.add(threading.get_ident())
        return self.value

    def GetRepeatCnt(self, code: str, record: str) -> int:
        return 0
