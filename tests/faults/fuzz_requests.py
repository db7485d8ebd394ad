"""Requests for every RPC: valid ones, ones with a hostile value in some field, and encodings with broken bytes.

Everything comes from one `random.Random`, so a seed names a session, and hypothesis can stand in for it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.openapi.tr import trs
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol import gateway_pb2, streams_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from google.protobuf.message import Message

SERVICE = "/koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService/"
GATEWAY = "/koapy.v1.Gateway/"
STREAMS = "/koapy.v1.Streams/"
HEALTH = "/grpc.health.v1.Health/"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/"

TEXTS = (
    "", " ", "\x00", "a\x00b", "%s%n%d", "9" * 400, "가" * 300, "👾", "\u202e", "../../etc/passwd", "';--", ";" * 900,
    "00593\x00", "005930;", "١٢٣٤٥٦", "²", "-1", "1e309", "NaN", "ALL", "\r\n", "\x7f", "\ud7ff\ue000", "005930_NX_AL",
    "0000", "1001", "10000", "ABCD", "__class__", "close", "submit", "world", "{0.__class__}", "-0", "+1", "１００１",
    "OnReceiveTrData", "koapy.server.edge", "a.b.c", ".", "..", "a..b", "\ufeff", "\ufffd", "e\u0301" * 80, "0" * 64,
)  # fmt: skip
LONG_TEXTS = ("가" * 3_000, "x" * 9_000, ";005930" * 500, "0" * 20_000, "\x01" * 5_000)
NUMBERS = (
    0, 1, 2, 3, -1, -2, 5, 9, 10, 99, 100, 215, 9201, 2**15, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1,
    2**32, 2**53, 2**63 - 1, -(2**63),
)  # fmt: skip

METADATA: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    (b"koapy-event-deadline", (b"nan", b"inf", b"-1", b"0", b"1e-9", b"0.5", b"60", b"61", b"x", b"", b"0x10", b"1_0")),
    (b"koapy-idempotency-key", (b"", b"k", b"a" * 4000, b" ", b"\\x00", b"-", b"../x", b"1" * 36)),
    (b"koapy-from-sequence", (b"0", b"1", b"-1", b"99999999999999999999999", b"x", b"", b"1.5", b"9" * 5000, b"nan")),
    (b"koapy-overflow", (b"conflate", b"drop-oldest", b"", b"x", b"CONFLATE")),
    (b"koapy-queue", (b"0", b"1", b"-1", b"8192", b"99999999999", b"x", b"", b"nan")),
    (b"authorization", (b"Bearer x", b"Bearer ", b"", b"Basic eDp4", b"Bearer " + b"y" * 3000, b"bearer")),
    (b"grpc-status-details-bin", (b"AAAA",)),
    (b"x-any-bin", (b"AAAA", b"////")),
    (b"user-agent", (b"", b"koapy", b"x" * 2000)),
    (b"grpc-accept-encoding", (b"gzip", b"nonsense", b"")),
)
"""What a client may say about a call, in values that it should not have."""

PROTOCOL: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    (b"grpc-timeout", (b"1n", b"99999999H", b"-1S", b"abc", b"", b"0m", b"5x")),
    (b"grpc-encoding", (b"gzip", b"deflate", b"nonsense", b"")),
    (b"content-length", (b"0", b"5", b"x", b"99999999999")),
    (b"Upper-Case", (b"x",)),
    (b"koapy-nul", (b"a\x00b", b"\r\n", b"\xff\xfe", b"x" * 20_000)),
    (b":path", (b"/x",)),
    (b"transfer-encoding", (b"chunked",)),
    (b"connection", (b"close",)),
    (b"x-any-bin", (b"!!!", b"A", b"_")),
)
"""What belongs to the protocol below; whoever sends it may be answered there."""

FINITE = frozenset(
    {
        SERVICE + "Call", SERVICE + "SetLogLevel", SERVICE + "LoginCall", SERVICE + "TransactionCall",
        SERVICE + "LoadConditionCall", GATEWAY + "Orders", GATEWAY + "Halt", GATEWAY + "Release",
        GATEWAY + "Status", HEALTH + "Check", REFLECTION + "ServerReflectionInfo",
    }
)  # fmt: skip
"""RPCs that end by themselves; the others end with their client."""

LIGHT_TRS = ("opt10001", "opt10004", "opt10007", "opw00001", "opt10003")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as bytes."""

    path: str
    shape: str
    """valid, hostile, mutated, random or protocol: how far it is from what a client would send."""
    bodies: tuple[bytes, ...]
    """Its messages."""
    metadata: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def finite(self) -> bool:
        """Whether it must end by itself."""
        return self.path in FINITE

    @property
    def lenient(self) -> bool:
        """Whether the protocol below may have answered it."""
        return self.shape == "protocol"

    def __str__(self) -> str:
        bodies = " ".join(body.hex() or "-" for body in self.bodies)
        return f"{self.path} [{self.shape}] metadata {self.metadata!r} messages {bodies}"


@dataclass(frozen=True, slots=True)
class World:
    """What the server under test has, so that requests can be right."""

    codes: Sequence[str]
    account: str
    conditions: Sequence[tuple[int, str]] = ((0, "대형 저평가 우량주"), (1, "중소형 저평가주"))


class Generator:
    """Makes requests.

    Args:
        random: where all choices come from.
        world: of the server under test.
        heavy: how many in a thousand queries may be for any TR, whose answers can be long.
        orders: how many in a thousand orders may be fit to be sent: those stay in the market's memory for good.
    """

    def __init__(self, random: Random, world: World, heavy: int = 20, orders: int = 60) -> None:
        self._random = random
        self._world = world
        self._heavy = heavy
        self._orders = orders
        self._functions = [*FUNCTIONS.values(), *HELPERS.values()]
        self._trs = [each.code for each in trs()]
        methods: list[tuple[int, str, Callable[[], list[Message]]]] = [
            (220, SERVICE + "Call", lambda: [self._call()]),
            (90, SERVICE + "TransactionCall", self._transaction),
            (60, SERVICE + "OrderCall", self._order),
            (60, SERVICE + "RealCall", self._real),
            (50, SERVICE + "Listen", lambda: [self._listen()]),
            (10, SERVICE + "BidirectionalListen", self._bidirectional),
            (40, SERVICE + "BidirectionalRealCall", self._bidirectional_real),
            (25, SERVICE + "LoginCall", self._login),
            (10, SERVICE + "LoadConditionCall", lambda: [pb.LoadConditionRequest()]),
            (40, SERVICE + "ConditionCall", self._condition),
            (40, SERVICE + "OrderListen", lambda: [pb.ListenRequest()]),
            (20, SERVICE + "CustomListen", lambda: [self._custom()]),
            (20, SERVICE + "CustomCallAndListen", self._custom_call),
            (20, SERVICE + "SetLogLevel", self._log_level),
            (25, GATEWAY + "OrderEvents", self._order_events),
            (15, GATEWAY + "Orders", self._orders_of),
            (3, GATEWAY + "Halt", lambda: [gateway_pb2.HaltRequest(reason=self._text())]),
            (9, GATEWAY + "Release", lambda: [gateway_pb2.ReleaseRequest()]),
            (15, GATEWAY + "Status", lambda: [gateway_pb2.StatusRequest()]),
            (40, STREAMS + "Events", self._batches),
            (15, HEALTH + "Check", self._health),
            (10, HEALTH + "Watch", self._health),
            (18, REFLECTION + "ServerReflectionInfo", self._reflection),
        ]
        self._methods = [(path, make) for _, path, make in methods]
        self._weights = [weight for weight, _, _ in methods]
        self.paths = tuple(path for path, _ in self._methods)
        self._last = b""

    def request(self, path: str | None = None) -> Request:
        """The next request; of this RPC, where one is named."""
        random = self._random
        if path is None:
            path, make = random.choices(self._methods, self._weights)[0]
        else:
            make = dict(self._methods)[path]
        shape = random.choices(("valid", "hostile", "mutated", "random", "protocol"), (30, 35, 25, 5, 5))[0]
        made = make()
        if shape == "hostile":
            for _ in range(random.choice((1, 1, 1, 2, 3))):
                self._spoil(random.choice(made))
        bodies = [each.SerializeToString() for each in made]
        if shape == "mutated":
            at = random.randrange(len(bodies))
            bodies[at] = self.mutate(bodies[at])
        elif shape == "random":
            bodies = [random.randbytes(random.randrange(60)) for _ in bodies]
        self._last = bodies[-1]
        request = Request(path, shape, tuple(bodies))
        if shape == "protocol":
            name, values = random.choice(PROTOCOL)
            return replace(request, metadata=((name, random.choice(values)),))
        if random.random() < 0.1:
            name, values = random.choice(METADATA)
            return replace(request, metadata=((name, random.choice(values)),))
        return request

    def mutate(self, body: bytes) -> bytes:
        """An encoding with broken bytes."""
        random = self._random
        out = bytearray(body)
        for _ in range(random.choice((1, 1, 2, 4))):
            at = random.randrange(len(out) + 1)
            kind = random.randrange(7)
            if kind == 0 and out:
                out[at % len(out)] ^= 1 << random.randrange(8)
            elif kind == 1:
                del out[at : at + random.randrange(1, 9)]
            elif kind == 2:
                out[at:at] = random.randbytes(random.randrange(1, 9))
            elif kind == 3:  # a length or a number that is too long
                out[at:at] = b"\xff" * random.randrange(1, 11)
            elif kind == 4:
                out = out[:at] + out
            elif kind == 5:  # groups, which nobody uses, in each other
                out[at:at] = b"\x0b" * random.randrange(1, 200)
            else:
                out[at:at] = self._last[: random.randrange(40)]
        return bytes(out)

    def _spoil(self, message: Message) -> None:
        """Put a value into some field that nobody should."""
        random = self._random
        choices = message.DESCRIPTOR.fields
        if not choices:
            return
        field = random.choice(choices)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)[self._text()] = self._text()
        elif field.message_type is not None and field.is_repeated:
            repeated = getattr(message, field.name)
            if repeated and random.random() < 0.6:
                self._spoil(random.choice(repeated))
            else:
                self._spoil(repeated.add())
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self._spoil(inner)
        elif random.random() < 0.1:
            message.ClearField(field.name)
        elif field.is_repeated:
            getattr(message, field.name).extend(self._scalar(field) for _ in range(random.choice((1, 1, 2, 120))))
        else:
            setattr(message, field.name, self._scalar(field))

    def _scalar(self, field: FieldDescriptor) -> Any:
        random = self._random
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            if field.type == FieldDescriptor.TYPE_BYTES:
                return random.randbytes(random.randrange(20))
            return self._text()
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return random.random() < 0.5
        if field.cpp_type in {FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE}:
            return random.choice((0.0, -1.0, float("nan"), float("inf"), 1e30))
        number = random.choice(NUMBERS)
        if field.cpp_type in {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_ENUM}:
            return struct.unpack("<i", struct.pack("<q", number)[:4])[0]
        return number

    def _text(self) -> str:
        random = self._random
        if random.random() < 0.03:
            return random.choice(LONG_TEXTS)
        if random.random() < 0.15:
            return "".join(
                map(chr, (random.choice((random.randrange(128), 0xAC00 + random.randrange(11172))) for _ in range(8)))
            )
        return random.choice(TEXTS)

    def _code(self) -> str:
        return self._random.choice(self._world.codes)

    def _screen(self) -> str:
        return self._random.choice(("", "0101", "1000", "9999", "2000"))

    def _call(self) -> pb.CallRequest:
        function = self._random.choice(self._functions)
        return pb.CallRequest(name=function.name, arguments=[self._argument(each) for each in function.parameters])

    def _argument(self, parameter: Any) -> pb.Argument:
        random = self._random
        if parameter.type == "int":
            return pb.Argument(long_value=random.choice((0, 1, 2, 3, 10)))
        if parameter.type == "bool":
            return pb.Argument(bool_value=random.random() < 0.5)
        name = parameter.name
        if "Scr" in name or "Scn" in name:
            return pb.Argument(string_value=random.choice(("0101", "1000", "9999")))
        if "Acc" in name:
            return pb.Argument(string_value=self._world.account)
        if name == "strFidList":
            return pb.Argument(string_value="10;15;20")
        if name in {"strOptType", "sMarket", "sMarketGb"}:
            return pb.Argument(string_value=random.choice(("0", "1")))
        if name in {"strConditionName", "condition_name"}:
            return pb.Argument(string_value=random.choice(self._world.conditions)[1])
        if name in {"sTrCode", "strTrCode", "trcode"} and random.random() < 0.6:
            return pb.Argument(string_value=random.choice(LIGHT_TRS))
        if "Code" in name or name == "strDelCode":
            return pb.Argument(string_value=self._code())
        if name == "sTag":
            return pb.Argument(string_value=random.choice(("ACCNO", "USER_ID", "ACCOUNT_CNT", "GetServerGubun")))
        return pb.Argument(string_value=random.choice((self._code(), "종목코드", "00", "03", "주식기본정보", "", "0")))

    def _transaction(self) -> list[Message]:
        random = self._random
        heavy = random.randrange(1000) < self._heavy
        code = random.choice(self._trs) if heavy else random.choice(LIGHT_TRS)
        inputs = {"종목코드": self._code(), "계좌번호": self._world.account}
        if random.random() < 0.05:
            code, inputs = "OPTKWFID", {"종목코드": ";".join(self._code() for _ in range(random.choice((1, 3, 101))))}
        request = pb.TransactionRequest(
            request_name="질의", transaction_code=code, screen_no=self._screen(), inputs=inputs
        )
        if random.random() < 0.2:
            stop = pb.TransactionStopCondition(name="일자", value="20990101", comparator=random.randrange(6))
            request.stop_condition.CopyFrom(stop)
        return [request]

    def _order(self) -> list[Message]:
        random = self._random
        quote = random.choice(("03", "03", "13", "10", "00"))
        request = pb.OrderRequest(
            request_name="주문",
            screen_no=self._screen(),
            account_no=self._world.account,
            order_type=random.choice((1, 1, 2)),
            code=self._code(),
            quantity=1,
            price=0 if quote != "00" else 1000,
            quote_type=quote,
        )
        if random.randrange(1000) >= self._orders:
            wrong = random.randrange(6)
            if wrong == 0:
                request.quantity = random.choice((0, -1, 2**31, 2**63 - 1))
            elif wrong == 1:
                request.quote_type = self._text() or "?"
            elif wrong == 2:
                request.account_no = random.choice(("8000000099", "", "x", self._text()))
            elif wrong == 3:
                request.code = "999999"
            elif wrong == 4:
                request.order_type = random.choice((0, -1, 7, 99, 2**40))
            else:
                request.order_type, request.original_order_no = 3, random.choice(("", "x", "12345678", "000000"))
        return [request]

    def _flags(self) -> pb.RealRequestFlags:
        random = self._random
        yes = [random.random() < 0.5 for _ in range(3)]
        return pb.RealRequestFlags(infer_fids=yes[0], readable_names=yes[1], fast_parse=yes[2])

    def _real(self) -> list[Message]:
        random = self._random
        codes = [self._code() for _ in range(random.choice((1, 1, 3, 12)))]
        fids = random.choice(([], [10], [10, 15, 20], [9001, 302]))
        return [
            pb.RealRequest(code_list=codes, fid_list=fids, opt_type=random.choice(("", "0", "1")), flags=self._flags())
        ]

    def _listen(self) -> pb.ListenRequest:
        names = list(EVENTS)
        return pb.ListenRequest(slots=self._random.sample(names, self._random.randrange(1, 4)))

    def _custom(self) -> pb.ListenRequest:
        if self._random.random() < 0.5:
            return pb.ListenRequest()
        return pb.ListenRequest(code="class A:\n    pass\n", class_name="A")

    def _bidirectional(self) -> list[Message]:
        made: list[Message] = [pb.BidirectionalListenRequest(listen_request=self._listen())]
        handled = pb.BidirectionalListenRequest(handled_request=pb.HandledRequest())
        made += [handled] * self._random.randrange(3)
        if self._random.random() < 0.5:
            made.append(pb.BidirectionalListenRequest(stop_listen_request=pb.StopListenRequest()))
        return made

    def _bidirectional_real(self) -> list[Message]:
        random = self._random
        start = pb.BidirectionalRealInitializeRequest(fid_list=[10, 15], flags=self._flags())
        made: list[Message] = [pb.BidirectionalRealRequest(initialize_request=start)]
        for _ in range(random.randrange(1, 4)):
            codes = [self._code() for _ in range(random.choice((1, 2, 5)))]
            if random.random() < 0.7:
                register = pb.BidirectionalRealRegisterRequest(code_list=codes)
                made.append(pb.BidirectionalRealRequest(register_request=register))
            else:
                remove = pb.BidirectionalRealRemoveRequest(code_list=codes)
                made.append(pb.BidirectionalRealRequest(remove_request=remove))
        if random.random() < 0.5:
            made.append(pb.BidirectionalRealRequest(stop_request=pb.BidirectionalRealStopRequest()))
        return made

    def _batches(self) -> list[Message]:
        random = self._random
        first = streams_pb2.EventsRequest(
            slots=random.sample(list(EVENTS), random.choice((0, 0, 1, 3))),
            fids=random.choice(([], [10], [10, 15, 20], [9001, 302])),
            real_types=random.choice(([], [], ["주식체결"], [self._text()])),
            raw=random.random() < 0.3,
        )
        made: list[Message] = [first]
        for _ in range(random.randrange(4)):
            codes = [self._code() for _ in range(random.choice((1, 2, 5)))]
            to = random.choice(made)
            if random.random() < 0.7:
                to = streams_pb2.EventsRequest()
                made.append(to)
            (to.add if random.random() < 0.7 else to.remove).extend(codes)
        return made

    def _login(self) -> list[Message]:
        return [pb.LoginRequest(credentials=pb.LoginCredentials(user_id="x", account_passwords={"1": "2"}))]

    def _condition(self) -> list[Message]:
        random = self._random
        index, name = random.choice(self._world.conditions)
        flags = pb.ConditionRequestFlags(with_info=random.random() < 0.2)
        search = random.randrange(3)
        return [pb.ConditionRequest(condition_name=name, condition_index=index, search_type=search, flags=flags)]

    def _custom_call(self) -> list[Message]:
        return [pb.CallAndListenRequest(call_request=self._call(), listen_request=self._custom())]

    def _log_level(self) -> list[Message]:
        logger = self._random.choice(("koapy.server.call", "koapy.server", "koapy", "asyncio", "grpc"))
        return [pb.SetLogLevelRequest(level=self._random.choice((10, 20, 30, 40)), logger=logger)]

    def _order_events(self) -> list[Message]:
        return [gateway_pb2.OrderEventsRequest(from_sequence=self._random.choice((0, 1, 5, 10_000)))]

    def _orders_of(self) -> list[Message]:
        day = self._random.choice(("", "20260102", "19000101", "99991231", "20261301"))
        return [gateway_pb2.OrdersRequest(day=day, unsettled=True)]

    def _health(self) -> list[Message]:
        name = self._random.choice(("", SERVICE.strip("/"), "koapy.v1.Gateway", STREAMS.strip("/"), "nobody"))
        return [health_pb2.HealthCheckRequest(service=name)]

    def _reflection(self) -> list[Message]:
        made: list[Message] = []
        for _ in range(self._random.randrange(1, 4)):
            request = reflection_pb2.ServerReflectionRequest()
            kind = self._random.randrange(5)
            if kind == 0:
                request.list_services = ""
            elif kind == 1:
                request.file_containing_symbol = self._random.choice((SERVICE.strip("/"), "koapy.v1.Gateway", "x.y"))
            elif kind == 2:
                request.file_by_filename = self._random.choice(("koapy/protocol/gateway.proto", "x"))
            elif kind == 3:
                request.all_extension_numbers_of_type = self._random.choice(
                    ("koapy.v1.Order", "google.protobuf.Any", "x")
                )
            else:
                request.file_containing_extension.containing_type = "koapy.v1.Order"
                request.file_containing_extension.extension_number = self._random.choice((0, 100, -5, 2**31 - 1))
            made.append(request)
        return made
