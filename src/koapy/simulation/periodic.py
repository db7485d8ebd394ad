"""Real-time data that comes every few seconds: indices, member firms, programs, funds, and contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from koapy.simulation import realdata, realfigures
from koapy.simulation.realdata import BREADTH, INDEX
from koapy.simulation.realfigures import FIRMS, MARKET_PROGRAMS, MARKETS, NAV, PROGRAMS, WARRANT_TYPES
from koapy.simulation.tr.contracts import contract
from koapy.simulation.tr.papers import Paper, listed
from koapy.simulation.tr.stocks import Stock

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from koapy.simulation.exchange import Exchange
    from koapy.simulation.world import World

INDEX_SECONDS = 10
"""Between two ticks of an index, and of what is known of an issue beside its trades."""
CONTRACT_SECONDS = 2
"""Between two ticks of a future, an option or an ELW."""


class Audience(Protocol):
    """Who wants what, and how it is told."""

    @property
    def wanted(self) -> Mapping[str, Collection[str]]:
        """What is registered, by code."""

    def wants(self, code: str, kind: str) -> bool:
        """Whether a real type of a code is registered."""

    def tell(self, code: str, kind: str, values: Mapping[int, str]) -> None:
        """Tell it."""


class Periodic:
    """Tells of what is registered, while it changes."""

    def __init__(self, world: World, audience: Audience) -> None:
        self._world = world
        self._audience = audience
        self._sector_volumes: dict[str, int] = {}
        self._volumes: dict[str, int] = {}
        """Shares traded when an issue's firms were told last."""
        self._firms: dict[str, realfigures.Traded] = {}
        self._programs: dict[str, tuple[int, int]] = {}
        self._contracts: dict[str, tuple[int, int]] = {}
        """Price and volume that were told last."""
        world.clock.call_later(INDEX_SECONDS, self._every_index)
        world.clock.call_later(CONTRACT_SECONDS, self._every_contract)

    def start_day(self) -> None:
        """Compare nothing with the day before."""
        for known in (self._sector_volumes, self._volumes, self._firms, self._programs, self._contracts):
            known.clear()

    def _every_index(self) -> None:
        self._world.clock.call_later(INDEX_SECONDS, self._every_index)
        exchange, wanted = self._world.exchange, self._audience.wanted.keys()
        for code in sorted(exchange.sectors.keys() & wanted):
            self._sector(code)
        for code in sorted(exchange.instruments.keys() & wanted):
            self._issue(code)
        for code in sorted(MARKETS.keys() & wanted):
            if self._audience.wants(code, MARKET_PROGRAMS):
                values, self._programs[code] = realfigures.market_program(
                    exchange, code, self._world.now(), self._programs.get(code)
                )
                self._audience.tell(code, MARKET_PROGRAMS, values)

    def _sector(self, code: str) -> None:
        exchange, audience, now = self._world.exchange, self._audience, self._world.now()
        quote, days = exchange.sector_quote(code), exchange.sector_daily(code)
        before = self._sector_volumes.get(code, quote.volume)
        self._sector_volumes[code] = quote.volume
        if not quote.open:
            return  # an index has no prices until one of its members has traded
        if audience.wants(code, INDEX):
            audience.tell(code, INDEX, realdata.index(quote, days[-1] if days else None, before, now))
        if audience.wants(code, BREADTH):
            audience.tell(code, BREADTH, realdata.breadth(quote, len(exchange.sectors[code].members), now))

    def _issue(self, code: str) -> None:
        audience, it, now = self._audience, Stock(self._world.exchange, code), self._world.now()
        if self._volumes.get(code) == it.quote.volume:
            return
        self._volumes[code] = it.quote.volume
        if audience.wants(code, FIRMS):
            values, self._firms[code] = realfigures.firms(it, self._firms.get(code, {}))
            audience.tell(code, FIRMS, values)
        if audience.wants(code, PROGRAMS):
            values, self._programs[code] = realfigures.program(it, now, self._programs.get(code))
            audience.tell(code, PROGRAMS, values)
        if it.instrument.kind == "etf" and audience.wants(code, NAV):
            audience.tell(code, NAV, realfigures.worth(it, now))

    def _every_contract(self) -> None:
        self._world.clock.call_later(CONTRACT_SECONDS, self._every_contract)
        exchange = self._world.exchange
        # Futures and options have eight characters.
        for code in sorted(each for each in self._audience.wanted if len(each) == 8):
            self._contract(code)
        wanted = {each for each in self._audience.wanted if len(each) == 6 and each not in exchange.instruments}
        for paper in _papers(exchange, wanted) if wanted - exchange.sectors.keys() else ():
            self._warrant(paper)

    def _warrant(self, it: Paper) -> None:
        code = it.contract.code
        if self._moved(code, it.last, it.volume):
            for name in WARRANT_TYPES:
                if self._audience.wants(code, name):
                    self._audience.tell(code, name, realfigures.warrant(name, it, self._world.now()))

    def _contract(self, code: str) -> None:
        it = contract(self._world.exchange, code)
        if it is None or it.bar is None:
            return
        before = self._contracts.get(code, (0, it.volume))[1]
        if not self._moved(code, it.last, it.volume):
            return
        for name in realfigures.contract_types(it):
            if self._audience.wants(code, name):
                self._audience.tell(code, name, realfigures.contract(name, it, self._world.now(), it.volume - before))

    def _moved(self, code: str, last: int, volume: int) -> bool:
        before = self._contracts.get(code)
        self._contracts[code] = last, volume
        return before != (last, volume)


def _papers(exchange: Exchange, wanted: Collection[str]) -> list[Paper]:
    """The ELWs among some codes."""
    return [Paper(exchange, each) for each in listed(exchange) if each.contract.code in wanted]
