"""Runs in KOAPY's own environment: uses every convenience of its client once and tells what came of it.

    python conveniences.py              prints one JSON object, {convenience: fact or {"error": text}}

KOAPY reads the port of the server from koapy.conf in the working directory. test_koapy_conveniences.py knows what the
facts must be.
"""

# ruff: noqa: I001, RUF100  these are KOAPY's own modules, and some of them have namesakes here

import itertools
import json
import queue
import sys
import threading
import traceback
from datetime import datetime, timedelta, timezone

import grpc
import pandas as pd

from koapy import KiwoomOpenApiPlusEntrypoint
from koapy.backtrader.KiwoomOpenApiPlusEventStreamer import (
    KiwoomOpenApiPlusOrderEventChannel,
    KiwoomOpenApiPlusPriceEventChannel,
)
from koapy.backend.kiwoom_open_api_plus.grpc import KiwoomOpenApiPlusService_pb2 as pb

CODE = "005930"
ETF = "069500"
SEOUL = timezone(timedelta(hours=9))
PATIENCE = 20  # seconds for an event to come
CHECKS = {}


def check(function):
    """Run this in the order of the file and report its result under its name."""
    CHECKS[function.__name__] = function
    return function


def plain(value):
    """A value as JSON has it; a frame as its columns, its number of rows and its first row."""
    if isinstance(value, pd.DataFrame):
        return {"columns": list(value.columns), "rows": len(value), "first": plain(value.iloc[0]) if len(value) else {}}
    if isinstance(value, pd.Series):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def event(message):
    """A message of a stream: its event, its arguments and the names that it carries."""
    arguments = [getattr(argument, argument.WhichOneof("value")) for argument in message.arguments]
    single, multi = message.single_data, message.multi_data
    return {
        "name": message.name,
        "arguments": arguments,
        "single": dict(zip(single.names, single.values, strict=True)),
        "columns": list(multi.names),
        "rows": len(multi.values),
    }


def first(stream, count):
    """So many events of a stream that does not end by itself, which is then cancelled."""
    timer = threading.Timer(PATIENCE, stream.cancel)
    timer.start()
    try:
        return [event(each) for each in itertools.islice(stream, count)]
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.CANCELLED:
            raise TimeoutError(f"no {count} events in {PATIENCE} s") from error
        raise
    finally:
        timer.cancel()
        stream.cancel()


def callback_value(connect):
    """What a callback is called with, of a function that takes one."""
    called = queue.Queue()
    return [connect(called.put), called.get(timeout=PATIENCE)]


# Login


@check
def before_login(api):
    return [api.GetConnectState(), api.IsConnected(), api.GetAPIModulePath()]


@check
def EnsureConnected(api):
    return [api.EnsureConnected(), api.IsConnected(), api.GetConnectState()]


@check
def EnsureConnected_again(api):
    return api.EnsureConnected()


@check
def Connect(api):
    return api.Connect()


@check
def EnsureConnectedAndThen(api):
    return callback_value(api.EnsureConnectedAndThen)


@check
def CommConnectAndThen(api):
    return callback_value(api.CommConnectAndThen)


@check
def LoginCall(api):
    credentials = {
        "user_id": "tester",
        "user_password": "secret",
        "cert_password": "",
        "is_simulation": True,
        "account_passwords": {"0000000000": "0000"},
    }
    return [api.LoginCall(), api.LoginCall(credentials)]


@check
def login_info(api):
    return {
        "GetAccountList": api.GetAccountList(),
        "GetFirstAvailableAccount": api.GetFirstAvailableAccount(),
        "GetAccountCount": api.GetAccountCount(),
        "GetUserId": api.GetUserId(),
        "GetUserName": api.GetUserName(),
        "GetKeyboardSecurityStatus": api.GetKeyboardSecurityStatus(),
        "IsKeyboardSecurityEnabled": api.IsKeyboardSecurityEnabled(),
        "GetFirewallStatus": api.GetFirewallStatus(),
        "IsFirewallEnabled": api.IsFirewallEnabled(),
        "GetServerGubun": api.GetServerGubun(),
        "IsSimulationServer": api.IsSimulationServer(),
        "IsRealServer": api.IsRealServer(),
    }


@check
def paths(api):
    return {
        "GetConditionFilePath": api.GetConditionFilePath(),
        "GetAutoLoginDatPath": api.GetAutoLoginDatPath(),
        "IsAutoLoginEnabled": api.IsAutoLoginEnabled(),
        "DisableAutoLogin": api.DisableAutoLogin(),
    }


# Look-ups


@check
def KOA_Functions(api):
    return {
        "GetMasterStockInfo": api.GetMasterStockInfo(CODE),
        "GetMasterStockInfoAsDict": api.GetMasterStockInfoAsDict(CODE),
        "GetUpjongCode": api.GetUpjongCode(0),
        "GetUpjongCodeAsList": api.GetUpjongCodeAsList(0),
        "GetUpjongNameByCode": api.GetUpjongNameByCode("001"),
        "GetStockMarketKind": [api.GetStockMarketKind(CODE), api.GetStockMarketKind(ETF)],
        "AddPriceToConditionSearchResult": api.AddPriceToConditionSearchResult(),
        "DelPriceFromConditionSearchResult": api.DelPriceFromConditionSearchResult(),
        "ShowAccountWindow": api.ShowAccountWindow(),
        "IsOrderWarningETF": api.IsOrderWarningETF(ETF),
        "IsOrderWarningETFAsBoolean": api.IsOrderWarningETFAsBoolean(ETF),
        "IsOrderWarningStock": api.IsOrderWarningStock(CODE),
        "IsOrderWarningStockAsBoolean": api.IsOrderWarningStockAsBoolean(CODE),
        "GetMasterListedStockCntEx": api.GetMasterListedStockCntEx(CODE),
        "GetMasterListedStockCntExAsInt": api.GetMasterListedStockCntExAsInt(CODE),
    }


@check
def codes(api):
    kospi, kosdaq, general = api.GetKospiCodeList(), api.GetKosdaqCodeList(), api.GetGeneralCodeList()
    etfs = api.GetCodeListByMarketAsList("8")
    return {
        "kospi": len(kospi),
        "kosdaq": len(kosdaq),
        "general": len(general),
        "etfs": len(etfs),
        "all": len(api.GetCodeListByMarketAsList()),
        "sorted": kospi == sorted(kospi) and kosdaq == sorted(kosdaq),
        "empty": [code for code in (*kospi, *kosdaq, *general) if not code],
        "samsung in": [CODE in kospi, CODE in kosdaq, CODE in general],
        "general has etfs": bool(set(general) & set(etfs)),
        "etf names": api.GetNameListByMarketAsList("8")[:3],
        "name": api.GetMasterCodeName(CODE),
    }


@check
def states(api):
    return {
        "GetMasterStockStateAsList": api.GetMasterStockStateAsList(CODE),
        "GetStockStates": api.GetStockStates(CODE),
        "GetSurveillanceFlag": api.GetSurveillanceFlag(CODE),
        "IsSuspended": api.IsSuspended(CODE),
        "IsUnderSurveillance": api.IsUnderSurveillance(CODE),
        "IsUnderAdministration": api.IsUnderAdministration(CODE),
        "IsFlaggedForCaution": api.IsFlaggedForCaution(CODE),
        "IsNotNormal": api.IsNotNormal(CODE),
        "IsNormal": api.IsNormal(CODE),
    }


# Queries


@check
def GetStockBasicInfo(api):
    return [plain(api.GetStockBasicInfoAsDict(CODE)), plain(api.GetStockBasicInfoAsSeries(CODE))]


@check
def TransactionCall(api):
    inputs = {"종목코드": CODE, "수정주가구분": "1"}
    stop = {"name": "일자", "value": "20260101", "comparator": "<"}
    stream = api.TransactionCall("일봉", "opt10081", None, inputs, stop_condition=stop)
    pages = [event(each) for each in stream]
    return {"pages": pages, "code": stream.code().name}


@check
def TransactionCall_unknown(api):
    stream = api.TransactionCall("없는 조회", "opt77777", None, {"종목코드": CODE})
    try:
        return [event(each) for each in stream]
    except grpc.RpcError as error:
        return error.code().name


@check
def GetStockQuoteInfoAsDataFrame(api):
    return plain(api.GetStockQuoteInfoAsDataFrame([CODE, "000660"]))


@check
def GetStockQuoteInfoAsDataFrame_of_all(api):
    general = api.GetGeneralCodeList()
    frame = api.GetStockQuoteInfoAsDataFrame()
    return {"asked": len(general), "rows": len(frame), "same": sorted(frame["종목코드"].str[-6:]) == general}


@check
def charts(api):
    daily = api.GetDailyStockDataAsDataFrame(CODE, adjusted_price=True)
    last, tenth = daily["일자"][0], daily["일자"][9]
    return {
        "daily": plain(daily),
        "daily of days": list(api.GetDailyStockDataAsDataFrame(CODE, last, tenth)["일자"]),
        "daily with end": list(api.GetDailyStockDataAsDataFrame(CODE, last, tenth, include_end=True)["일자"]),
        "ten days": list(daily["일자"][:10]),
        "weekly": plain(api.GetWeeklyStockDataAsDataFrame(CODE, last, "20250101")),
        "monthly": plain(api.GetMonthlyStockDataAsDataFrame(CODE, last, "20250101")),
        "yearly": plain(api.GetYearlyStockDataAsDataFrame(CODE, last)),
        "minute": plain(api.GetMinuteStockDataAsDataFrame(CODE, 60)),
        "tick": plain(api.GetTickStockDataAsDataFrame(CODE, 30, end_date=tenth[:8] + "000000")),
    }


@check
def quotes(api):
    return {
        "GetStockQuotes": plain(api.GetStockQuotes(CODE)),
        "GetMarketPriceInfo": plain(api.GetMarketPriceInfo(CODE)),
    }


@check
def account(api):
    number = api.GetFirstAvailableAccount()
    status = api.GetAccountEvaluationStatusAsSeriesAndDataFrame(number)
    execution = api.GetAccountExecutionBalanceAsSeriesAndDataFrame(number)
    evaluation = api.GetAccountEvaluationBalanceAsSeriesAndDataFrame(number)
    return {
        "GetDepositInfo": plain(api.GetDepositInfo(number)),
        "GetDepositInfo with_multi": plain(api.GetDepositInfo(number, with_multi=True)),
        "GetAccountRateOfReturnAsDataFrame": plain(api.GetAccountRateOfReturnAsDataFrame(number)),
        "GetAccountEvaluationStatusAsSeriesAndDataFrame": plain(status),
        "GetAccountExecutionBalanceAsSeriesAndDataFrame": plain(execution),
        "GetAccountEvaluationBalanceAsSeriesAndDataFrame": plain(evaluation),
    }


# Own event handlers: the client's Calls run inside the event


@check
def CommRqDataWithInputs(api):
    answers = queue.Queue()

    def read(screen, request, code, record, more, *_rest):
        if request == "직접 조회":
            name = api.GetCommData(code, record, 0, "종목명")
            answers.put([screen, code, more, api.GetRepeatCnt(code, record), name.strip()])

    api.OnReceiveTrData.connect(read)
    try:
        asked = [api.CommRqDataWithInputs("직접 조회", "opt10001", 0, "0101", {"종목코드": CODE})]
        for _ in range(5):  # connect does not wait for the server: an answer that comes before it does is missed
            try:
                return {"asked": asked, "answer": answers.get(timeout=2)}
            except queue.Empty:
                asked.append(api.CommRqDataWithInputs("직접 조회", "opt10001", 0, "0101", {"종목코드": CODE}))
        raise TimeoutError("no OnReceiveTrData")
    finally:
        api.OnReceiveTrData.disconnect(read)


@check
def RateLimitedCommRqData(api):
    try:
        return api.RateLimitedCommRqData("조회", "opt10001", 0, "0101", {"종목코드": CODE})
    except TypeError as error:
        return type(error).__name__


# Conditions


@check
def LoadCondition(api):
    before = api.IsConditionLoaded()
    return [
        before,
        api.LoadCondition(),
        api.IsConditionLoaded(),
        api.EnsureConditionLoaded(),
        api.EnsureConditionLoaded(force=True),
    ]


@check
def LoadConditionCall(api):
    return plain(api.LoadConditionCall())


@check
def GetConditionNameListAsList(api):
    return plain(api.GetConditionNameListAsList())


@check
def GetCodeListByCondition(api):
    return plain(api.GetCodeListByCondition("대형 저평가 우량주", with_info=True))


@check
def GetCodeListByConditionAsStream(api):
    stream = api.GetCodeListByConditionAsStream("중소형 저평가주", with_info=True, old_behavior=True)
    timer = threading.Timer(PATIENCE, stream.cancel)
    timer.start()
    inserted, deleted, info = next(stream)
    _, _, quotes_of_hits = next(stream) if inserted else (None, None, None)
    timer.cancel()
    stream.cancel()
    rows = None if quotes_of_hits is None else len(quotes_of_hits)
    return {"inserted": inserted, "deleted": deleted, "info": info, "rows": rows}


@check
def RateLimitedSendCondition(api):
    unused = [
        each for each in api.GetConditionNameListAsList() if each[1] not in ("대형 저평가 우량주", "중소형 저평가주")
    ]
    if not unused:
        return "no third condition"
    index, name = unused[0]
    return api.RateLimitedSendCondition("0102", name, index, 0)


# Real-time data


@check
def GetRealDataForCodesAsStream(api):
    stream = api.GetRealDataForCodesAsStream(CODE, infer_fids=True, readable_names=True)
    return first(stream, 3)


@check
def GetRealDataForCodesAsStream_of_fids(api):
    return first(api.GetRealDataForCodesAsStream([CODE], [10, 15, 20]), 2)


@check
def RealCall_fast(api):
    stream = api.RealCall(
        "0150", [CODE, "000660"], [10, 15, 20], "0", infer_fids=True, readable_names=True, fast_parse=True
    )
    return first(stream, 3)


@check
def BidirectionalRealCall(api):
    requests = queue.Queue()

    def send(**parts):
        requests.put(pb.BidirectionalRealRequest(**parts))

    flags = pb.RealRequestFlags(readable_names=True)
    send(initialize_request=pb.BidirectionalRealInitializeRequest(fid_list=[10, 20], flags=flags))
    send(register_request=pb.BidirectionalRealRegisterRequest(code_list=[CODE]))
    stream = api.BidirectionalRealCall(iter(requests.get, None))
    try:
        return first(stream, 2)
    finally:
        requests.put(None)


@check
def Listen(api):
    stream = api.Listen(pb.ListenRequest(slots=["OnReceiveRealData"]))
    ticks = api.GetRealDataForCodesAsStream([CODE])
    try:
        return first(stream, 1)
    finally:
        ticks.cancel()


# Orders


def order(api, *arguments):
    """An order at its stream's end: its events as (event, 913, 902)."""
    stream = api.OrderCall(*arguments)
    timer = threading.Timer(PATIENCE, stream.cancel)
    timer.start()
    events = []
    try:
        for each in stream:
            told = event(each)
            data = told["single"]
            what = [told["name"], data.get("주문상태", ""), data.get("미체결수량", ""), data.get("주문번호", "")]
            events.append([*what, told["arguments"][0]])
        return {"events": events, "end": stream.code().name}
    except grpc.RpcError as error:
        return {"events": events, "end": error.code().name}
    finally:
        timer.cancel()


@check
def OrderCall_buy(api):
    return order(api, "시장가 매수", "0001", api.GetFirstAvailableAccount(), 1, CODE, 2, 0, "03", "")


@check
def OrderCall_sell(api):
    return order(api, "시장가 매도", 2, api.GetFirstAvailableAccount(), 2, CODE, 1, 0, "03")


@check
def OrderCall_cancel(api):
    number = api.GetFirstAvailableAccount()
    price = int(api.GetMasterLastPrice(CODE)) * 8 // 10 // 1000 * 1000  # far below the market, on every tick size
    waiting = api.OrderCall("지정가 매수", None, number, 1, CODE, 1, price, "00")
    placed = ""
    for each in waiting:
        told = event(each)
        placed = told["single"].get("주문번호", "") or placed
        if told["name"] == "OnReceiveChejanData":
            break
    cancelled = order(api, "취소", None, number, 3, CODE, 1, 0, "00", placed)
    rest = [event(each)["name"] for each in waiting]
    return {"placed": placed, "cancel": cancelled, "rest": rest, "end": waiting.code().name}


@check
def OrderCall_rejected(api):
    return order(api, "틀린 주문", None, api.GetFirstAvailableAccount(), 1, CODE, 1, 1, "00")


@check
def OrderListen(api):
    stream = api.OrderListen(pb.ListenRequest())
    told = queue.Queue()
    thread = threading.Thread(target=lambda: told.put(first(stream, 3)))
    thread.start()
    for attempt in range(5):  # nothing says when the server listens: an order that comes before it does is missed
        order(api, f"매수 {attempt}", None, api.GetFirstAvailableAccount(), 1, CODE, 1, 0, "03")
        try:
            return [each["name"] for each in told.get(timeout=1)]
        except queue.Empty:
            continue
    raise TimeoutError("OrderListen told of no order")


# Streams of KOAPY's backtrader store


@check
def backtrader_prices(api):
    channel = KiwoomOpenApiPlusPriceEventChannel(api)
    usable = queue.Queue()
    channel._response_subject.subscribe(lambda tick: channel.is_valid_price_event(tick) and usable.put(event(tick)))
    channel.register_code(CODE)
    try:
        return list(usable.get(timeout=5)["single"])
    finally:
        channel.close()


@check
def backtrader_orders(api):
    channel = KiwoomOpenApiPlusOrderEventChannel(api)
    told = queue.Queue()
    channel.get_observable().subscribe(told.put)
    try:
        for attempt in range(5):  # as above
            order(api, f"매수 {attempt}", None, api.GetFirstAvailableAccount(), 1, CODE, 1, 0, "03")
            try:
                return told.get(timeout=1)
            except queue.Empty:
                continue
        raise TimeoutError("no order came through the channel")
    finally:
        channel.close()


@check
def GetOrderLog(api):
    number = api.GetFirstAvailableAccount()
    return {
        "1": plain(api.GetOrderLogAsDataFrame1(number)),
        "1 of code": plain(api.GetOrderLogAsDataFrame1(number, code=CODE, status_type="1")),
        "2": plain(api.GetOrderLogAsDataFrame2(number)),
        # KOAPY's own choice of the day is this machine's clock, and yesterday's before 08:20.
        "3": plain(api.GetOrderLogAsDataFrame3(number, date=datetime.now(SEOUL).strftime("%Y%m%d"))),
    }


@check
def SetLogLevel(api):
    return type(api.SetLogLevel(30, "koapy")).__name__


def main():
    """Run all checks against the server of koapy.conf and print the facts."""
    facts = {}
    with KiwoomOpenApiPlusEntrypoint() as api:
        for name, function in CHECKS.items():
            print(name, file=sys.stderr, flush=True)
            try:
                facts[name] = function(api)
            except Exception as error:  # one failing convenience must not hide the others
                facts[name] = {"error": "".join(traceback.format_exception_only(type(error), error)).strip()}
                traceback.print_exc()
    json.dump(facts, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
