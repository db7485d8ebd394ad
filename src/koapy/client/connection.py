"""Where a client connects to, and how: shared by both clients."""

from __future__ import annotations

import urllib.parse
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from koapy.client.errors import KoapyWarning
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import grpc

    from koapy.client.plan import Metadata

ADDRESS = "127.0.0.1:5943"
Stub: Any = KiwoomOpenApiPlusServiceStub
"""The generated stub, whose attributes no type checker knows."""
LARGEST = 64 * 1024 * 1024
"""Bytes of one message; a page of 900 rows has well under one MiB, a full market's quotes a few."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Address, credentials and what goes with every request."""

    address: str
    credentials: grpc.ChannelCredentials | None
    metadata: Metadata
    timeout: float | None
    """Seconds for each RPC that is to end, waits for limits included; None: as long as the server takes."""

    @property
    def options(self) -> list[tuple[str, Any]]:
        """gRPC's channel options."""
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", LARGEST),
            # Nothing is ever sent twice without the caller knowing: it might be an order.
            ("grpc.enable_retries", 0),
        ]
        if self.address.startswith(("127.", "localhost", "[::1]")):
            options.append(("grpc.enable_http_proxy", 0))
        return options


def connection(
    address: str,
    credentials: grpc.ChannelCredentials | None,
    metadata: Mapping[str, str] | Iterable[tuple[str, str]],
    timeout: float | None,
) -> Connection:
    """Make a connection's settings of a client's arguments."""
    pairs = metadata.items() if hasattr(metadata, "items") else metadata
    return Connection(address, credentials, tuple(pairs), timeout)


def warn(trailing: Any) -> None:
    """Pass on what the server warned of: inputs that a TR does not have, ticks that were merged for a slow reader."""
    for key, value in trailing or ():
        if key == "koapy-warning":
            warnings.warn(urllib.parse.unquote(value), KoapyWarning, stacklevel=4)
        elif key == "koapy-conflated":
            warnings.warn(f"read too slowly, so ticks were merged: {value}", KoapyWarning, stacklevel=4)
