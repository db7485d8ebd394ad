"""Clients of the service: `Client` waits, `AsyncClient` is awaited; the rest is what they give and raise."""

from koapy.client.aio import AsyncClient, AsyncOrderStream, AsyncStream
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
    Unimplemented,
)
from koapy.client.frames import Transaction
from koapy.client.order import Order, OrderState
from koapy.client.parse import Accepted, Chejan, Condition, Event, Hit, Message, OrderEvent, Tick
from koapy.client.requests import Credentials, Stop
from koapy.client.sync import Client, OrderStream, Stream, connect

__all__ = [
    "Accepted",
    "AsyncClient",
    "AsyncOrderStream",
    "AsyncStream",
    "Chejan",
    "Client",
    "Condition",
    "ConnectionLost",
    "Credentials",
    "DeadlineExceeded",
    "Event",
    "Hit",
    "InvalidArgument",
    "KoapyError",
    "KoapyWarning",
    "LimitExceeded",
    "Message",
    "OpenApiError",
    "Order",
    "OrderEvent",
    "OrderFailed",
    "OrderState",
    "OrderStream",
    "OrderUnknown",
    "PermissionDenied",
    "PreconditionFailed",
    "ServerError",
    "Stop",
    "Stream",
    "Tick",
    "Transaction",
    "Unimplemented",
    "connect",
]
