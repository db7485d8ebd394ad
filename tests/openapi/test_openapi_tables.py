"""Every table loads, is complete, and refers only to what exists."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

import koapy.openapi
from koapy.openapi.chejan import chejan_fids, chejan_fields
from koapy.openapi.error import error, errors
from koapy.openapi.fid import fid, fid_name, fids
from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.openapi.listing import issue, listing
from koapy.openapi.login import koa_functions, login_tags
from koapy.openapi.market import market_codes, phases
from koapy.openapi.message import UnknownSituation, message, messages
from koapy.openapi.order import credit_types, order_type, order_types, quote_type, quote_types
from koapy.openapi.realtype import UnknownRealType, real_type, real_types
from koapy.openapi.tr import UnknownTr, is_tr, tr, trs

KNOWN = {each.fid for each in fids()}


@pytest.mark.parametrize(
    ("count", "rows"),
    [
        (58, FUNCTIONS),
        (9, EVENTS),
        (5, HELPERS),
        (234, trs()),
        (186, real_types()),  # the 184 of the data files, and 잔고 and 종목프로그램매매 of OpenAPI+'s own list
        (26, [each for each in real_types() if each.delivered]),
        (1639, fids()),
        (39, errors()),
        (4349, listing()),
        (16, order_types()),
        (3, order_types("SendOrderFO")),
        (16, quote_types()),
        (10, quote_types("SendOrderFO")),
        (3, credit_types()),
        (35, market_codes()),
        (21, phases()),
        (9, login_tags()),
        (11, koa_functions()),
    ],
)
def test_everything_is_there(count: int, rows: list[object]) -> None:
    assert len(rows) == count


def test_every_fid_is_catalogued() -> None:
    in_trs = {each.fid for one in trs() for part in (one.inputs, one.single, one.multi) for each in part}
    in_real_types = {each for one in real_types() for each in one.fids}
    in_chejan = {each for gubun in "014" for each in chejan_fids(gubun)}
    assert (in_trs - {None}) | in_real_types | in_chejan <= KNOWN


@pytest.mark.parametrize("one", trs(), ids=lambda one: one.code)
def test_tr_is_whole(one: object) -> None:
    found = tr(one.code.swapcase())
    assert found is one
    assert found.inputs
    assert found.single or found.multi
    assert bool(found.multi) == bool(found.multi_record)
    assert bool(found.single) == bool(found.single_record)
    assert found.count_field in ("", *found.single_names)
    assert all(each.name for part in (found.inputs, found.single, found.multi) for each in part)
    assert all(value or label for each in found.inputs for value, label in each.values)


def test_daily_chart_as_it_is_known() -> None:
    daily = tr("OPT10081")
    assert (daily.name, daily.max_rows, daily.input_names) == (
        "주식일봉차트조회요청",
        600,
        ("종목코드", "기준일자", "수정주가구분"),
    )
    assert daily.single_names == ("종목코드",)
    assert daily.multi_names[:8] == ("종목코드", "현재가", "거래량", "거래대금", "일자", "시가", "고가", "저가")
    assert daily.inputs[0].format == "code6"
    assert daily.inputs[0].required is True
    assert dict(daily.inputs[2].values).keys() == {"0", "1"}


@pytest.mark.parametrize(
    ("lookup", "unknown", "kind", "near"),
    [
        (tr, "opt1008", UnknownTr, "opt10080"),
        (tr, "", UnknownTr, "no TR ''"),
        (real_type, "주식채결", UnknownRealType, "주식체결"),
        (message, "no_money", UnknownSituation, "no_"),
    ],
)
def test_unknown_name_is_a_named_error_that_helps(lookup: object, unknown: str, kind: type, near: str) -> None:
    with pytest.raises(kind, match=near):
        lookup(unknown)
    assert not is_tr(unknown)


def test_real_types_of_openapi_plus_itself_come_first() -> None:
    trade = real_type("주식체결")
    assert trade.delivered
    assert trade.fids[:5] == (20, 10, 11, 12, 27)
    assert trade.names[:5] == ("체결시간", "현재가", "전일대비", "등락율", "매도호가")
    assert real_type("장시작시간").fids[:3] == (215, 20, 214)
    assert not real_type("CFD리얼잔고").delivered


def test_names_on_the_wire() -> None:
    assert fid_name(10) == "현재가"
    assert fid_name(106) == "106"
    assert fid_name(987654) == "987654"
    assert fid(10).name == "현재가"
    assert fid(106).name is None
    assert fid(987654).wire_name == "987654"


def test_errors_have_kiwooms_words() -> None:
    assert error(-200).name == "OP_ERR_SISE_OVERFLOW"
    assert error(-200).message == "시세조회 과부하"
    assert {each.code for each in errors() if each.name is None} == {-107, -108, -209, -210}
    assert error(-9999) is None


def test_chejan_lists_of_2026() -> None:
    assert [len(chejan_fids(gubun)) for gubun in "014"] == [40, 37, 19]
    assert chejan_fids("0")[:6] == (9201, 9203, 9205, 9001, 912, 913)
    assert chejan_fids("0") == real_type("주문체결").fids
    assert chejan_fids("4") == real_type("파생잔고").fids
    assert chejan_fields("0")[5].filled == "체결"
    with pytest.raises(KeyError):
        chejan_fids("3")


def test_functions_know_their_arguments() -> None:
    assert str(FUNCTIONS["GetCommRealData"]) == "GetCommRealData(sTrCode: str, nFid: int) -> str"
    assert " ".join(each.type for each in FUNCTIONS["SendOrder"].parameters) == "str str str int str int int str str"
    assert FUNCTIONS["GetCommDataEx"].returns == "array"
    assert FUNCTIONS["SetInputValue"].returns == "none"
    assert len(EVENTS["OnReceiveTrData"].parameters) == 9
    assert HELPERS["EnsureConditionLoaded"].parameters[0].type == "bool"
    assert HELPERS["RateLimitedCommRqData"].returns == "int"


def test_order_and_quote_types() -> None:
    assert [(each.code, each.side, each.action) for each in order_types()][:6] == [
        (1, "buy", "new"),
        (2, "sell", "new"),
        (3, "buy", "cancel"),
        (4, "sell", "cancel"),
        (5, "buy", "modify"),
        (6, "sell", "modify"),
    ]
    assert [each.code for each in order_types() if each.mock] == [1, 2, 3, 4, 5, 6]
    assert [each.code for each in quote_types() if each.mock] == ["00", "03"]
    assert quote_type("00").price == "required"
    assert quote_type("03").price == "0"
    assert order_type(9) is None
    assert quote_type("99") is None


def test_messages_by_server() -> None:
    assert message("buy_accepted") == "[100000] 모의투자 매수주문완료"
    assert message("buy_accepted", "real") == "[107066] 매수주문이 완료되었습니다."
    assert message("tr_not_offered") == "서비스 TR을 확인바랍니다.(0006)"
    assert message("bad_tick", "real") == "[571557] 주문단가를 잘못입력하셨습니다"
    assert message("outside_limits", "real") == "상/하한가 오류입니다."
    for each in {each.situation for each in messages()}:
        assert message(each, "mock")
        assert "모의투자" not in message(each, "real")


def test_listing() -> None:
    samsung = issue("005930")
    assert (samsung.name, samsung.market, samsung.kind) == ("삼성전자", "KOSPI", "stock")
    assert samsung.listed == date(1975, 6, 11)
    assert len({each.code for each in listing()}) == len(listing())
    assert sum(each.reference_price is None for each in listing()) == 5
    assert issue("999999") is None


def test_front_door_names_its_modules() -> None:
    for name in koapy.openapi.__all__:
        assert getattr(koapy.openapi, name).__name__ == f"koapy.openapi.{name}"
    with pytest.raises(AttributeError):
        koapy.openapi.nothing  # noqa: B018


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_is_cheap_and_pulls_in_nothing_heavy() -> None:
    loaded = fresh(
        "import sys; import koapy.openapi, koapy.openapi.tr, koapy.openapi.market, koapy.openapi.search\n"
        "print(*sorted({each.partition('.')[0] for each in sys.modules}))"
    )
    assert not {"grpc", "google", "pandas", "numpy", "typer", "rich", "asyncio"} & set(loaded.split())


@pytest.mark.parametrize(
    "call",
    [
        "tr import trs as load",
        "realtype import real_types as load",
        "fid import fids as load",
        "listing import listing as load",
        "error import errors as load",
        "order import quote_types as load",
        "message import messages as load",
    ],
)
def test_each_table_loads_by_itself(call: str) -> None:
    assert int(fresh(f"from koapy.openapi.{call}\nprint(len(load()))")) > 0


def test_a_look_up_is_made_once() -> None:
    assert tr("opt10001") is tr("opt10001")


@pytest.mark.parametrize(
    ("code", "name", "taken", "refused"),
    [
        ("opt10081", "종목코드", ["005930", " 005930 ", "039490_AL"], [""]),
        ("opt10081", "기준일자", ["20260303", " 20260303"], ["2026-03-03", "260303", "٢٠٢٦٠٣٠٣", ""]),
        ("opt10081", "수정주가구분", ["0", "1", "01"], ["7", "예", ""]),
        ("opw00018", "비밀번호", ["0000", "s3cret"], []),
    ],
)
def test_inputs_know_what_they_take(code: str, name: str, taken: list[str], refused: list[str]) -> None:
    (found,) = (each for each in tr(code).inputs if each.name == name)
    assert [found.takes(value) for value in (*taken, *refused)] == [True] * len(taken) + [False] * len(refused)
