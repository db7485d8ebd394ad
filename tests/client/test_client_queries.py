"""Transactions through a real port, with both clients: pages, ends, numbers, what the named queries ask for."""

from __future__ import annotations

import asyncio
import sys
import urllib.parse
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from koapy.client import InvalidArgument, KoapyWarning, Stop
from koapy.client.frames import Pages
from koapy.client.progress import shown
from koapy.openapi.tr import tr
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb

ROWS = [{"일자": f"202611{day:02}", "현재가": f"-{70000 + day}", "거래량": str(day)} for day in range(20, 14, -1)]


@pytest.fixture
def pages(gateway, wire):
    """Three pages of two rows, the first with a single part."""
    gateway.scripts["TransactionCall"] = wire.playing(
        wire.page("opt10081", ROWS[:2], more=True, single={"종목코드": "005930"}),
        wire.page("opt10081", ROWS[2:4], more=True, single={"종목코드": "other"}),
        wire.page("opt10081", ROWS[4:]),
    )


@pytest.mark.usefixtures("pages")
async def test_all_pages_become_one_frame(client, gateway):
    frame = await client.tr("opt10081", {"종목코드": "005930"}, 수정주가구분=1)
    assert list(frame.columns) == ["일자", "현재가", "거래량"]
    assert frame.to_dict("records") == ROWS
    (request,) = gateway.asked("TransactionCall")
    assert (request.transaction_code, request.request_name, request.screen_no) == ("opt10081", "opt10081", "")
    assert dict(request.inputs) == {"종목코드": "005930", "수정주가구분": "1"}
    assert not request.HasField("stop_condition")


@pytest.mark.usefixtures("pages")
async def test_a_transaction_has_all_of_it(client):
    whole = await client.transaction("opt10081", 종목코드="005930")
    assert (whole.code, whole.single, whole.pages, len(whole.multi)) == ("opt10081", {"종목코드": "005930"}, 3, 6)


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("most", "count", "answers"),
    [({"pages": 1}, 2, 1), ({"pages": 2}, 4, 2), ({"rows": 3}, 3, 2), ({"rows": 2}, 2, 1), ({"rows": 99}, 6, 3)],
)
async def test_enough_is_enough(client, most, count, answers):
    whole = await client.transaction("opt10081", 종목코드="005930", **most)
    assert whole.multi.to_dict("records") == ROWS[:count]
    assert whole.pages == answers


async def test_enough_ends_the_request_at_the_server(client, gateway, wire):
    gateway.scripts["TransactionCall"] = wire.playing(wire.page("opt10081", ROWS, more=True), forever=True)
    assert len(await client.tr("opt10081", pages=1)) == 6
    await gateway.gone["TransactionCall"].wait()


@pytest.mark.usefixtures("pages")
async def test_numbers_on_request(client):
    frame = await client.tr("opt10081", numeric=True)
    assert frame["현재가"].tolist() == [70020, 70019, 70018, 70017, 70016, 70015]
    assert [str(kind) for kind in frame.dtypes] == ["object", "int64", "int64"]


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("stop", [Stop("일자", "<", "20261118"), ("일자", "<", "20261118")])
async def test_a_stop_condition_goes_to_the_server(client, gateway, stop):
    await client.tr("opt10081", stop=stop)
    sent = gateway.asked("TransactionCall")[0].stop_condition
    assert (sent.name, sent.value, sent.comparator) == ("일자", "20261118", pb.LESS_THAN)


async def test_an_unknown_comparator_is_refused_here(client, gateway):
    with pytest.raises(InvalidArgument, match="'=<'; there are <=, <"):
        await client.tr("opt10081", stop=("일자", "=<", "20261118"))
    assert not gateway.requests


@pytest.mark.parametrize("code", ["opt10081", "OPT10081"])
async def test_an_answer_without_rows_still_has_its_columns(client, gateway, wire, code):
    gateway.scripts["TransactionCall"] = wire.playing(wire.page(code, []))
    frame = await client.tr(code, numeric=True)
    assert len(frame) == 0
    assert tuple(frame.columns) == tr("opt10081").multi_names


async def test_an_answer_of_an_unknown_tr_without_rows(client, gateway, wire):
    gateway.scripts["TransactionCall"] = wire.playing(wire.page("opt99999", []))
    assert (await client.tr("opt99999")).empty


async def test_a_name_may_stand_above_two_columns(client, gateway, wire):
    message = wire.page("opt10081", [{"가": "1", "나": "2"}])
    message.multi_data.names[1] = "가"
    gateway.scripts["TransactionCall"] = wire.playing(message)
    frame = await client.tr("opt10081", numeric=True)
    assert list(frame.columns) == ["가", "가"]
    assert frame.to_numpy().tolist() == [[1, 2]]


async def test_single(client, gateway, wire):
    answer = {"종목코드": "005930", "현재가": "-77000", "전일대비": "-500"}
    gateway.scripts["TransactionCall"] = wire.playing(wire.page("opt10001", [], single=answer))
    assert await client.tr_single("opt10001", 종목코드="005930") == answer
    assert await client.stock("005930") == {"종목코드": "005930", "현재가": 77000, "전일대비": -500}


async def test_depth_is_a_row_wherever_it_stands(client, gateway, wire):
    gateway.scripts["TransactionCall"] = wire.playing(wire.page("opt10004", [{"매도최우선호가": "+100"}]))
    assert await client.depth("005930") == {"매도최우선호가": 100}
    gateway.scripts["TransactionCall"] = wire.playing(wire.page("opt10004", [], single={"매도최우선호가": "+100"}))
    assert await client.depth("005930", numeric=False) == {"매도최우선호가": "+100"}


async def test_what_the_server_warns_of_is_a_warning(client, gateway, wire):
    async def script(request, context):
        context.set_trailing_metadata((("koapy-warning", urllib.parse.quote("opt10081 has no input 종목번호")),))
        await context.write(wire.page("opt10081", ROWS))

    gateway.scripts["TransactionCall"] = script
    with pytest.warns(KoapyWarning, match="has no input 종목번호"):
        await client.tr("opt10081", 종목번호="005930")


NAMED = [
    ("daily", ("005930",), {}, "opt10081", {"종목코드": "005930", "수정주가구분": "1"}, None),
    (
        "daily",
        ("005930",),
        {"since": date(2026, 1, 2), "until": "20261120", "adjusted": False},
        "opt10081",
        {"종목코드": "005930", "수정주가구분": "0", "기준일자": "20261120"},
        ("일자", "20260102"),
    ),
    ("candles", ("005930", "week"), {}, "opt10082", {"종목코드": "005930", "수정주가구분": "1"}, None),
    ("candles", ("005930", "month"), {}, "opt10083", {"종목코드": "005930", "수정주가구분": "1"}, None),
    ("candles", ("005930", "year"), {}, "opt10094", {"종목코드": "005930", "수정주가구분": "1"}, None),
    (
        "minutes",
        ("005930", 5),
        {"since": datetime(2026, 11, 20, 0, 30, tzinfo=UTC)},
        "opt10080",
        {"종목코드": "005930", "수정주가구분": "1", "틱범위": "5"},
        ("체결시간", "20261120093000"),
    ),
    (
        "ticks",
        ("005930",),
        {"since": date(2026, 11, 20)},
        "opt10079",
        {"종목코드": "005930", "수정주가구분": "1", "틱범위": "1"},
        ("체결시간", "20261120"),
    ),
    ("quotes", (["005930", "000660"],), {}, "OPTKWFID", {"종목코드": "005930;000660"}, None),
    (
        "deposit",
        (),
        {},
        "opw00001",
        {"계좌번호": "8000000011", "비밀번호": "", "비밀번호입력매체구분": "00", "조회구분": "2"},
        None,
    ),
    (
        "balance",
        ("8000000022",),
        {},
        "opw00018",
        {"계좌번호": "8000000022", "비밀번호": "", "비밀번호입력매체구분": "00", "조회구분": "2"},
        None,
    ),
    (
        "open_orders",
        (),
        {"code": "005930"},
        "opt10075",
        {"계좌번호": "8000000011", "전체종목구분": "1", "매매구분": "0", "종목코드": "005930", "체결구분": "1"},
        None,
    ),
    (
        "fills",
        (),
        {},
        "opt10076",
        {
            "계좌번호": "8000000011",
            "비밀번호": "",
            "조회구분": "0",
            "종목코드": "",
            "매도수구분": "0",
            "체결구분": "2",
        },
        None,
    ),
]


@pytest.mark.parametrize(("name", "arguments", "options", "code", "inputs", "stop"), NAMED)
async def test_the_named_queries(client, gateway, wire, name, arguments, options, code, inputs, stop):
    gateway.scripts["TransactionCall"] = wire.playing(wire.page(code, [{"가": "1"}], single={"나": "2"}))
    await getattr(client, name)(*arguments, **options)
    (request,) = gateway.asked("TransactionCall")
    assert request.transaction_code == code
    assert dict(request.inputs) == inputs
    assert set(inputs) <= set(tr(code).input_names)
    condition = request.stop_condition
    assert ((condition.name, condition.value) if request.HasField("stop_condition") else None) == stop


async def test_many_threads_or_tasks_use_one_client(client, gateway, wire):
    async def script(request, context):
        await context.write(wire.page("opt10001", [], single={"종목코드": request.inputs["종목코드"]}))

    gateway.scripts["TransactionCall"] = script
    codes = [f"{number:06}" for number in range(40)]
    answers = await asyncio.gather(*(client.stock(code) for code in codes))
    assert [answer["종목코드"] for answer in answers] == codes


class TestProgress:
    def of(self, told, wire, seconds=(0.0,), wanted=None, most_pages=None):
        times = iter(seconds)
        with shown(wanted, lambda: next(times)) as tell:
            pages = Pages("opt10081", most_pages, told=lambda pages: (tell(pages), told(pages)))
            while pages.count < 2 and not pages.take(wire.page("opt10081", ROWS)):
                pass

    @pytest.fixture
    def terminal(self, monkeypatch, capsys):
        monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
        monkeypatch.setenv("FORCE_COLOR", "1")  # the captured stderr is none, but rich may draw on it

    def test_nothing_without_a_terminal(self, wire, capsys):
        self.of(lambda pages: None, wire)
        assert capsys.readouterr().err == ""

    @pytest.mark.usefixtures("terminal")
    def test_nothing_when_unwanted(self, wire, capsys):
        self.of(lambda pages: None, wire, wanted=False)
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize(("seconds", "most_pages"), [((0.0, 0.5), None), ((0.0, 5.0), 1)])
    @pytest.mark.usefixtures("terminal")
    def test_nothing_on_short_queries(self, wire, capsys, seconds, most_pages):
        shown_after_first = []
        self.of(lambda pages: shown_after_first.append(capsys.readouterr().err), wire, seconds, None, most_pages)
        assert shown_after_first[0] == ""

    @pytest.mark.usefixtures("terminal")
    def test_always_when_wanted(self, wire, capsys):
        self.of(lambda pages: None, wire, wanted=True)
        assert "opt10081" in capsys.readouterr().err

    @pytest.mark.usefixtures("terminal")
    def test_a_bar_with_the_second_page(self, wire, capsys):
        self.of(lambda pages: None, wire, (0.0, 0.0))
        assert "2 pages, 12 rows" in capsys.readouterr().err


def test_a_gap_makes_integers_nullable(wire):
    pages = Pages("opt10081")
    pages.take(wire.page("opt10081", [{"거래량": "1", "대비율": "1.5"}, {"거래량": "", "대비율": ""}]))
    frame = pages.multi(as_numbers=True)
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "float64"]
    assert frame.isna().to_numpy().tolist() == [[False, False], [True, True]]
    assert isinstance(frame, pd.DataFrame)
