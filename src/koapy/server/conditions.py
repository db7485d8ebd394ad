"""Conditions are loaded once per login, whoever asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.nearest import did_you_mean
from koapy.server.driver import drive
from koapy.server.failure import invalid
from koapy.server.machines.login import LoadCondition
from koapy.server.router import every_key

if TYPE_CHECKING:
    from koapy.server.core import Core
    from koapy.server.edge import Writer

EVENTS = (every_key("OnReceiveConditionVer"), every_key("OnEventConnect"))


async def load_conditions(core: Core, writer: Writer, *, force: bool) -> None:
    """Load the conditions unless they are; the event goes to `writer` when they had to be loaded."""
    async with core.conditions_loading:
        if core.conditions_loaded and not force:
            return
        await core.require_login()
        login = core.router.logins
        with core.inbox() as inbox, core.router.subscribe(inbox, EVENTS):
            await drive(core, LoadCondition(), inbox, writer)
        core.conditions_of = login


async def known_condition(core: Core, name: str, index: int) -> None:
    """A condition that GetConditionNameList has."""
    listed = str(await core.functions.call("GetConditionNameList"))
    pairs = [each.partition("^") for each in listed.split(";") if each]
    if not any(number.strip().isdigit() and int(number) == index and known == name for number, _, known in pairs):
        conditions = ", ".join(f"{number}^{known}" for number, _, known in pairs) or "none"
        near = did_you_mean(name, [known for _, _, known in pairs])
        raise invalid(f"no condition {index}^{name}{near}; the conditions are {conditions}")
