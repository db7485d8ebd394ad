"""Where a client connects to, and how: shared by both clients."""

from __future__ import annotations

import ipaddress
import os
import urllib.parse
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import grpc

from koapy.client.errors import InvalidArgument, KoapyWarning
from koapy.client.reconnect import RECONNECT, Link
from koapy.client.requests import sendable
from koapy.protocol.gateway_pb2_grpc import GatewayStub
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub
from koapy.protocol.streams_pb2_grpc import StreamsStub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from koapy.client.plan import Metadata
    from koapy.client.reconnect import Interruption

ADDRESS = "127.0.0.1:5943"
LARGEST = 64 * 1024 * 1024
"""Bytes of one message; a page of 900 rows has well under one MiB, a full market's quotes a few."""
AUTHORIZATION = "authorization"


class Options(TypedDict, total=False):
    """What a client may be told besides its address."""

    token: str | None
    """Bearer token; the environment's KOAPY_TOKEN unless given, "" for none."""
    ca: str | Path | None
    """PEM file of the authorities that may have signed the server's certificate; KOAPY_CA. It turns TLS on."""
    certificate: tuple[str | Path, str | Path] | None
    """PEM files of the client's own certificate and key, for mutual TLS; KOAPY_CERTIFICATE and KOAPY_KEY."""
    tls: bool | None
    """True: TLS, with the well-known authorities where there is no `ca`. False: none. None: with one of those."""
    credentials: grpc.ChannelCredentials | None
    """gRPC's own, instead of `ca`, `certificate` and `tls`."""
    metadata: Mapping[str, str] | Iterable[tuple[str, str]]
    """Sent with every request."""
    timeout: float | None
    """Seconds for each request that is to end; None: no limit."""
    reconnect: float | None
    """Seconds for which it tries again when a connection breaks, 60 unless given; 0: never, None: without end. Requests
    that are to end do so within their `timeout`, streams only while they are read. A stream that was open waits besides
    for the end of a time for which the gateway says that it is closed, such as Kiwoom's maintenance at night."""
    on_reconnect: Callable[[Interruption], object] | None
    """Called when a stream is connected again: by the thread, or on the event loop, that reads the stream."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Address, credentials and what goes with every request."""

    address: str
    credentials: grpc.ChannelCredentials | None = field(repr=False)
    metadata: Metadata = field(repr=False)
    timeout: float | None
    """Seconds for each RPC that is to end, waits for limits included; None: as long as the server takes."""

    @property
    def options(self) -> list[tuple[str, Any]]:
        """gRPC's channel options."""
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", LARGEST),
            # Nothing is ever sent twice without the caller knowing: it might be an order.
            ("grpc.enable_retries", 0),
            # The client's own waits decide when to try; gRPC would let two minutes pass between two connections.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1_000),
            # A server whose machine or cable is gone says nothing: pings find out, while streams are open.
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 10_000),
        ]
        if is_local(self.address):
            options.append(("grpc.enable_http_proxy", 0))
        return options


class Stub:
    """The RPCs of all services by their names, which no two of them share."""

    def __init__(self, channel: Any) -> None:
        for service in (KiwoomOpenApiPlusServiceStub(channel), GatewayStub(channel), StreamsStub(channel)):
            vars(self).update(vars(service))

    if TYPE_CHECKING:

        def __getattr__(self, rpc: str) -> Any: ...


def connection(
    address: str | None,
    *,
    token: str | None = None,
    ca: str | Path | None = None,
    certificate: tuple[str | Path, str | Path] | None = None,
    tls: bool | None = None,
    credentials: grpc.ChannelCredentials | None = None,
    metadata: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    timeout: float | None = None,
    reconnect: float | None = RECONNECT,
    on_reconnect: Callable[[Interruption], object] | None = None,
) -> tuple[Connection, Link]:
    """Make a connection's settings of a client's arguments and of the environment.

    Raises: InvalidArgument, for files that cannot be read, and for a token that would travel unencrypted.
    """
    told = os.environ.get
    address = address or told("KOAPY_ADDRESS") or ADDRESS
    pairs = tuple(metadata.items() if hasattr(metadata, "items") else metadata)
    token = told("KOAPY_TOKEN", "") if token is None else token
    if token.strip():
        pairs = (*pairs, (AUTHORIZATION, f"Bearer {token.strip()}"))
    for key, value in pairs:
        if not key.endswith("-bin") and not sendable(value):
            # gRPC's own error would quote all of the metadata, and with it the token.
            raise InvalidArgument(f"the {_what(key)} has characters that cannot be sent; printable ASCII can")
    if credentials is None and tls is not False:
        files = certificate or (told("KOAPY_CERTIFICATE", ""), told("KOAPY_KEY", ""))
        credentials = _tls(ca or told("KOAPY_CA"), *files, wanted=tls)
    if credentials is None and not is_local(address) and any(key.lower() == AUTHORIZATION for key, _ in pairs):
        raise InvalidArgument(
            f"a token is not sent to {address} unencrypted, where anybody on the way could read it: give `ca` "
            "(KOAPY_CA), the certificate that `koapy cert` made for the server, or tls=True"
        )
    return Connection(address, credentials, pairs, timeout), Link(address, reconnect, timeout, on_reconnect)


def is_local(address: str) -> bool:
    """Whether what is sent to this address stays on this machine."""
    host = address.rpartition(":")[0].strip("[]")
    if address.startswith(("unix:", "unix-abstract:")) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def warn(trailing: Any) -> None:
    """Pass on what the server warned of: inputs that a TR does not have, ticks that were left out for a slow reader."""
    for key, value in trailing or ():
        if key == "koapy-warning":
            warnings.warn(urllib.parse.unquote(value), KoapyWarning, stacklevel=4)
        elif key in _MISSED:
            warnings.warn(f"{_MISSED[key]}: {urllib.parse.unquote(value)}", KoapyWarning, stacklevel=4)


_MISSED = {
    "koapy-conflated": "read too slowly, so ticks were merged",
    "koapy-dropped": "read too slowly, so ticks were dropped",
    "koapy-gaps": "there was no connection to OpenAPI+, and so no events",
}


def _what(key: str) -> str:
    return "token" if key.lower() == AUTHORIZATION else f"metadata {key}"


def _tls(
    ca: str | Path | None, certificate: str | Path, key: str | Path, *, wanted: bool | None
) -> grpc.ChannelCredentials | None:
    """TLS with these files; None when nobody has asked for it."""
    if bool(certificate) != bool(key):
        raise InvalidArgument("a certificate needs its key, and a key its certificate: KOAPY_CERTIFICATE, KOAPY_KEY")
    if not (wanted or ca or certificate):
        return None
    authorities, own, own_key = (_read(each) if each else None for each in (ca, certificate, key))
    return grpc.ssl_channel_credentials(authorities, own_key, own)


def _read(file: str | Path) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidArgument(f"cannot read {file}: {error.strerror}") from None
