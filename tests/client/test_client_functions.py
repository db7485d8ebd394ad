"""Functions and what belongs to the login, through a real port, with both clients."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import koapy.client
from koapy.client import Client, Condition, Credentials, InvalidArgument, PreconditionFailed, ServerError
from koapy.client.functions import Functions
from koapy.openapi.functions import FUNCTIONS


@pytest.mark.parametrize("function", [each for each in FUNCTIONS.values() if each.returns != "array"], ids=str)
def test_every_function_is_a_method_with_its_own_arguments_and_type(function):
    signature = inspect.signature(getattr(Functions, function.name))
    arguments = [(each.name, each.annotation) for each in list(signature.parameters.values())[1:]]
    assert arguments == [(each.name, each.type) for each in function.parameters]
    assert signature.return_annotation == f"Plan[{ {'none': 'None'}.get(function.returns, function.returns) }]"
    assert getattr(Functions, function.name).__doc__


def test_there_are_no_other_functions():
    methods = {name for name in vars(Functions) if not name.startswith("_")}
    assert methods - {"call"} == set(FUNCTIONS) - {"GetCommDataEx"}


def test_the_front_door_names_what_is_there():
    public = {name for name, value in vars(koapy.client).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert set(koapy.client.__all__) == public


def test_importing_the_client_loads_neither_pandas_nor_rich():
    code = "import sys, koapy.client; print([name for name in ('pandas', 'numpy', 'rich') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_a_method_has_the_signature_of_what_it_takes():
    with Client() as client:
        assert str(inspect.signature(client.GetMasterCodeName)).startswith("(sTrCode: 'str')")


@pytest.mark.parametrize(
    ("name", "arguments", "returned"),
    [
        ("GetMasterCodeName", ("005930",), "삼성전자"),
        ("GetMasterCodeName", ("999999",), ""),
        ("CommRqData", ("주식", "opt10001", 0, "0101"), -200),
        ("SetInputValue", ("종목코드", "005930"), None),
        ("call", ("EnsureConditionLoaded", False), 1),
        ("call", ("IsConditionLoaded",), True),
    ],
)
async def test_a_function_returns_what_openapi_returned(client, gateway, name, arguments, returned):
    called = arguments[0] if name == "call" else name
    gateway.functions[called] = returned
    assert await getattr(client, name)(*arguments) == returned
    (request,) = gateway.asked("Call")
    assert request.name == called
    sent = [getattr(each, each.WhichOneof("value")) for each in request.arguments]
    assert sent == list(arguments[1:] if name == "call" else arguments)
    assert [type(each) for each in sent] == [type(each) for each in (arguments[1:] if name == "call" else arguments)]


async def test_a_result_of_the_wrong_kind_is_an_error(client, gateway):
    gateway.functions |= {"GetMasterCodeName": None, "GetConnectState": "1"}
    with pytest.raises(ServerError, match="GetMasterCodeName returned None"):
        await client.GetMasterCodeName("005930")
    with pytest.raises(ServerError, match="GetConnectState returned '1'"):
        await client.connected()


async def test_login_waits_for_the_event(client, gateway, wire):
    gateway.scripts["LoginCall"] = wire.playing(wire.event("OnEventConnect", 0))
    assert await client.login() is None
    await client.login(Credentials("me", "secret", account_passwords={"8000000011": "0000"}))
    first, second = gateway.asked("LoginCall")
    assert not first.HasField("credentials")
    assert second.credentials.user_id == "me"
    assert second.credentials.account_passwords == {"8000000011": "0000"}
    assert "secret" not in repr(Credentials("me", "secret"))


@pytest.mark.parametrize(("state", "expected"), [(1, True), (0, False)])
async def test_connected(client, gateway, state, expected):
    gateway.functions["GetConnectState"] = state
    assert await client.connected() is expected


@pytest.mark.parametrize("listed", ["8000000011;8000000022;", "8000000011;8000000022"])
async def test_accounts(client, gateway, listed):
    gateway.functions["GetLoginInfo"] = listed
    assert await client.accounts() == ["8000000011", "8000000022"]


async def test_codes_of_a_market(client, gateway):
    gateway.functions["GetCodeListByMarket"] = "005930;000660;"
    assert await client.codes("0") == ["005930", "000660"]


async def test_an_account_is_needed(client, gateway):
    gateway.functions["GetLoginInfo"] = ""
    with pytest.raises(PreconditionFailed, match="log in first"):
        await client.deposit()


async def test_log_level(client, gateway):
    await client.set_log_level(10, "koapy.server")
    (request,) = gateway.asked("SetLogLevel")
    assert (request.level, request.logger) == (10, "koapy.server")


@pytest.fixture
def conditions(gateway):
    gateway.functions |= {"EnsureConditionLoaded": 1, "GetConditionNameList": "0^대형 저평가 우량주;3^중소형 저평가주;"}


@pytest.mark.usefixtures("conditions")
async def test_conditions(client):
    assert await client.conditions() == [Condition(0, "대형 저평가 우량주"), Condition(3, "중소형 저평가주")]


@pytest.mark.usefixtures("conditions")
@pytest.mark.parametrize("which", [3, "중소형 저평가주"])
@pytest.mark.parametrize(
    ("lists", "codes"),
    [(["005930;000660;"], ["005930", "000660"]), ([""], []), (["005930^70000;", "000660^1;"], ["005930", "000660"])],
)
async def test_a_condition_gives_codes(client, gateway, wire, which, lists, codes):
    events = [wire.event("OnReceiveTrCondition", "0101", each, "중소형 저평가주", 3, 0) for each in lists]
    gateway.scripts["ConditionCall"] = wire.playing(*events)
    assert await client.condition(which) == codes
    (request,) = gateway.asked("ConditionCall")
    assert (request.condition_index, request.condition_name, request.search_type) == (3, "중소형 저평가주", 0)


@pytest.mark.usefixtures("conditions")
async def test_an_unknown_condition_names_those_there_are(client, gateway):
    with pytest.raises(InvalidArgument, match="'없음'; there are: 0 대형 저평가 우량주, 3 중소형 저평가주"):
        await client.condition("없음")
    assert not gateway.asked("ConditionCall")


@pytest.mark.usefixtures("conditions")
async def test_a_condition_stream_first_has_the_list(client, gateway, wire):
    gateway.scripts["ConditionCall"] = wire.playing(
        wire.event("OnReceiveTrCondition", "0101", "005930;", "중소형 저평가주", 3, 0),
        wire.event("OnReceiveRealCondition", "000660", "I", "중소형 저평가주", "3"),
        wire.event("OnReceiveRealCondition", "005930", "D", "중소형 저평가주", "3"),
        forever=True,
    )
    stream = await client.condition_stream("중소형 저평가주")
    assert await stream.taken(3) == [("I", "005930"), ("I", "000660"), ("D", "005930")]
    await stream.close()
    await gateway.gone["ConditionCall"].wait()
    assert gateway.asked("ConditionCall")[0].search_type == 1
