"""What an account did is known on the days after, and after a restart."""

from __future__ import annotations

from datetime import datetime

import pytest

from koapy.openapi.calendar import KST

BUY, SELL = 1, 2
CODE = "005930"
TUESDAY = datetime(2026, 3, 10, 15, 19, tzinfo=KST)
DAY = 86_400


@pytest.fixture(params=[False, True], ids=["on", "again"])
def traders(start, request, tmp_path):
    """One program a day, from a Tuesday on which it trades: on the second day the same one, or one after a restart."""
    state = tmp_path / "state"
    settings = {"hours": "krx", "market_size": 2, "server": "real", "state": state}

    def days():
        program = start(start=TUESDAY, **settings).login()
        program.order(BUY, CODE, 12)
        program.advance(1)
        program.order(SELL, CODE, 7)
        program.advance(1)
        program.call("SendOrderCredit", "신용", "2000", program.account, BUY, CODE, 3, 0, "03", "03", "", "")
        program.advance(1)
        yield program
        for number in (1, 2):
            if request.param or number == 2:
                program.close()
                morning = TUESDAY.replace(day=10 + number, hour=8, minute=0)
                program = start(start=morning, **settings).login()
            else:
                program.advance(DAY - 8 * 3600)  # to the next morning
                program.login()  # the nightly maintenance has cut the connection
            yield program

    return days()


def test_what_was_traded_is_told_on_the_days_after(traders):
    program = next(traders)
    traded, _ = program.asked("opt10074", 시작일자="20260310", 종료일자="20260310")
    _, [before] = program.asked("opt10073", 시작일자="20260310", 종료일자="20260310")
    assert int(traded["총매수금액"]) > 0 < int(traded["총매도금액"])
    cash = int(program.asked("opw00001")[0]["d+2추정예수금"])

    program = next(traders)
    assert program.asked("opt10074", 시작일자="20260311", 종료일자="20260311")[1] == []
    again, [row] = program.asked("opt10074", 시작일자="20260301", 종료일자="20260331")
    assert (again, row["일자"]) == (traded, "20260310")
    assert program.asked("opt10073", 시작일자="20260301", 종료일자="20260331")[1] == [before]
    assert program.asked("opt10072", 시작일자="20260310")[1][0]["당일매도손익1"] == before["당일매도손익"]
    _, rows = program.asked("opt10170", 기준일자="20260310", 단주구분="2", 현금신용구분="0")
    assert [(each["매수수량"], each["매도수량"]) for each in rows] == [("12", "7"), ("3", "0")]
    _, rows = program.asked("opw00018", 조회구분="2")
    yesterday = {(each["종목번호"], each["대출일"]): each for each in rows}
    assert int(yesterday["A" + CODE, ""]["전일매수수량"]) == 12
    assert int(yesterday["A" + CODE, ""]["전일매도수량"]) == 7
    assert int(yesterday["A" + CODE, "20260310"]["전일매수수량"]) == 3
    due, rows = program.asked("opw00008")
    assert (due["매매일자"], due["결제일자"], due["조회건수"]) == ("20260310", "20260312", "0003")
    for side in ("매도", "매수"):
        assert int(due[f"{side}정산합"]) == sum(int(each["정산금액"]) for each in rows if each["매도수구분"] == side)
    sale = next(each for each in rows if each["매도수구분"] == "매도")
    costs = sum(int(sale[name]) for name in ("수수료", "농특세", "거래세"))
    assert int(sale["정산금액"]) == int(sale["약정금액"]) - costs
    assert int(sale["농특세"]) == int(sale["약정금액"]) * 15 // 10_000
    assert program.asked("opw00015", 시작일자="20260301", 종료일자="20260331", 구분="0")[1] == []

    program = next(traders)
    _, rows = program.asked("opw00015", 시작일자="20260301", 종료일자="20260331", 구분="0")
    assert [(each["거래일자"], each["체결일"]) for each in rows] == 3 * [("20260312", "20260310")]
    assert int(rows[-1]["예수금잔고"]) == cash == int(program.asked("opw00001")[0]["예수금"])
    assert len(program.asked("opw00015", 시작일자="20260301", 종료일자="20260331", 구분="5")[1]) == 1
    _, rows = program.asked("opw00002", 시작조회기간="20260301", 종료조회기간="20260331")
    assert [each["일자"] for each in rows] == ["20260310", "20260311", "20260312"]
    assert int(rows[0]["예수금"]) != int(rows[2]["예수금"]) == cash
    single, _ = program.asked("opw00016", 평가시작일="20260311", 평가종료일="20260312")
    assert int(single["예수금_초"]) == cash
    assert program.asked("opw00008")[1] == []
