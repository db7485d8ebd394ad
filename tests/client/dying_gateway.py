"""A gateway in a process of its own, to be killed in the middle of a stream. Prints its port."""

import asyncio

import grpc

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import KiwoomOpenApiPlusService_pb2_grpc as pb_grpc


class Dying(pb_grpc.KiwoomOpenApiPlusServiceServicer):
    async def RealCall(self, request, context):
        await context.write(
            pb.ListenResponse(
                name="OnReceiveRealData",
                arguments=[pb.Argument(string_value=each) for each in ("005930", "주식체결", "")],
            )
        )
        await asyncio.Event().wait()

    async def TransactionCall(self, request, context):
        await context.write(pb.ListenResponse(name="OnReceiveTrData"))
        await asyncio.Event().wait()

    async def OrderCall(self, request, context):
        await context.write(
            pb.ListenResponse(
                name="OnReceiveTrData",
                arguments=[pb.Argument(string_value=each) for each in ("2000", "buy", "KOA_NORMAL_BUY_KP_ORD", "", "")],
                single_data=pb.SingleData(names=["주문번호"], values=["0163911"]),
            )
        )
        await asyncio.Event().wait()


async def main() -> None:
    server = grpc.aio.server()
    pb_grpc.add_KiwoomOpenApiPlusServiceServicer_to_server(Dying(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
