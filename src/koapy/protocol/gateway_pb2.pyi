import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from koapy.protocol import KiwoomOpenApiPlusService_pb2 as _KiwoomOpenApiPlusService_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrderEventsRequest(_message.Message):
    __slots__ = ("from_sequence", "journal")
    FROM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    from_sequence: int
    journal: str
    def __init__(self, from_sequence: _Optional[int] = ..., journal: _Optional[str] = ...) -> None: ...

class OrderEvent(_message.Message):
    __slots__ = ("sequence", "time", "event", "order_id", "recovered")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    RECOVERED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: _timestamp_pb2.Timestamp
    event: _KiwoomOpenApiPlusService_pb2.ListenResponse
    order_id: int
    recovered: bool
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event: _Optional[_Union[_KiwoomOpenApiPlusService_pb2.ListenResponse, _Mapping]] = ..., order_id: _Optional[int] = ..., recovered: bool = ...) -> None: ...

class OrdersRequest(_message.Message):
    __slots__ = ("day", "unsettled")
    DAY_FIELD_NUMBER: _ClassVar[int]
    UNSETTLED_FIELD_NUMBER: _ClassVar[int]
    day: str
    unsettled: bool
    def __init__(self, day: _Optional[str] = ..., unsettled: bool = ...) -> None: ...

class OrdersResponse(_message.Message):
    __slots__ = ("journal", "last_sequence", "orders")
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    journal: str
    last_sequence: int
    orders: _containers.RepeatedCompositeFieldContainer[Order]
    def __init__(self, journal: _Optional[str] = ..., last_sequence: _Optional[int] = ..., orders: _Optional[_Iterable[_Union[Order, _Mapping]]] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("id", "time", "client", "function", "request_name", "account", "order_type", "code", "quantity", "price", "quote_type", "original", "number", "state", "open", "filled", "amount", "message", "changed")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_NAME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    QUOTE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    FILLED_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    id: int
    time: _timestamp_pb2.Timestamp
    client: str
    function: str
    request_name: str
    account: str
    order_type: int
    code: str
    quantity: int
    price: int
    quote_type: str
    original: str
    number: str
    state: str
    open: int
    filled: int
    amount: int
    message: str
    changed: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., client: _Optional[str] = ..., function: _Optional[str] = ..., request_name: _Optional[str] = ..., account: _Optional[str] = ..., order_type: _Optional[int] = ..., code: _Optional[str] = ..., quantity: _Optional[int] = ..., price: _Optional[int] = ..., quote_type: _Optional[str] = ..., original: _Optional[str] = ..., number: _Optional[str] = ..., state: _Optional[str] = ..., open: _Optional[int] = ..., filled: _Optional[int] = ..., amount: _Optional[int] = ..., message: _Optional[str] = ..., changed: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class HaltRequest(_message.Message):
    __slots__ = ("reason", "cancel_open")
    REASON_FIELD_NUMBER: _ClassVar[int]
    CANCEL_OPEN_FIELD_NUMBER: _ClassVar[int]
    reason: str
    cancel_open: bool
    def __init__(self, reason: _Optional[str] = ..., cancel_open: bool = ...) -> None: ...

class HaltState(_message.Message):
    __slots__ = ("halted", "by", "reason", "since")
    HALTED_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    halted: bool
    by: str
    reason: str
    since: _timestamp_pb2.Timestamp
    def __init__(self, halted: bool = ..., by: _Optional[str] = ..., reason: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class HaltResponse(_message.Message):
    __slots__ = ("state", "cancellations")
    STATE_FIELD_NUMBER: _ClassVar[int]
    CANCELLATIONS_FIELD_NUMBER: _ClassVar[int]
    state: HaltState
    cancellations: _containers.RepeatedCompositeFieldContainer[Cancellation]
    def __init__(self, state: _Optional[_Union[HaltState, _Mapping]] = ..., cancellations: _Optional[_Iterable[_Union[Cancellation, _Mapping]]] = ...) -> None: ...

class Cancellation(_message.Message):
    __slots__ = ("account", "code", "original", "quantity", "error")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    account: str
    code: str
    original: str
    quantity: int
    error: str
    def __init__(self, account: _Optional[str] = ..., code: _Optional[str] = ..., original: _Optional[str] = ..., quantity: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReleaseResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: HaltState
    def __init__(self, state: _Optional[_Union[HaltState, _Mapping]] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusResponse(_message.Message):
    __slots__ = ("serving", "state", "text", "halt", "journal", "last_sequence", "unsettled", "until", "notices")
    SERVING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HALT_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    UNSETTLED_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    serving: bool
    state: str
    text: str
    halt: HaltState
    journal: str
    last_sequence: int
    unsettled: int
    until: _timestamp_pb2.Timestamp
    notices: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, serving: bool = ..., state: _Optional[str] = ..., text: _Optional[str] = ..., halt: _Optional[_Union[HaltState, _Mapping]] = ..., journal: _Optional[str] = ..., last_sequence: _Optional[int] = ..., unsettled: _Optional[int] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., notices: _Optional[_Iterable[str]] = ...) -> None: ...
