"""Everything that can be asked for has a role, and what has been forgotten is closed."""

from __future__ import annotations

import pytest

from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.openapi.login import koa_functions, login_tags
from koapy.openapi.tr import trs
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2, streams_pb2
from koapy.server import access
from koapy.server.access import ACCOUNT, ADMIN, ANYBODY, CUSTOM_CODE, MARKET_DATA, ORDER
from koapy.server.edge import rpc


def arguments(*values: str | int) -> list[pb.Argument]:
    return [
        pb.Argument(string_value=each) if isinstance(each, str) else pb.Argument(long_value=each) for each in values
    ]


def test_every_rpc_of_every_service_has_a_role_and_one_name() -> None:
    services = [
        pb.DESCRIPTOR.services_by_name["KiwoomOpenApiPlusService"],
        gateway_pb2.DESCRIPTOR.services_by_name["Gateway"],
        streams_pb2.DESCRIPTOR.services_by_name["Streams"],
    ]
    names = [method.name for service in services for method in service.methods]
    assert sorted([*names, "ServerReflectionInfo"]) == sorted(access.RPC_NEEDS)
    assert len(names) == len(set(names))


def test_an_rpc_without_a_role_cannot_be_written() -> None:
    async def Novelty(servicer: object, core: object, request: object, caller: object) -> None: ...

    with pytest.raises(KeyError, match="Novelty"):
        rpc(Novelty)  # type: ignore[arg-type]


def test_every_function_event_and_tag_has_a_role() -> None:
    assert set(access.FUNCTION_NEEDS) == {*FUNCTIONS, *HELPERS}
    assert set(access.EVENT_NEEDS) == set(EVENTS)
    assert set(access.LOGIN_INFO_NEEDS) == {each.tag for each in login_tags()}
    assert set(access.KOA_FUNCTION_NEEDS) == {each.function for each in koa_functions()}


def test_every_tr_that_takes_an_account_needs_the_role() -> None:
    assert {each.code: access.tr_needs(each.code) for each in trs()} == {
        each.code: ACCOUNT if "계좌번호" in each.input_names else MARKET_DATA for each in trs()
    }
    assert access.tr_needs("OPW00018") == ACCOUNT
    assert access.tr_needs("opt0") == ANYBODY


def test_what_the_tables_have_forgotten_needs_the_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {name: needs for name, needs in access.FUNCTION_NEEDS.items() if name != "GetThemeGroupList"}
    monkeypatch.setattr(access, "FUNCTION_NEEDS", kept)
    monkeypatch.setattr(access, "EVENT_NEEDS", {})
    assert access.call_needs("GetThemeGroupList") == ADMIN
    assert access.events_needs(["OnReceiveRealData"]) == ADMIN
    assert access.call_needs("GetThemeGroupLis") == ANYBODY
    assert access.call_needs("KOA_Functions", arguments("NextYearsFunction", "")) == ADMIN
    assert access.call_needs("GetLoginInfo", arguments("NEXT_YEARS_TAG")) == ACCOUNT


@pytest.mark.parametrize(
    ("name", "given", "needs"),
    [
        ("SendOrder", (), ORDER),
        ("SendOrderFO", (), ORDER),
        ("CommRqData", ("잔고", "opw00018"), ACCOUNT),
        ("CommRqData", ("잔고", "OPW00018", 0, "0001"), ACCOUNT),
        ("RateLimitedCommRqData", ("일봉", "opt10081"), MARKET_DATA),
        ("CommRqData", (), ANYBODY),
        ("CommRqData", (1, 2), ANYBODY),
        ("GetCommData", ("opw00001",), ACCOUNT),
        ("GetCommData", ("opt10001",), MARKET_DATA),
        ("GetCommData", ("KOA_NORMAL_BUY_KP_ORD",), ACCOUNT),
        ("GetRepeatCnt", ("",), ACCOUNT),
        ("GetLoginInfo", ("ACCNO",), ACCOUNT),
        ("GetLoginInfo", ("GetServerGubun",), ANYBODY),
        ("KOA_Functions", ("ShowAccountWindow", ""), ADMIN),
        ("KOA_Functions", ("GetMasterStockInfo", "005930"), MARKET_DATA),
        ("CommConnect", (), ANYBODY),
        ("CommTerminate", (), ADMIN),
        ("GetChejanData", (9201,), ACCOUNT),
    ],
)
def test_what_arguments_decide(name: str, given: tuple[str | int, ...], needs: access.Needs) -> None:
    assert access.call_needs(name, arguments(*given)) == needs


@pytest.mark.parametrize(
    ("rpc_name", "request_", "needs"),
    [
        ("LoginCall", pb.LoginRequest(), ANYBODY),
        ("LoginCall", pb.LoginRequest(credentials=pb.LoginCredentials()), ANYBODY),
        ("LoginCall", pb.LoginRequest(credentials=pb.LoginCredentials(user_id="somebody")), ADMIN),
        ("CustomListen", pb.ListenRequest(class_name="Mine"), CUSTOM_CODE),
        ("CustomListen", pb.ListenRequest(code="class Mine: pass"), CUSTOM_CODE),
        ("CustomListen", pb.ListenRequest(), MARKET_DATA | ACCOUNT),
        (
            "CustomCallAndListen",
            pb.CallAndListenRequest(
                call_request=pb.CallRequest(name="SendOrder"), listen_request=pb.ListenRequest(code="x")
            ),
            ORDER | CUSTOM_CODE,
        ),
        ("Listen", pb.ListenRequest(slots=["OnReceiveRealData", "OnReceiveChejanData"]), MARKET_DATA | ACCOUNT),
    ],
)
def test_what_requests_decide(rpc_name: str, request_: object, needs: access.Needs) -> None:
    decided = access.RPC_NEEDS[rpc_name]
    assert not isinstance(decided, frozenset)
    assert decided(request_) == needs
