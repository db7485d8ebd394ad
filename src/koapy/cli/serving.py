"""`koapy serve`: the simulation behind the gRPC service, until interrupted."""

from __future__ import annotations

import ipaddress
import logging
import signal
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from koapy.cli.app import CommandError, command
from koapy.openapi.limit import TR_WINDOWS

if TYPE_CHECKING:
    from koapy.openapi.limit import Window


class Hours(StrEnum):
    """When the simulated market trades."""

    ALWAYS = "always"
    KRX = "krx"


class Kind(StrEnum):
    """Which of Kiwoom's servers the simulation plays."""

    MOCK = "mock"
    REAL = "real"


class LogLevel(StrEnum):
    """What is worth a log line."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def register(app: typer.Typer) -> None:
    """Add `serve` to `app`."""
    command(
        app, serve, "koapy serve", "koapy serve --port 0 --seed 7", "koapy serve --history prices --limits 5/1,100/60"
    )


def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 5943,
    history: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Daily prices: CODE.csv with date,open,high,low,close,volume."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same market.")] = 1,
    hours: Annotated[Hours, typer.Option(help="A market that never closes, or the exchange's hours.")] = Hours.ALWAYS,
    speed: Annotated[float, typer.Option(min=0.01, help="Seconds of the market in a second.")] = 1.0,
    server: Annotated[
        Kind, typer.Option(help="The server that is played: mock has the rules of 모의투자.")
    ] = Kind.MOCK,
    limits: Annotated[
        str,
        typer.Option(metavar="NAME|N/SECONDS,...", help="TR limits: guide, koapy (stricter), or figures."),
    ] = "guide",
    log_level: Annotated[LogLevel, typer.Option(help="Log lines go to stderr.")] = LogLevel.INFO,
    insecure_off_loopback: Annotated[
        bool,
        typer.Option("--insecure-off-loopback", help="Listen on other interfaces, without encryption or login."),
    ] = False,
) -> None:
    """Serve the simulated exchange until interrupted."""
    if not (insecure_off_loopback or is_loopback(host)):
        raise CommandError(
            f"{host} is open to other machines, and the server has no encryption and asks for no password yet: whoever "
            "reaches it trades. Use --host 127.0.0.1, or in a closed network --insecure-off-loopback"
        )
    windows = TR_WINDOWS[limits] if limits in TR_WINDOWS else figures(limits)
    logging.basicConfig(
        level=log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Only here: look-ups of the catalogue need not wait for grpc and the exchange.
    from koapy.server import Settings
    from koapy.server import serve as serve_control
    from koapy.simulation.control import SimulatedControl

    if break_signal := getattr(signal, "SIGBREAK", None):  # Windows: what a parent process can send
        signal.signal(break_signal, signal.default_int_handler)
    try:
        control = SimulatedControl(seed=seed, history=history, hours=hours.value, speed=speed, server=server.value)
    except ValueError as error:
        raise CommandError(str(error)) from error
    ready = partial(_tell, f"simulation, seed {seed}")
    try:
        serve_control(control, host, port, Settings(tr_windows=windows), ready=ready)
    except OSError as error:
        raise CommandError(f"{error}; --port 0 takes a free one") from error
    finally:
        control.close()


def _tell(what: str, address: str) -> None:
    print(f"koapy: listening on {address} ({what})", file=sys.stderr, flush=True)


def is_loopback(host: str) -> bool:
    """Whether `host` is reached from this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def figures(limits: str) -> tuple[Window, ...]:
    """Windows of TR requests from text such as 5/1,100/60: calls and seconds."""
    try:
        pairs = [each.split("/") for each in limits.split(",")]
        windows = tuple((int(calls), float(seconds)) for calls, seconds in pairs)
    except ValueError:
        windows = ()
    if not windows or any(calls < 1 or seconds <= 0 for calls, seconds in windows):
        raise CommandError(f"no limits {limits!r}: use guide, koapy, or calls per seconds such as 5/1,100/60")
    return windows
