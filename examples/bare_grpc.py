"""Asks a TR without koapy's client, by the generated modules alone: what a program in any other language does.

python examples/bare_grpc.py [HOST:PORT]
"""

import sys

import grpc

from koapy.backend.kiwoom_open_api_plus.grpc import KiwoomOpenApiPlusService_pb2 as pb
from koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:5943"

with grpc.insecure_channel(ADDRESS) as channel:
    stub = KiwoomOpenApiPlusServiceStub(channel)
    for event in stub.LoginCall(pb.LoginRequest(), timeout=10):
        print(event.name, event.arguments[0].long_value)
    request = pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
    for event in stub.TransactionCall(request, timeout=10):
        for name, value in zip(event.single_data.names, event.single_data.values, strict=True):
            print(name, value)
