"""`koapy serve`: a control behind the gRPC service, until interrupted."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from koapy.cli.app import CommandError, command
from koapy.cli.closing import interrupt_when_windows_ends_it
from koapy.cli.controls import control_of
from koapy.cli.logs import logged
from koapy.cli.state import state_folder

if TYPE_CHECKING:
    from koapy.server.config import Config
    from koapy.server.security import Tls

T = TypeVar("T")


class Control(StrEnum):
    """What is behind the service."""

    SIMULATION = "simulation"
    REPLAY = "replay"
    OCX = "ocx"


class Hours(StrEnum):
    """When the simulated market trades."""

    ALWAYS = "always"
    KRX = "krx"


class Label(StrEnum):
    """What the time of a minute bar is."""

    START = "start"
    END = "end"


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
        app,
        serve,
        "koapy serve",
        "koapy serve --port 0 --seed 7",
        "koapy serve --history prices --limits 5/1,100/60",
        "koapy serve --record session.jsonl",
        "koapy serve --control replay --from session.jsonl --speed 0 --limits none",
        "koapy serve --control ocx",
        "koapy serve --config koapy.toml",
        "koapy serve --host 0.0.0.0 --tls-cert server.pem --tls-key server-key.pem --tokens tokens.json",
    )


def serve(
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings, limits of risk and security in TOML; options here win over it."),
    ] = None,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Where to listen.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.", show_default="5943")] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where orders are kept: they survive a crash, and none is sent twice.",
            show_default="orders-PORT.sqlite in the user's state folder; for port 0 none",
        ),
    ] = None,
    control: Annotated[
        Control | None,
        typer.Option(
            help="The embedded exchange, a recording that is played, or OpenAPI+ itself.", show_default="simulation"
        ),
    ] = None,
    recording: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="The recording that --control replay plays.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write down what the control does, to be played again; see docs/replay.md."),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Real days, minutes or trades, CSV or Parquet: CODE.csv; see docs/simulation.md."
        ),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="A day of --history, such as 2025-06-10 or 2025-06-10T10:30, at which the market begins, and from "
            "which it is played as it was.",
            show_default="the day after them all",
        ),
    ] = None,
    minute_label: Annotated[
        Label | None,
        typer.Option(
            help="What the times of minute bars in --history are; OpenAPI+ tells their starts.", show_default="start"
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same market.", show_default="1")] = None,
    hours: Annotated[
        Hours | None, typer.Option(help="A market that never closes, or the exchange's hours.", show_default="always")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0, help="Seconds of the market in a second; in a replay 0 takes no time at all.", show_default="1.0"
        ),
    ] = None,
    server: Annotated[
        Kind | None,
        typer.Option(help="The server that is played: mock has the rules of 모의투자.", show_default="mock"),
    ] = None,
    issues: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many issues the market has, the largest first; 5000 takes the whole listing.",
            show_default="250",
        ),
    ] = None,
    margin: Annotated[
        bool,
        typer.Option("--margin", help="Buys take the issue's margin (증거금) at once, the rest when they are settled."),
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the market, its accounts and their open orders outlive the gateway."),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What goes wrong on purpose, in TOML; see docs/simulation.md."),
    ] = None,
    conditions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Conditions (조건식) of one's own, in TOML; see docs/simulation.md."),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to do about boxes that OpenAPI+ shows, in TOML; see docs/windows.md."),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|N/SECONDS,...",
            help="TR limits: guide, koapy (stricter), or figures.",
            show_default="guide",
        ),
    ] = None,
    log_level: Annotated[
        LogLevel | None, typer.Option(help="Which lines are worth logging.", show_default="info")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Log lines go to stderr, and here too: 10 MB a file, five older ones."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The certificate of TLS, PEM; `koapy cert make` makes one.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its key, which only its owner may read.")
    ] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Let only clients in that have a certificate of this CA.")
    ] = None,
    tokens: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who may do what; `koapy token create` makes it.")
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write down who did what: JSON lines, without secrets.")
    ] = None,
    insecure_off_loopback: Annotated[
        bool,
        typer.Option("--insecure-off-loopback", help="Listen on other interfaces, without encryption or login."),
    ] = False,
    allow_custom_handlers: Annotated[
        bool,
        typer.Option(
            "--allow-custom-handlers", help="Run event handlers that clients send as code; see docs/security.md."
        ),
    ] = False,
    until_eof: Annotated[
        bool,
        typer.Option(
            "--until-eof",
            help="Stop when standard input ends: for a parent process, on Windows too, and however that ends.",
        ),
    ] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print what holds, as a configuration file, and serve nothing.")
    ] = False,
) -> None:
    """Serve the simulated exchange, a recorded one, or OpenAPI+ itself, until interrupted."""
    # Only here: look-ups of the catalogue need not wait for grpc and the exchange.
    from koapy.handlers.limits import HandlerLimits
    from koapy.server.config import Config, ConfigError, load, windows

    try:
        said = load(config) if config else Config()
        settings = _given(
            said.settings,
            tr_windows=windows(limits) if limits else None,
            custom_handlers=(said.settings.custom_handlers or HandlerLimits()) if allow_custom_handlers else None,
        )
        listening = _given(
            said.server,
            host=host,
            port=port,
            journal=journal,
            log_level=log_level,
            log=log,
            control=control,
            record=record,
        )
        # The same option for whichever of them passes the time.
        simulated, played = (None, speed) if listening.control == Control.REPLAY.value else (speed, None)
        chosen = Config(
            server=listening,
            simulation=_given(
                said.simulation,
                seed=seed,
                history=history,
                date=date,
                minute_label=minute_label,
                hours=hours,
                speed=simulated,
                server=server,
                issues=issues,
                margin=margin or None,
                state=state,
                faults=faults,
                conditions=conditions,
            ),
            replay=_given(said.replay, file=recording, speed=played),
            ocx=_given(said.ocx, boxes=boxes),
            security=_given(
                said.security,
                tls=_tls(said.security.tls, tls_cert, tls_key, tls_client_ca),
                tokens=tokens,
                audit=audit,
                insecure_off_loopback=insecure_off_loopback or None,
            ),
            settings=settings,
        )
    except (ConfigError, ValueError) as error:
        raise CommandError(str(error)) from error
    if print_config:
        sys.stdout.write(chosen.toml())
        return
    if until_eof:
        _interrupt_at_eof()
    with logged(chosen.server.log_level, chosen.server.log):
        _run(chosen)


def _interrupt_at_eof() -> None:
    """Be interrupted when standard input ends, which nothing else of this process has from now on."""
    # Windows lets nobody even ask what kind of file it is while a thread reads it, and libraries ask when they load.
    taken = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)

    def wait() -> None:
        # Not through a file object: its lock would be held by this thread when the interpreter ends.
        with suppress(OSError):
            while os.read(taken, 4096):
                pass
        signal.raise_signal(signal.SIGINT)

    Thread(target=wait, name="koapy-stdin", daemon=True).start()


def _tls(said: Tls | None, certificate: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    """What the file said of TLS, with the options that were given instead."""
    from koapy.server.security import Tls

    if said is not None:
        certificate, key = certificate or said.certificate, key or said.key
        client_ca = client_ca or said.client_ca
    if not (certificate or key or client_ca):
        return None
    if not (certificate and key):
        raise CommandError("TLS takes a certificate and its key: --tls-cert FILE --tls-key FILE")
    return Tls(certificate=certificate, key=key, client_ca=client_ca)


def _given(said: T, **options: object) -> T:
    """What the file said, with the options that were given instead."""
    values = {name: value for name, value in options.items() if value is not None}
    changed: T = replace(said, **values)  # type: ignore[type-var]
    return changed


def _run(chosen: Config) -> None:
    from koapy.orders.journal import JournalError
    from koapy.server import serve as serve_control
    from koapy.server.security import SecurityError

    listening = chosen.server
    interrupt_when_windows_ends_it()
    journal = listening.journal_file(state_folder())
    kept = f", journal {journal}" if journal else ""
    try:
        with control_of(chosen) as (control, name):
            serve_control(
                control,
                listening.host,
                listening.port,
                chosen.settings,
                journal=journal,
                security=chosen.security,
                ready=partial(_tell, f"{name}{kept}"),
            )
    except (JournalError, SecurityError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error}; --port 0 takes a free one") from error


def _tell(what: str, address: str) -> None:
    print(f"koapy: listening on {address} ({what})", file=sys.stderr, flush=True)
