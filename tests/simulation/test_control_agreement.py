"""Whatever is ordered: all account TRs tell one account, the one that the order events tell of."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.openapi.tr import tr as known

CODES = ("005930", "000660", "247540", "069500")
KINDS = {
    "mock": ("00", "03"),
    "real": ("00", "03", "05", "06", "07", "10", "13", "16", "20", "23", "26", "61", "62", "81"),
}
PRICED = ("00", "05", "10", "20", "62")
CANCELS = ("매수취소", "매도취소")
BLANKS = {"비밀번호": "", "비밀번호입력매체구분": "00"}
ASKED = {
    "opw00001": {"조회구분": "2"},
    "opw00004": {"상장폐지조회구분": "0"},
    "opw00005": {},
    "opw00018": {"조회구분": "2"},
    "opw00013": {},
    "opt10075": {"전체종목구분": "0", "매매구분": "0", "체결구분": "1"},
    "opt10076": {"조회구분": "0", "매도수구분": "0", "체결구분": "2"},
    "opt10085": {},
    "opw00007": {"조회구분": "1", "주식채권구분": "0", "매도수구분": "0"},
    "opw00009": {"주식채권구분": "0", "시장구분": "0", "매도수구분": "0", "조회구분": "0"},
    "opt10077": {"종목코드": ""},
    "opt10074": {"시작일자": "20260310", "종료일자": "20260310"},
    "opt10170": {"기준일자": "", "단주구분": "2", "현금신용구분": "0"},
}


def number(text):
    return int(text or 0)


class Told:
    """What order events have told so far."""

    def __init__(self, program):
        self.control = program.control
        self.orders = {}
        """The last event of each order, by number; its 902 is what is open."""
        self.fills = defaultdict(list)
        self.balances = {}
        self.control.OnReceiveChejanData.connect(self.hear)

    def hear(self, gubun, _count, listed):
        values = {int(fid): self.control.GetChejanData(int(fid)) for fid in listed.split(";")}
        if gubun == "1":
            self.balances[values[9001], values[916].replace("00000000", "")] = values
            return
        if values[913] == "체결" and values[819] != "1":
            self.fills[values[9203]].append(values)
        if values[913] == "확인":  # of a part that was taken over or back, no event of the original says so
            original = self.orders[values[904]]
            self.orders[values[904]] = original | {902: str(int(original[902]) - int(values[900]))}
        self.orders[values[9203]] = values

    @property
    def open(self):
        alive = {no: each for no, each in self.orders.items() if each[905] not in CANCELS}
        return {no: int(each[902]) for no, each in alive.items() if each[902] != "0"}

    @property
    def filled(self):
        return {no: (int(each[-1][911]), int(each[-1][938]), int(each[-1][939])) for no, each in self.fills.items()}

    def value(self, side):
        return sum(int(each[-1][903]) for each in self.fills.values() if each[-1][907] == side)


def act(program, told, random, server):
    """Send one order of any kind, most of which can be taken."""
    code, what, hoga, quantity = random.choice(CODES), random.choice((1, 1, 2, 2, 3, 5)), "00", random.randint(1, 60)
    original, price = "", 0
    if what > 2:
        if not told.open:
            return
        original = random.choice(sorted(told.open))
        last = told.orders[original]
        code, quantity = last[9001][1:], random.choice((0, 1, int(last[902])))
        what += last[907] == "1"
    else:
        hoga = random.choice(KINDS[server])
    if what in (1, 2, 5, 6) and hoga in PRICED:
        now = abs(int(program.control.submit(program.world.exchange.quote, code).result().last))
        step = 10 ** (len(str(now)) - 3)
        price = (now // step + random.randint(-12, 12)) * step
    if server == "real" and what < 3 and random.random() < 0.2:
        credit = ("03", "", "") if what == 1 else ("99", "99991231", "")
        program.call("SendOrderCredit", "신용", "2000", program.account, what, code, quantity, price, hoga, *credit)
    else:
        program.call("SendOrder", "주문", "2000", program.account, what, code, quantity, price, hoga, original)
    program.advance(random.choice((0.3, 1, 5, 40)))


def ask(program):
    """Every account TR, asked while nothing happens to the account: single values and rows by the names of items."""
    answers = {}

    def read(_screen, _name, code, *_):
        what, control = known(code), program.control
        single = {each: control.GetCommData(code, "", 0, each).strip() for each in what.single_names}
        rows = range(control.GetRepeatCnt(code, ""))
        answers[code] = (
            single,
            [{each: control.GetCommData(code, "", row, each).strip() for each in what.multi_names} for row in rows],
        )

    program.control.OnReceiveTrData.connect(read)
    for code, inputs in ASKED.items():
        program.advance(0.25)
        given = BLANKS | inputs | {"계좌번호": program.account}
        assert program.ask(code, **{name: given[name] for name in known(code).input_names if name in given}) == 0
        program.advance(0.03)
    program.control.OnReceiveTrData.disconnect(read)
    return answers


def held(rows, code, quantity):
    """What is held, by code and day of the loan: shares and won."""
    loan = dict.fromkeys(("", "00000000"), "")
    found = {(each[code], loan.get(each["대출일"], each["대출일"])): each for each in rows}
    return {
        (issue if issue[0] == "A" else f"A{issue}", day): (number(each[quantity]), number(each["매입금액"]))
        for (issue, day), each in found.items()
        if number(each[quantity])
    }


def check(answers, told):
    single = {code: each[0] for code, each in answers.items()}
    rows = {code: each[1] for code, each in answers.items()}
    quantities = {no: filled for no, (filled, _, _) in told.filled.items()}
    bought, sold = told.value("2"), told.value("1")
    fees, taxes = (sum(each[place] for each in told.filled.values()) for place in (1, 2))
    # Orders and fills.
    assert {each["주문번호"]: number(each["미체결수량"]) for each in rows["opt10075"]} == told.open
    assert {
        each["주문번호"]: tuple(number(each[name]) for name in ("체결량", "당일매매수수료", "당일매매세금"))
        for each in rows["opt10076"]
    } == told.filled
    log = {each["주문번호"]: each for each in rows["opw00007"]}
    assert set(log) == {each["주문번호"] for each in rows["opw00009"]} == set(told.orders)
    assert {no: number(each["주문잔량"]) for no, each in log.items() if number(each["주문잔량"])} == told.open
    for code in ("opw00007", "opw00009"):
        listed = {each["주문번호"]: number(each["체결수량"]) for each in rows[code]}
        assert {no: count for no, count in listed.items() if count} == quantities
    sums = single["opw00009"]
    assert (number(sums["매수약정금액"]), number(sums["매도약정금액"])) == (bought, sold)
    # What the day has cost and brought.
    day = single["opt10074"]
    names = ("총매수금액", "총매도금액", "매매수수료", "매매세금")
    assert tuple(number(day[each]) for each in names) == (bought, sold, fees, taxes)
    diary = single["opt10170"]
    assert tuple(number(diary[f"총{each}"]) for each in ("매수금액", "매도금액", "수수료_세금")) == (
        bought,
        sold,
        fees + taxes,
    )
    returns = rows["opt10085"]
    assert sum(number(each["당일매매수수료"]) + number(each["당일매매세금"]) for each in returns) == fees + taxes
    realised = number(day["실현손익"])
    assert (
        realised == number(single["opt10077"]["당일실현손익"]) == sum(number(each["당일매도손익"]) for each in returns)
    )
    assert abs(sum(float(each["당일매도손익"]) for each in rows["opt10077"]) - realised) <= len(rows["opt10077"])
    # Holdings.
    shares = held(rows["opw00018"], "종목번호", "보유수량")
    assert shares == held(rows["opw00004"], "종목코드", "보유수량") == held(rows["opw00005"], "종목번호", "현재잔고")
    assert shares == held(returns, "종목코드", "보유수량")
    for key, values in told.balances.items():
        assert (int(values[930]), int(values[932])) == shares.get(key, (0, 0))
        free = [each for each in rows["opw00018"] if (each["종목번호"], each["대출일"]) == key]
        assert int(values[933]) == sum(number(each["매매가능수량"]) for each in free)
    # Cash.
    cash, free = number(single["opw00001"]["d+2추정예수금"]), number(single["opw00001"]["주문가능금액"])
    assert cash == number(single["opw00004"]["D+2추정예수금"]) == number(single["opw00005"]["예수금D+2"])
    assert free == number(single["opw00005"]["주문가능현금"]) == number(single["opw00013"]["사용가능현금최종"])
    assert number(single["opw00001"]["예수금"]) == number(single["opw00004"]["예수금"])
    loans = number(single["opw00001"]["융자금합계"])
    assert cash == 100_000_000 - bought + sold - fees - taxes + loans
    assert single["opw00018"]["총매입금액"].lstrip("0") == str(sum(cost for _, cost in shares.values())).lstrip("0")


@pytest.mark.parametrize("server", ["mock", "real"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([(8, 35), (10, 0), (15, 15), (15, 41)]), st.integers(0, 2**32))
def test_all_account_trs_agree_with_the_order_events(start, server, beginning, seed):
    random = Random(seed)
    program = start(server=server, hours="krx", start=datetime(2026, 3, 10, *beginning, tzinfo=KST))
    program.login()
    told = Told(program)
    for _ in range(3):
        for _ in range(6):
            act(program, told, random, server)
        for _ in range(4):
            before = sum(map(len, told.fills.values())), len(told.orders)
            answers = ask(program)
            if before == (sum(map(len, told.fills.values())), len(told.orders)):
                check(answers, told)
                break
    program.close()
