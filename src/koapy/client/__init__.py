"""Clients of the service: `Client` waits, `AsyncClient` is awaited; the rest is what they give and raise."""

from koapy.client.aio import AsyncClient, AsyncOrderStream, AsyncStream, AsyncTickStream
from koapy.client.batches import Batch
from koapy.client.connection import Options
from koapy.client.errors import (
    ConnectionLost,
    DeadlineExceeded,
    InvalidArgument,
    KoapyError,
    KoapyWarning,
    LimitExceeded,
    OpenApiError,
    OrderFailed,
    OrderUnknown,
    PermissionDenied,
    PreconditionFailed,
    ServerError,
    Unauthenticated,
    Unimplemented,
)
from koapy.client.frames import Transaction
from koapy.client.operations import Cancellation, Halt, JournalOrder, JournalOrders, Status
from koapy.client.order import Order, OrderState
from koapy.client.parse import Accepted, Chejan, Condition, Event, Hit, Message, OrderEvent, Tick
from koapy.client.reconnect import Interruption
from koapy.client.requests import Credentials, Stop
from koapy.client.sync import Client, OrderStream, Stream, TickStream, connect
from koapy.client.ticks import Ticks

__all__ = [
    "Accepted",
    "AsyncClient",
    "AsyncOrderStream",
    "AsyncStream",
    "AsyncTickStream",
    "Batch",
    "Cancellation",
    "Chejan",
    "Client",
    "Condition",
    "ConnectionLost",
    "Credentials",
    "DeadlineExceeded",
    "Event",
    "Halt",
    "Hit",
    "Interruption",
    "InvalidArgument",
    "JournalOrder",
    "JournalOrders",
    "KoapyError",
    "KoapyWarning",
    "LimitExceeded",
    "Message",
    "OpenApiError",
    "Options",
    "Order",
    "OrderEvent",
    "OrderFailed",
    "OrderState",
    "OrderStream",
    "OrderUnknown",
    "PermissionDenied",
    "PreconditionFailed",
    "ServerError",
    "Status",
    "Stop",
    "Stream",
    "Tick",
    "TickStream",
    "Ticks",
    "Transaction",
    "Unauthenticated",
    "Unimplemented",
    "connect",
]
