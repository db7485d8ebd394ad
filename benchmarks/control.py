"""A control without a market: it ticks as fast as it is told to, and answers queries and orders with set data.

It has a thread of its own and nothing but Python in it, so that what is measured is the server around it. The raw data
of each tick begins with "@" and the time at which the tick was due, in microseconds of the system's monotonic clock.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CODE = "005930"
ACCOUNT = "8000000011"
REAL_TYPE = "주식체결"
FLAT_OUT, YIELDING = -1.0, -2.0
"""Rates: as fast as Python goes, as a control that computes; the same, but the interpreter's lock is let go after each
tick, as by a control whose events come from the system."""
ROWS, COLUMNS = 600, 15
PAGES_INPUT = "기준일자"
"""The input of opt10081 in which a query says how many pages it wants, as eight digits."""
ORDER_TR = "KOA_NORMAL_BUY_KP_ORD"
REAL_FIDS = (20, 10, 11, 12, 27, 28, 15, 13, 14, 16, 17, 18, 25, 26, 29, 30, 31, 32, 228, 311, 290, 691, 567, 568)
CHEJAN_ORDER = (9201, 9203, 9205, 9001, 912, 913, 302, 900, 901, 902, 903, 904, 905, 906, 907, 908, 909, 910, 911)
CHEJAN_ORDER += (10, 27, 28, 914, 915, 938, 939, 919, 920, 921, 922, 923, 10010, 969, 819)
CHEJAN_BALANCE = (9201, 9001, 917, 916, 302, 10, 930, 931, 932, 933, 945, 946, 950, 951, 27, 28, 307, 8019)

Job = tuple["Future[Any]", "Callable[..., Any]", "tuple[Any, ...]"]


def code_number(number: int) -> str:
    """One of as many codes as are wanted."""
    return f"{number:06d}"


class Values(dict[int, str]):
    """What can be read of a tick: every FID has a value."""

    def __missing__(self, fid: int) -> str:
        value = self[fid] = "+71500"
        return value


def _varied_values() -> list[Values]:
    """Values of some ticks that follow one another: a third of the FIDs stays as it is, as in a market."""
    chance = random.Random(1)
    rows = []
    for _ in range(101):
        rows.append(Values((fid, f"{chance.choice('+-')}{chance.randint(10, 99_999)}") for fid in REAL_FIDS))
        rows[-1] |= dict.fromkeys(REAL_FIDS[2::3], "+71500")
    return rows


class Signal:
    """An event with slots."""

    def __init__(self) -> None:
        self._slots: tuple[Callable[..., Any], ...] = ()

    def connect(self, slot: Callable[..., Any]) -> None:
        self._slots = (*self._slots, slot)

    def disconnect(self, slot: Callable[..., Any]) -> None:
        self._slots = tuple(each for each in self._slots if each != slot)

    def fire(self, *args: Any) -> None:
        for slot in self._slots:
            slot(*args)


class HeadlessControl:
    """OpenAPI+'s functions and events over nothing. `tick`, `count` and `submit` may be called from any thread.

    Args:
        at_once: whether it offers GetCommDataEx.
        varied: the values of a tick differ from those of the one before, as columns of equal values cost nothing; the
            first of them is then the time at which the tick was due.
    """

    def __init__(self, *, at_once: bool = True, varied: bool = False) -> None:
        if not at_once:
            self.GetCommDataEx = None
        self.OnReceiveRealData = Signal()
        self.OnReceiveTrData = Signal()
        self.OnReceiveMsg = Signal()
        self.OnReceiveChejanData = Signal()
        self.OnEventConnect = Signal()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._later: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._codes: Sequence[str] = (CODE,)
        self._rate = 0.0
        self._ticks = 0
        self._inputs: dict[str, str] = {}
        self._pages: dict[str, int] = {}
        self._orders = 0
        self._order_number = ""
        """What the answer says that is being told."""
        self._readable: dict[int, str] = {}
        self._real_tail = "\t" + "\t".join(["+71500"] * (len(REAL_FIDS) - 1))
        self._table = [[f"{row * COLUMNS + column:>12}" for column in range(COLUMNS)] for row in range(ROWS)]
        self._columns: dict[str, int] = {}
        self._values = _varied_values() if varied else []
        self._real = Values()
        self._thread = threading.Thread(target=self._run, name="headless-control", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._jobs.put((future, function, args))
        return future

    def tick(self, rate: float, codes: int = 1) -> None:
        """Tick so many times a second, or FLAT_OUT or YIELDING, from now on, each of so many codes in turn; 0: stop."""
        self.submit(self._begin, rate, [code_number(each) for each in range(codes)] if codes > 1 else (CODE,)).result()

    def count(self) -> dict[str, float]:
        """how many ticks there have been, when that was, and the seconds of processor that the thread has used."""
        assert self._thread.ident
        used = time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident))
        return {"ticks": self._ticks, "at": time.monotonic(), "used": used}

    def _begin(self, rate: float, codes: Sequence[str]) -> None:
        self._rate, self._codes = rate, codes

    def _run(self) -> None:
        while True:
            if self._rate == 0:
                self._make(self._jobs.get())
            elif self._rate < 0:
                self._run_flat_out()
            else:
                self._run_steadily(1e6 / self._rate)

    def _run_flat_out(self) -> None:
        """Until told another rate; the two kinds of it do not follow each other."""
        jobs, yields = self._jobs, self._rate == YIELDING
        while self._rate < 0:
            if jobs.empty():
                self._tick(time.monotonic_ns() // 1000)
                if yields:
                    time.sleep(0)
            else:
                self._make(jobs.get())

    def _run_steadily(self, period: float) -> None:
        """Tick each `period`, in microseconds; a late tick has the time at which it was due."""
        rate, due = self._rate, time.monotonic_ns() / 1000
        while self._rate == rate:
            wait = due - time.monotonic_ns() / 1000
            if wait <= 0 and self._jobs.empty():
                self._tick(int(due))
                due += period
                continue
            try:
                self._make(self._jobs.get(timeout=max(wait, 0) / 1e6))
            except Empty:
                continue

    def _tick(self, due: int) -> None:
        code = self._codes[self._ticks % len(self._codes)]
        if self._values:
            self._real = self._values[self._ticks % len(self._values)]
            self._real[REAL_FIDS[0]] = f"@{due:016d}"
        self._ticks += 1
        self.OnReceiveRealData.fire(code, REAL_TYPE, f"@{due:016d}{self._real_tail}")

    def _make(self, job: Job) -> None:
        """Make a call, then have the events that it caused."""
        future, function, args = job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(*args))
            except Exception as error:
                future.set_exception(error)
        while self._later:
            function, args = self._later.popleft()
            function(*args)

    # OpenAPI+'s functions

    def GetConnectState(self) -> int:
        return 1

    def CommConnect(self) -> int:
        self._later.append((self.OnEventConnect.fire, (0,)))
        return 0

    def GetLoginInfo(self, tag: str) -> str:
        return f"{ACCOUNT};"

    def GetMasterCodeName(self, code: str) -> str:
        return "삼성전자"

    def SetRealReg(self, screen: str, codes: str, fids: str, option: str) -> int:
        return 0

    def SetRealRemove(self, screen: str, code: str) -> None:
        pass

    def DisconnectRealData(self, screen: str) -> None:
        pass

    def GetCommRealData(self, code: str, fid: int) -> str:
        return self._real[fid]

    def read_tick(self, code: str, fids: Sequence[int]) -> list[str]:
        return list(map(self._real.__getitem__, fids))

    def SetInputValue(self, name: str, value: str) -> None:
        self._inputs[name] = value

    def CommRqData(self, request: str, code: str, prev_next: int, screen: str) -> int:
        inputs, self._inputs = self._inputs, {}
        left = self._pages[request] if prev_next else int(inputs.get(PAGES_INPUT) or 1)
        self._pages[request] = left - 1
        more = "2" if left > 1 else "0"
        if more == "0":
            del self._pages[request]
        self._later.append((self.OnReceiveTrData.fire, (screen, request, code, "", more, 0, "", "", "")))
        return 0

    def GetRepeatCnt(self, code: str, record: str) -> int:
        return ROWS

    def GetCommData(self, code: str, record: str, row: int, item: str) -> str:
        if item == "주문번호":
            return self._order_number
        column = self._columns.setdefault(item, len(self._columns) % COLUMNS)
        return self._table[row][column]

    def GetCommDataEx(self, code: str, record: str) -> list[list[str]]:
        return self._table

    def SendOrder(
        self,
        request: str,
        screen: str,
        account: str,
        order_type: int,
        code: str,
        quantity: int,
        price: int,
        quote_type: str,
        original: str,
    ) -> int:
        self._orders += 1
        told = (request, screen, self._orders, account, code, quantity, price, quote_type)
        self._later.append((self._tell_order, told))
        return 0

    def _tell_order(
        self, request: str, screen: str, order: int, account: str, code: str, quantity: int, price: int, quote: str
    ) -> None:
        """The five events of a buy that is filled at once."""
        self._order_number = f"{order:07d}"
        self.OnReceiveMsg.fire(screen, request, ORDER_TR, "[00Z112] 모의투자 정상처리 되었습니다")
        self.OnReceiveTrData.fire(screen, request, ORDER_TR, "", "", 0, "", "", "")
        known = dict.fromkeys(CHEJAN_ORDER, "0") | {9201: account, 9203: self._order_number, 9001: f"A{code}"}
        known |= {912: "JJ", 302: "삼성전자", 900: str(quantity), 901: str(price), 904: "0000000", 905: "+매수"}
        known |= {906: quote, 907: "2", 908: "093000", 920: screen, 10: "+71500"}
        self._tell_chejan("0", CHEJAN_ORDER, known | {913: "접수", 902: str(quantity)})
        self._tell_chejan("0", CHEJAN_ORDER, known | {913: "체결", 902: "0", 911: str(quantity)})
        balance = dict.fromkeys(CHEJAN_BALANCE, "0") | {9201: account, 9001: f"A{code}", 302: "삼성전자"}
        self._tell_chejan("1", CHEJAN_BALANCE, balance | {930: str(quantity), 10: "+71500"})

    def _tell_chejan(self, gubun: str, fids: tuple[int, ...], values: dict[int, str]) -> None:
        self._readable = values
        self.OnReceiveChejanData.fire(gubun, len(fids), ";".join(map(str, fids)))

    def GetChejanData(self, fid: int) -> str:
        return self._readable[fid]
