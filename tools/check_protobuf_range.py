"""Loads the generated modules under the oldest and the newest protobuf and grpcio that the package's metadata admits.

Each pair goes into a virtual environment of its own. There a message goes to bytes and back, and a server and a client
that know nothing but the generated modules speak over a real port.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import fresh

FIRST_BUILDS = {"grpcio": {(3, 14): "1.75.1"}}
"""Where the oldest admitted release has not been built for a later Python: the first one that has."""

TRIAL = """
import importlib, sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
import grpc
sys.path.insert(0, sys.argv[1])
pb = importlib.import_module("koapy.protocol.KiwoomOpenApiPlusService_pb2")
pb_grpc = importlib.import_module("koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc")
v1 = importlib.import_module("koapy.protocol.gateway_pb2")
assert importlib.import_module("koapy.protocol.gateway_pb2_grpc").GatewayStub
assert importlib.import_module("koapy.protocol.streams_pb2_grpc").StreamsStub
assert v1.OrderEvent(event=pb.ListenResponse(name="OnReceiveMsg")).event.name == "OnReceiveMsg"

class Servicer(pb_grpc.KiwoomOpenApiPlusServiceServicer):
    def Call(self, request, context):
        return pb.CallResponse(return_value=pb.ReturnValue(string_value=request.name))

server = grpc.server(ThreadPoolExecutor(1))
pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server(Servicer(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    answer = pb_grpc.KiwoomOpenApiPlusServiceStub(channel).Call(pb.CallRequest(name="GetConnectState"), timeout=10)
server.stop(None).wait()
assert answer.return_value.string_value == "GetConnectState", answer
request = pb.TransactionRequest(transaction_code="opt10001", inputs={"종목코드": "005930"})
assert pb.TransactionRequest.FromString(request.SerializeToString()) == request
print("loads under protobuf", version("protobuf"), "and grpcio", version("grpcio"))
"""


def admitted(name: str) -> tuple[str, str]:
    """The oldest release that the metadata admits as a requirement, and all that it admits."""
    metadata = tomllib.loads((fresh.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    requirement = next(each for each in metadata["project"]["dependencies"] if re.match(rf"{name}\b(?!-)", each))
    oldest = re.search(r">=([\d.]+)", requirement)
    assert oldest is not None
    built = FIRST_BUILDS.get(name, {}).get(sys.version_info[:2], oldest[1])
    return f"{name}=={built}", requirement


def main() -> int:
    """Try both ends; 1 where one of them fails."""
    failed = 0
    for which in (0, 1):
        with tempfile.TemporaryDirectory() as temporary:
            wanted = [admitted(name)[which] for name in ("grpcio", "protobuf")]
            python = fresh.environment(Path(temporary), *wanted)
            command = [python, "-c", TRIAL, str(fresh.ROOT / "src")]
            code = subprocess.call(command, env=os.environ | {"PYTHONUTF8": "1", "PYTHONWARNINGS": "error"})
        if code:
            failed = 1
            print("the generated modules do not load under", *wanted, file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
