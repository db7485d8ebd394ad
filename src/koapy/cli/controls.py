"""The control that `koapy serve` puts behind the service."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from koapy.server.config import Config


@contextmanager
def control_of(chosen: Config) -> Iterator[tuple[Any, str]]:
    """The control, and what to call it; recorded where that is wished, and closed afterwards.

    Raises:
        CommandError: it cannot be made as it was asked for.
    """
    try:
        control, name = {"replay": _replay, "ocx": _ocx, "simulation": _simulation}[chosen.server.control](chosen)
    except ValueError as error:
        raise CommandError(str(error)) from error
    try:
        with _recorded(control, chosen) as offered:
            yield offered, name
    finally:
        control.close()


def _simulation(chosen: Config) -> tuple[Any, str]:
    from koapy.simulation.control import SimulatedControl
    from koapy.simulation.criteria import load_conditions
    from koapy.simulation.exchange import DEFAULT_ACCOUNTS
    from koapy.simulation.faults import load_faults
    from koapy.simulation.screening import CONDITIONS

    market = chosen.simulation
    control = SimulatedControl(
        seed=market.seed,
        history=market.history,
        minute_label=market.minute_label,
        date=market.date,
        hours=market.hours,
        speed=market.speed,
        server=market.server,
        market_size=market.issues,
        accounts=[replace(each, margin=market.margin) for each in DEFAULT_ACCOUNTS],
        state=market.state,
        faults=load_faults(market.faults) if market.faults is not None else None,
        conditions=load_conditions(market.conditions) if market.conditions is not None else CONDITIONS,
    )
    return control, f"simulation, seed {market.seed}"


def _replay(chosen: Config) -> tuple[Any, str]:
    from koapy.replay import ReplayControl

    played = chosen.replay
    if played.file is None:
        raise CommandError("--control replay takes the recording that is to be played: --from FILE")
    control = ReplayControl(played.file, speed=played.speed, patience=played.patience)
    return control, f"replay of {played.file}"


def _ocx(chosen: Config) -> tuple[Any, str]:
    from koapy.ocx import ControlLost, HostNotFound, OcxControl, boxes
    from koapy.ocx.nights import EVERY_NIGHT

    wanted = chosen.ocx
    try:
        control = OcxControl(
            wanted.control,
            relogin=wanted.relogin,
            hang_seconds=wanted.hang_seconds,
            maintenance=wanted.maintenance | (EVERY_NIGHT if wanted.nights is None else wanted.nights),
            rules=(*(boxes.load(wanted.boxes) if wanted.boxes else ()), *boxes.KNOWN),
        )
    except (ControlLost, HostNotFound) as error:
        raise CommandError(str(error)) from error
    return control, f"{wanted.control} {control.about.get('version', '')}".rstrip()


@contextmanager
def _recorded(control: Any, chosen: Config) -> Iterator[Any]:
    file = chosen.server.record
    if file is None:
        yield control
        return
    if file == chosen.replay.file:
        raise CommandError(f"{file} cannot be played and recorded to at once")
    from koapy.replay import Recorder

    try:
        recorder = Recorder(control, file)
    except OSError as error:
        raise CommandError(f"{file}: cannot be recorded to: {error.strerror}") from error
    try:
        yield recorder
    finally:
        recorder.close()
