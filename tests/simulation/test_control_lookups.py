"""Look-ups in the masters, and facts about the user."""

from __future__ import annotations

import pytest

from koapy.openapi.listing import issue
from koapy.openapi.login import koa_functions, login_tags


@pytest.fixture(scope="module")
def program():
    from datetime import datetime

    from koapy.openapi.calendar import KST
    from koapy.simulation.clock import ManualClock
    from koapy.simulation.control import SimulatedControl

    control = SimulatedControl(clock=ManualClock(datetime(2026, 3, 10, 10, tzinfo=KST)))
    control.submit(control.CommConnect).result()
    control.advance(1)

    def call(name, *arguments):
        return control.submit(getattr(control, name), *arguments).result()

    yield call
    control.close()


def codes(program, market):
    listed = program("GetCodeListByMarket", market)
    assert listed == "" or listed.endswith(";")
    return listed.split(";")[:-1]


def test_the_market_has_at_least_200_issues_with_real_names(program):
    every = codes(program, "")
    assert len(every) >= 200
    assert "005930" in every
    assert all(program("GetMasterCodeName", code) == issue(code).name for code in every)


def test_markets_are_as_openapi_divides_them(program):
    kospi, kosdaq, etf = (set(codes(program, market)) for market in ("0", "10", "8"))
    assert kospi >= etf != set()
    assert not kospi & kosdaq
    assert set(codes(program, "")) == kospi | kosdaq
    assert codes(program, "NXT") == codes(program, "30") == []
    assert all(program("GetMarketType", code) == 10 for code in kosdaq)
    assert all(program("GetMarketType", code) == 8 for code in etf)
    assert program("KOA_Functions", "GetStockMarketKind", "005930") == "0"


def test_an_issue_s_facts(program):
    assert program("GetMasterLastPrice", "005930").isdigit()
    assert len(program("GetMasterLastPrice", "005930")) == 8
    assert program("GetMasterConstruction", "005930") == "정상"
    assert program("GetMasterStockState", "005930") == "증거금20%|담보대출|신용가능"
    assert program("GetMasterListedStockDate", "005930") == "19750611"
    assert program("GetMasterListedStockCnt", "005930") < 2**31
    assert int(program("KOA_Functions", "GetMasterListedStockCntEx", "005930")) == issue("005930").shares


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GetMasterCodeName", ""),
        ("GetMasterLastPrice", ""),
        ("GetMasterConstruction", ""),
        ("GetMasterStockState", ""),
        ("GetMasterListedStockDate", ""),
        ("GetMasterListedStockCnt", 0),
        ("GetMarketType", -1),
    ],
)
def test_an_unknown_code_has_none(program, name, value):
    assert program(name, "ABCDEF") == value


def test_facts_about_the_user(program):
    known = {each.tag: program("GetLoginInfo", each.tag) for each in login_tags()}
    assert known["ACCNO"] == known["ACCLIST"]
    assert known["ACCNO"].endswith(";")
    accounts = known["ACCNO"].split(";")[:-1]
    assert all(len(each) == 10 for each in accounts)
    assert known["ACCOUNT_CNT"] == str(len(accounts))
    assert known["ACCTLIST_DETAIL"] == "".join(f"{each},{known['USER_NAME']},위탁종합;" for each in accounts)
    assert known["GetServerGubun"] == "1"
    assert (known["KEY_BSECGB"], known["FIREW_SECGB"]) == ("0", "0")
    assert program("GetLoginInfo", "NOTHING") == ""


def test_every_special_function_answers(program):
    arguments = {"GetUpjongCode": "0", "GetUpjongNameByCode": "001", "SetConditionSearchFlag": "DelPrice"}
    answers = {
        each.function: program("KOA_Functions", each.function, arguments.get(each.function, "005930"))
        for each in koa_functions()
    }
    assert {name for name, answer in answers.items() if answer == ""} == {"ShowAccountWindow", "SetConditionSearchFlag"}
    assert dict(pair.split("|") for pair in answers["GetMasterStockInfo"].split(";"))["시장구분0"] == "거래소"
    assert answers["GetUpjongCode"].startswith("0,001,")
    assert answers["GetServerGubun"] == "1"
    assert (answers["IsOrderWarningETF"], answers["IsOrderWarningStock"]) == ("0", "0")
    assert program("KOA_Functions", "NoSuchFunction", "") == ""


@pytest.mark.parametrize("market", ["0", "1"])
def test_sectors_have_names(program, market):
    for entry in program("KOA_Functions", "GetUpjongCode", market).split("|"):
        of, code, name = entry.split(",")
        assert of == market
        assert program("KOA_Functions", "GetUpjongNameByCode", code) == name


def test_stock_info_has_two_parts_each_for_every_code(program):
    for code in codes(program, ""):
        info = dict(pair.split("|") for pair in program("KOA_Functions", "GetMasterStockInfo", code).split(";"))
        assert list(info) == ["시장구분0", "시장구분1", "업종구분"]


def test_themes(program):
    by_code, by_name = ([pair.split("|") for pair in program("GetThemeGroupList", kind).split(";")] for kind in (0, 1))
    assert by_code == sorted(by_code)
    assert sorted(by_code) == sorted(by_name)
    assert [name for _, name in by_name] == sorted(name for _, name in by_name)
    for code, _ in by_code:
        for member in filter(None, program("GetThemeGroupCode", code).split(";")):
            assert member[0] == "A"
            assert program("GetMasterCodeName", member[1:])
    assert "A005930" in program("GetThemeGroupCode", "320")
    assert program("GetThemeGroupCode", "999") == ""


def test_branches(program):
    assert "050|키움증권" in program("GetBranchCodeName").split(";")


def test_futures_and_options_are_listed(program):
    codes = program("GetFutureList").split(";")
    assert program("GetFutureCodeByIndex", 0) == codes[0]
    assert program("GetFutureCodeByIndex", 4) == program("GetFutureCodeByIndex", -1) == ""
    assert all(len(code) == 8 and program("GetMasterCodeName", code).startswith("F 2") for code in codes)
    strikes, atm = program("GetActPriceList").split(";"), program("GetOptionATM")
    assert atm in strikes
    months = program("GetMonthList").split(";")
    half = len(months) // 2
    assert months[:half] == months[half:][::-1] == sorted(months[:half], reverse=True)
    points = f"{int(atm) / 100:.2f}"
    call = program("GetOptionCode", points, 2, months[half])
    put = program("GetOptionCode", points, 3, months[half])
    assert (call[0], put[0], call[1:]) == ("B", "C", put[1:])
    following = program("GetOptionCodeByMonth", call, 3, months[half + 1])
    assert program("GetMasterCodeName", following).split()[1:] == [months[half + 1], points.rstrip("0").ljust(5, "0")]
    above = program("GetOptionCodeByActPrice", call, 2, 1)
    assert program("GetOptionCodeByActPrice", above, 3, -1) == put
    assert program("GetOptionCodeByActPrice", call, 2, 1000) == ""
    assert program("GetOptionCode", "nothing", 2, months[0]) == ""


def test_futures_on_issues_are_listed_of_what_the_market_has(program):
    names = [each.split("^") for each in program("GetSFutureList", "").split(";")[:-1]]
    assert {base for _, _, base in names} <= {"11", "13", "15", "16", "19", "24", "40", "45", "46", "50"}
    samsung = [code for code, _, base in names if base == "11"]
    assert program("GetSFutureList", "11").count("^11;") == len(samsung) == 2
    assert program("GetSFutureCodeByIndex", "11", 1) == samsung[1]
    assert program("GetSFOBasisAssetList").startswith("KR7005930003|삼성전자 ")
    assert program("GetSOptionATM", "11") == ""


def test_warrants_are_listed(program):
    codes = program("GetCodeListByMarket", "3").split(";")[:-1]
    assert codes == sorted(codes) != []
    assert all("콜" in name or "풋" in name for name in (program("GetMasterCodeName", code) for code in codes))
