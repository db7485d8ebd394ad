"""What trading costs on one exchange: commission of the server, taxes of the day, margins of the issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.market import commission, sale_tax

if TYPE_CHECKING:
    from koapy.openapi.market import Server
    from koapy.simulation.exchange import Exchange


class Tariff:
    """Costs in won, as `koapy.simulation.account.Tariff` asks for them."""

    def __init__(self, exchange: Exchange, server: Server) -> None:
        self._exchange = exchange
        self._server = server

    def commission(self, value: int) -> int:
        """Commission of an order that traded for so much."""
        return commission(self._server, value)

    def sale_tax(self, code: str, value: int) -> int:
        """Taxes of a sale of so much today."""
        issue = self._exchange.instruments[code]
        return sale_tax(issue.market, issue.kind, value, self._exchange.today)

    def margin(self, code: str) -> int:
        """Percent of a buy that binds cash at once."""
        return self._exchange.margin(code)
