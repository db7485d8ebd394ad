"""What the cases ask of a server, and what of the gateway's answers the bare server gives again."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import grpc

from benchmarks.control import ACCOUNT, CODE, PAGES_INPUT, REAL_FIDS, code_number
from benchmarks.processes import SUBJECTS, Server
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import streams_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICE = "/koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService/"
EVENTS = "/koapy.v1.Streams/Events"
REAL_DATA = "OnReceiveRealData"

LISTEN = pb.ListenRequest(slots=[REAL_DATA]).SerializeToString()
LISTEN_TO_NOTHING = pb.ListenRequest(slots=["OnReceiveConditionVer"]).SerializeToString()
LISTEN_BOTH_WAYS = pb.BidirectionalListenRequest(listen_request=pb.ListenRequest(slots=[REAL_DATA])).SerializeToString()
HANDLED = pb.BidirectionalListenRequest(handled_request=pb.HandledRequest()).SerializeToString()


def real(codes: int = 1, first: int = 0) -> bytes:
    """A RealCall for so many codes; for one, the code of a control that ticks for one."""
    names = [code_number(each) for each in range(first, first + codes)] if codes > 1 or first else [CODE]
    return pb.RealRequest(code_list=names, fid_list=REAL_FIDS).SerializeToString()


def batches(codes: int = 1) -> bytes:
    """The same in batches."""
    asked = pb.RealRequest.FromString(real(codes))
    return streams_pb2.EventsRequest(add=asked.code_list, fids=asked.fid_list).SerializeToString()


def call(name: str, *arguments: str) -> bytes:
    """A Call."""
    given = [pb.Argument(string_value=each) for each in arguments]
    return pb.CallRequest(name=name, arguments=given).SerializeToString()


def query(pages: int) -> bytes:
    """A TransactionCall that takes so many pages."""
    inputs = {"종목코드": CODE, PAGES_INPUT: f"{pages:08d}", "수정주가구분": "1"}
    return pb.TransactionRequest(
        request_name="daily", transaction_code="opt10081", screen_no="0101", inputs=inputs
    ).SerializeToString()


def order(number: int) -> bytes:
    """An OrderCall; orders under way at once are for different codes, so that each gets its own five events."""
    return pb.OrderRequest(
        request_name="order",
        screen_no="0102",
        account_no=ACCOUNT,
        order_type=1,
        code=code_number(number),
        quantity=10,
        price=71_500,
        quote_type="00",
    ).SerializeToString()


def record(file: Path) -> None:
    """Write what the gateway answers into a file, for the bare server."""
    with Server(SUBJECTS[0]) as server, grpc.insecure_channel(server.address) as channel:
        server.tick(50)
        shapes = {
            "call": [channel.unary_unary(SERVICE + "Call")(call("GetConnectState"), timeout=20)],
            "listen": _tick(next(_stream(channel, "Listen", LISTEN))),
            "real": _tick(next(_stream(channel, "RealCall", real()))),
            "query": list(_stream(channel, "TransactionCall", query(2))),
            "order": list(_stream(channel, "OrderCall", order(1))),
        }
        both_ways = channel.stream_stream(SERVICE + "BidirectionalListen")
        shapes["held"] = _tick(next(both_ways(_first_of_two(), timeout=20)))
    if len(shapes["query"]) != 2 or len(shapes["order"]) != 5:
        raise RuntimeError(f"{len(shapes['query'])} pages of 2, {len(shapes['order'])} messages of 5 for an order")
    stored = {name: [each.hex() for each in row] for name, row in shapes.items()}
    file.write_text(json.dumps(stored), encoding="utf-8")


def _stream(channel: grpc.Channel, method: str, body: bytes) -> Iterator[bytes]:
    stream: Iterator[bytes] = channel.unary_stream(SERVICE + method)(body, timeout=20)
    return stream


def _first_of_two() -> Iterator[bytes]:
    """A request, and a side of the stream that stays open, as its end would end the stream."""
    yield LISTEN_BOTH_WAYS
    threading.Event().wait(20)


def _tick(message: bytes) -> list[bytes]:
    """A tick's message without its code and its time: what comes before, between and after."""
    code, time = message.index(CODE.encode()), message.index(b"@") + 1
    return [message[:code], message[code + len(CODE) : time], message[time + 16 :]]
