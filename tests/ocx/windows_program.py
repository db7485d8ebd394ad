"""What a Windows Python does with the OCX: log in, query, read ticks, lose its host, end."""

from __future__ import annotations

import sys
import threading
from typing import Any

sys.path.insert(0, sys.argv[1])

from koapy.ocx import OcxControl


def call(name: str, *args: Any) -> Any:
    return control.submit(getattr(control, name), *args).result(30)


changed = threading.Condition()
heard: list[Any] = []


def hear(what: Any) -> None:
    with changed:
        heard.append(what)
        changed.notify_all()


def tick(code: str, *_: str) -> None:
    # The query has registered its code, so the exchange's own ticks come as well.
    if "=" in (value := control.GetCommRealData(code, 10)):
        hear(value)


def wait(count: int) -> None:
    with changed:
        assert changed.wait_for(lambda: len(heard) >= count, 30), heard


with OcxControl(sys.argv[2], maintenance=()) as control:  # at any hour
    control.OnEventConnect.connect(hear)
    control.OnReceiveTrData.connect(lambda *args: hear(control.GetCommData(args[2], args[1], 0, "종목명").strip()))
    control.OnReceiveRealData.connect(tick)
    call("CommConnect")
    wait(1)
    call("SetInputValue", "종목코드", "005930")
    call("CommRqData", "한글", "opt10001", 0, "0001")
    wait(2)
    call("KOA_Functions", "Fake", "flood 500")
    wait(502)
    call("KOA_Functions", "Fake", "crash before GetMasterCodeName")
    try:
        call("GetMasterCodeName", "005930")
    except ConnectionError as error:
        hear(str(error))
    wait(505)  # the words, the end of the connection, the login in the next host
    print(sys.platform, sys.maxsize > 2**32, heard[:2], heard[2], heard[501], sorted(map(str, heard[502:])), sep="\n")
