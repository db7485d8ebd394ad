"""What the FIDs say of program trading. Amounts are million won."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.programs import Programs, own_account, programs

if TYPE_CHECKING:
    from koapy.simulation.tr.request import Request
    from koapy.simulation.tr.stocks import Stock
    from koapy.simulation.tr.vocabulary import Words


def of_today(stock: Stock) -> Programs:
    """Return what programs have done of an issue today."""
    return programs(stock.instrument, stock.exchange.today, stock.quote.volume, stock.quote.value)


def millions(won: int) -> str:
    """Write an amount."""
    return str(forms.millions(won))


def net_millions(won: int) -> str:
    """Write an amount with its sign."""
    return forms.delta(forms.millions(won))


PROGRAM: Words[Programs] = {
    202: lambda it: str(it.all.sold),
    204: lambda it: millions(it.all.sold_value),
    206: lambda it: str(it.all.bought),
    208: lambda it: millions(it.all.bought_value),
    210: lambda it: forms.delta(it.all.net),
    212: lambda it: net_millions(it.all.net_value),
    502: lambda it: str(it.arbitrage.sold),
    505: lambda it: millions(it.arbitrage.sold_value),
    511: lambda it: str(it.arbitrage.bought),
    514: lambda it: millions(it.arbitrage.bought_value),
    522: lambda it: net_millions(it.arbitrage.net_value),
    523: lambda it: forms.delta(it.arbitrage.net),
    526: lambda it: str(it.baskets.sold),
    529: lambda it: millions(it.baskets.sold_value),
    535: lambda it: str(it.baskets.bought),
    538: lambda it: millions(it.baskets.bought_value),
    546: lambda it: net_millions(it.baskets.net_value),
    547: lambda it: forms.delta(it.baskets.net),
    500: lambda it: str(it.arbitrage.sold - own_account(it.arbitrage.sold)),
    503: lambda it: millions(it.arbitrage.sold_value - own_account(it.arbitrage.sold_value)),
    509: lambda it: str(it.arbitrage.bought - own_account(it.arbitrage.bought)),
    512: lambda it: millions(it.arbitrage.bought_value - own_account(it.arbitrage.bought_value)),
    520: lambda it: forms.delta(it.arbitrage.net - own_account(it.arbitrage.net)),
    518: lambda it: net_millions(it.arbitrage.net_value - own_account(it.arbitrage.net_value)),
    524: lambda it: str(it.baskets.sold),
    527: lambda it: millions(it.baskets.sold_value),
    533: lambda it: str(it.baskets.bought),
    536: lambda it: millions(it.baskets.bought_value),
    544: lambda it: forms.delta(it.baskets.net),
    542: lambda it: net_millions(it.baskets.net_value),
    504: lambda it: millions(own_account(it.arbitrage.sold_value)),
    513: lambda it: millions(own_account(it.arbitrage.bought_value)),
    764: lambda it: net_millions(it.all.net_value),
}
"""What programs did. 위탁 is for customers, 자기 on the firms' own account."""


def market_of(request: Request) -> str:
    """Return the market that is asked for, KOSPI unless another one is."""
    label = request.label("시장구분") or request.label("종목코드") or "코스피"
    return "KOSDAQ" if label == "코스닥" else "KOSPI"
