"""The configuration file of `koapy serve`: TOML, strict, and every key of it the name of a setting.

[server]            host, port, journal, ...
[simulation]        what the embedded exchange is like
[replay]            the recording that is played in its place
[ocx]               OpenAPI+ itself in its place
[security]          tokens, audit; [security.tls] certificate, key, client_ca
[limits]            tr, orders, conditions, and the scalar fields of Settings
[clients]           the fields of Settings that begin with client_, without that
[risk]              limits of everybody; [risk.accounts."8000000011"], [risk.clients.NAME]
[custom_handlers]   enabled = true, and the fields of HandlerLimits
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path  # noqa: TC003  the type of fields is asked for when a file is read
from typing import TYPE_CHECKING, Any, Literal

from koapy.handlers.limits import HandlerLimits
from koapy.openapi.limit import CONDITION_WINDOWS, ORDER_WINDOWS, TR_WINDOWS
from koapy.orders.risk import RiskLimits, RiskRules
from koapy.server.security import Security
from koapy.server.settings import Settings
from koapy.server.tables import ConfigError, Place, asdict, fill, quote, read, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from koapy.openapi.limit import Window

__all__ = ["Config", "ConfigError", "Listening", "Ocx", "Replay", "Simulation", "load", "windows"]

LogLevel = Literal["debug", "info", "warning", "error"]
WINDOWS = {
    "tr": ("tr_windows", TR_WINDOWS),
    "orders": ("order_windows", ORDER_WINDOWS),
    "conditions": ("condition_windows", CONDITION_WINDOWS),
}
"""Keys of [limits] that are windows: their fields of Settings, and the sets that have names."""
OF_CLIENT = "client_"
UNLIMITED = "none"
ENABLED = "enabled"
HOLDERS = ("accounts", "clients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """[server]."""

    host: str = "127.0.0.1"
    port: int = 5943
    """0 takes a free one."""
    journal: Path | None = None
    """None: a file of this port in the user's state folder; for port 0, which is another one each time, none."""
    keep_journal: bool = True
    """False: the journal is forgotten when the server stops."""
    control: Literal["simulation", "replay", "ocx"] = "simulation"
    record: Path | None = None
    """Everything that crosses the seam is written here, to be played again."""
    log_level: LogLevel = "info"
    log: Path | None = None
    """Where log lines go besides stderr."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port = {self.port}: 0 to 65535 is wanted")

    def journal_file(self, folder: Path) -> Path | None:
        """The journal, by default in `folder`; None where it is not kept, as that of orders which are only played."""
        if not self.keep_journal or (self.journal is None and (self.port == 0 or self.control == "replay")):
            return None
        return self.journal or folder / f"orders-{self.port}.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """[simulation]."""

    seed: int = 1
    """The same seed gives the same market."""
    history: Path | None = None
    """A folder of real days, minutes or trades, its files named by code; see docs/simulation.md."""
    minute_label: Literal["start", "end"] = "start"
    """What the times of minute bars in `history` are; those of OpenAPI+ are their starts."""
    date: str | None = None
    """A day of `history`, or a moment of one, at which the market begins and from which it is played."""
    hours: Literal["always", "krx"] = "always"
    speed: float = 1.0
    """Seconds of the market in a second."""
    server: Literal["mock", "real"] = "mock"
    issues: int = 250
    """How many the market has, the largest first."""
    margin: bool = False
    """Whether a buy takes only the margin of the issue at once, and the rest when it is settled."""
    state: Path | None = None
    """A file in which the market, the accounts and their orders outlive the gateway."""
    faults: Path | None = None
    """What goes wrong on purpose; see docs/simulation.md."""
    conditions: Path | None = None
    """Conditions of the user's own; see docs/simulation.md."""

    def __post_init__(self) -> None:
        if self.speed < 0.01:
            raise ValueError(f"speed = {self.speed:g}: at least 0.01 is wanted")
        if self.issues < 1:
            raise ValueError(f"issues = {self.issues}: at least 1 is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """[replay]."""

    file: Path | None = None
    """A recording; None: nothing is played."""
    speed: float = 1.0
    """Seconds of the recording in a second; 0: no time between events."""
    patience: float = 2.0
    """Seconds that the recording stands still for a call that was made at this point."""

    def __post_init__(self) -> None:
        for name in ("speed", "patience"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} = {getattr(self, name):g}: not less than 0 is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ocx:
    """[ocx]."""

    control: str = "KHOPENAPI.KHOpenAPICtrl.1"
    """ProgID or CLSID."""
    relogin: bool = True
    """Log in again by itself when the login is lost; for this OpenAPI+'s automatic login has to be on."""
    hang_seconds: float = 60.0
    """A call that takes longer, without a box on the screen, ends the control's process; a new one is started."""
    nights: frozenset[str] | None = None
    """When Kiwoom's servers are checked, such as "mon-sat 05:00-05:10"; None: the hours that are known."""
    maintenance: frozenset[str] = frozenset()
    """When they are away besides, such as "2026-12-05 22:00 - 2026-12-06 09:00"."""
    boxes: Path | None = None
    """What to do about boxes on the screen, before what is known of OpenAPI+'s own; see docs/windows.md."""

    def __post_init__(self) -> None:
        if self.hang_seconds < 5:
            raise ValueError(f"hang_seconds = {self.hang_seconds:g}: at least 5 is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All that a configuration file can say."""

    server: Listening = field(default_factory=Listening)
    simulation: Simulation = field(default_factory=Simulation)
    replay: Replay = field(default_factory=Replay)
    ocx: Ocx = field(default_factory=Ocx)
    security: Security = field(default_factory=Security)
    settings: Settings = field(default_factory=Settings)

    def toml(self) -> str:
        """The same as a file: what `load` would read, defaults included. Nothing secret is in a configuration."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        settings = self.settings
        scalars = {name: getattr(settings, name) for name in _SCALARS}
        named = {key: _named(getattr(settings, name), known) for key, (name, known) in WINDOWS.items()}
        yield from write("server", asdict(self.server))
        yield from write("simulation", asdict(self.simulation))
        yield from write("replay", asdict(self.replay))
        yield from write("ocx", asdict(self.ocx))
        yield from write("security", asdict(self.security))
        yield from write("limits", named | {key: value for key, value in scalars.items() if not _of_client(key)})
        own = {key.removeprefix(OF_CLIENT): value for key, value in scalars.items() if _of_client(key)}
        yield from write("clients", own)
        yield from write("risk", asdict(settings.risk.everybody))
        for kind, limits in (("accounts", settings.risk.accounts), ("clients", settings.risk.clients)):
            for name, each in sorted(limits.items()):
                yield from write(f"risk.{kind}.{quote(name)}", asdict(each))
        if settings.custom_handlers is not None:
            yield from write("custom_handlers", {ENABLED: True} | asdict(settings.custom_handlers))


_SCALARS = {each.name: hint for each in fields(Settings) for hint in (int, float) if each.type == hint.__name__}


def load(file: Path) -> Config:
    """Read a configuration file. Files that it names are taken to lie beside it.

    Raises: ConfigError.
    """
    place = Place(file)
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise place.error(f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise place.error(f"is no TOML file: {error}") from error
    known = ("server", "simulation", "replay", "ocx", "security", "limits", "clients", "risk", "custom_handlers")
    place.only(tables, known, "section")
    table = {name: place.table(tables.get(name, {}), name) for name in known}
    at = {name: place.below(name) for name in known}
    return Config(
        server=fill(Listening, table["server"], at["server"]),
        simulation=fill(Simulation, table["simulation"], at["simulation"]),
        replay=fill(Replay, table["replay"], at["replay"]),
        ocx=fill(Ocx, table["ocx"], at["ocx"]),
        security=fill(Security, table["security"], at["security"]),
        settings=Settings(
            **_limits(table["limits"], at["limits"]),
            **_clients(table["clients"], at["clients"]),
            risk=_risk(table["risk"], at["risk"]),
            custom_handlers=_handlers(table["custom_handlers"], at["custom_handlers"]),
        ),
    )


def windows(text: str, known: Mapping[str, tuple[Window, ...]] = TR_WINDOWS) -> tuple[Window, ...]:
    """Windows of requests by their name, or from figures such as 5/1,100/60: calls and seconds.

    Raises: ValueError.
    """
    if text == UNLIMITED:
        return ()
    if text in known:
        return known[text]
    try:
        pairs = [each.split("/") for each in text.split(",")]
        found = tuple((int(calls), float(seconds)) for calls, seconds in pairs)
    except ValueError:
        found = ()
    if not found or any(calls < 1 or not 0 < seconds < 1e9 for calls, seconds in found):
        raise ValueError(f"no limits {text!r}: use {', '.join(known)}, or calls per seconds such as 5/1,100/60")
    return found


def _of_client(name: str) -> bool:
    return name.startswith(OF_CLIENT)


def _named(value: tuple[Window, ...], known: Mapping[str, tuple[Window, ...]]) -> str:
    if not value:
        return UNLIMITED
    figures = ",".join(f"{calls}/{seconds:g}" for calls, seconds in value)
    return next((name for name, each in known.items() if each == value), figures)


def _limits(table: Mapping[str, Any], place: Place) -> dict[str, Any]:
    scalars = [name for name in _SCALARS if not _of_client(name)]
    place.only(table, [*WINDOWS, *scalars])
    values = {name: _above_0(name, name, table[name], place) for name in scalars if name in table}
    for key, (name, known) in WINDOWS.items():
        if key in table:
            try:
                values[name] = windows(read(str, table[key], key, place), known)
            except ValueError as error:
                raise place.error(f"{key}: {error}") from error
    return values


def _clients(table: Mapping[str, Any], place: Place) -> dict[str, Any]:
    names = {name.removeprefix(OF_CLIENT): name for name in _SCALARS if _of_client(name)}
    place.only(table, names)
    return {names[key]: _above_0(names[key], key, value, place) for key, value in table.items()}


def _above_0(name: str, key: str, value: object, place: Place) -> Any:
    number = read(_SCALARS[name], value, key, place)
    if number <= 0:
        raise place.error(f"{key} = {number}: more than 0 is wanted")
    return number


def _risk(table: Mapping[str, Any], place: Place) -> RiskRules:
    own = {key: value for key, value in table.items() if key not in HOLDERS}
    place.only(own, [*(each.name for each in fields(RiskLimits)), *HOLDERS])
    accounts, clients = (_holders(place.table(table.get(kind, {}), kind), place.below(kind)) for kind in HOLDERS)
    for name, limits in accounts.items():
        at = place.below("accounts").below(name)
        if len(name) != 10 or not name.isascii() or not name.isdigit():
            raise at.error("is no account: ten digits are wanted")
        if limits.allowed_accounts is not None:
            raise at.error("has allowed_accounts, which is for [risk] and [risk.clients.NAME]")
    return RiskRules(everybody=fill(RiskLimits, own, place), accounts=accounts, clients=clients)


def _holders(table: Mapping[str, Any], place: Place) -> dict[str, RiskLimits]:
    return {name: fill(RiskLimits, place.table(each, name), place.below(name)) for name, each in table.items()}


def _handlers(table: Mapping[str, Any], place: Place) -> HandlerLimits | None:
    """Code of clients runs only where the file says so in a word; limits alone turn nothing on."""
    rest = {key: value for key, value in table.items() if key != ENABLED}
    place.only(rest, [*(each.name for each in fields(HandlerLimits)), ENABLED])
    limits = fill(HandlerLimits, rest, place, least=0)
    return limits if read(bool, table.get(ENABLED, False), ENABLED, place) else None
